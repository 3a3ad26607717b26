"""Concentrations of several plans over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2sim.report.canvas import (
    COLOURS,
    FAINT,
    STYLES,
    finished,
    legend_above,
    new_canvas,
    shown_unit,
)
from her2sim.studies.plans import PlanComparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plans_figure(comparison: PlanComparison) -> Figure:
    """Write the concentrations of all plans over each other; the share at target below."""
    has_target = comparison.target is not None
    n_panels, height = (2, 6.2) if has_target else (1, 3.9)
    figure, found = new_canvas(height, n_panels, sharex=True)
    panels = found[:, 0]
    for plan, colour, style in zip(comparison.plans, COLOURS, STYLES, strict=False):
        weeks = plan.curve_day / 7
        panels[0].fill_between(
            weeks, plan.curve[0], plan.curve[2], color=colour, alpha=0.13, linewidth=0
        )
        panels[0].plot(
            weeks, plan.curve[1], color=colour, linestyle=style, linewidth=1.3, label=plan.label
        )
        if plan.share is not None:
            panels[1].plot(
                plan.dose_day[1:] / 7, 100 * plan.share[1:], color=colour, marker="o",
                markersize=3.5, linestyle=style, linewidth=1, label=plan.label,
            )  # fmt: skip
    unit = shown_unit(comparison.unit)
    panels[0].set_ylabel(f"concentration ({unit})")
    panels[0].set_ylim(bottom=0)
    legend_above(panels[0], 3)
    if comparison.target is not None:
        panels[0].axhline(comparison.target, color=FAINT, linewidth=0.8, dashes=(4, 3))
        panels[1].set_ylabel(f"trough at or above\n{comparison.target:g} {unit} (% of patients)")
        panels[1].set_ylim(0, 105)
    panels[-1].set_xlabel("weeks")
    who = f"{comparison.population}, {comparison.patients} patients"
    bands = "lines: medians; bands: 5th to 95th percentile"
    return finished(figure, f"{comparison.question}\n{who}; {bands}")
