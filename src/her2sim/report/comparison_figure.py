"""The distributions of both arms of a virtual study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2sim.report.canvas import BAND, LINE, finished, new_canvas, shown_unit
from her2sim.studies.comparison import TwoArms, arm_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def study_figure(study: TwoArms) -> Figure:
    """Write the distributions of both arms, one panel a metric."""
    figure, panels = new_canvas(3.6, 1, len(study.rows))
    for axes, row in zip(panels[0], study.rows, strict=True):
        values = study.values[row.metric]
        boxes = axes.boxplot(
            [values[0], values[1]], whis=(5, 95), showfliers=False, widths=0.55,
            patch_artist=True, medianprops={"color": LINE},
        )  # fmt: skip
        for box, colour in zip(boxes["boxes"], (BAND, "#d5dbdb"), strict=True):
            box.set_facecolor(colour)
        axes.set_xticks([1, 2], ["test", "reference"])
        axes.set_title(
            f"{row.metric}: ratio {row.ratio:.2f} ({row.low:.2f} to {row.high:.2f})",
            fontsize=9, loc="left",
        )  # fmt: skip
        axes.set_ylabel(shown_unit(row.unit), fontsize=8)
        axes.set_ylim(bottom=0)
    arms = f"test {arm_name(study.test)}, reference {arm_name(study.reference)}"
    who = f"{study.population}, {study.per_arm} an arm, cycle {study.cycle}"
    key = "boxes: quartiles, whiskers: 5th and 95th percentile"
    return finished(figure, f"{arms}\n{who}; {key}", size=9)
