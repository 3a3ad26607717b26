"""Trough, peak and AUC against body weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2sim.report.canvas import BAND, FAINT, LINE, finished, new_canvas, shown_unit
from her2sim.studies.metrics import metric_unit
from her2sim.studies.weight import WeightReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def weights_figure(report: WeightReport) -> Figure:
    """Write trough, peak and AUC against weight."""
    figure, panels = new_canvas(3.4, 1, 3)
    weights = [row.weight_kg for row in report.rows]
    for axes, metric in zip(panels[0], ("cmin", "cmax", "auc"), strict=True):
        found = [row.exposure[metric] for row in report.rows]
        axes.fill_between(
            weights, [s.p5 for s in found], [s.p95 for s in found], color=BAND, alpha=0.5,
            linewidth=0,
        )  # fmt: skip
        axes.plot(weights, [s.median for s in found], color=LINE, marker="o", markersize=4)
        if metric == "cmin" and report.target is not None:
            axes.axhline(report.target, color=FAINT, linewidth=0.8, dashes=(4, 3))
        unit = shown_unit(metric_unit(report.treatment, metric))
        axes.set_title(f"{metric} ({unit})", fontsize=9, loc="left")
        axes.set_xlabel("body weight (kg)")
        axes.set_ylim(bottom=0)
    who = f"{report.population}, {report.patients} patients, cycle {report.cycle}"
    bands = "lines: medians; bands: 5th to 95th percentile"
    title = f"{report.treatment.pk.name}, {report.treatment.regimen.title}\n{who}; {bands}"
    return finished(figure, title)
