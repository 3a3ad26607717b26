"""Troughs with and without a shortage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from her2sim.report.canvas import (
    COLOURS,
    FAINT,
    STYLES,
    finished,
    legend_above,
    new_canvas,
    shown_unit,
)
from her2sim.report.tables import patients_text
from her2sim.studies.shortage import ShortageReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def shortage_figure(report: ShortageReport) -> Figure:
    """Write troughs with and without the shortage; the share at target below."""
    has_target = report.target is not None
    figure, found = new_canvas(6.2 if has_target else 3.9, 2 if has_target else 1, sharex=True)
    panels = found[:, 0]
    weeks = report.ends_day / 7
    for course, colour, style in zip(report.courses, COLOURS, STYLES, strict=False):
        low, median, high = course.trough
        panels[0].fill_between(weeks, low, high, color=colour, alpha=0.13, linewidth=0)
        panels[0].plot(
            weeks,
            median,
            marker="o",
            color=colour,
            linestyle=style,
            markersize=3.5,
            linewidth=1.3,
            label=course.label,
        )
        if course.share is not None:
            panels[1].plot(
                weeks, 100 * course.share, marker="o", color=colour, linestyle=style, markersize=3.5
            )
    until = min(report.shortage.until_day, report.ends_day[-1])
    for axes in panels:
        axes.axvspan(report.shortage.from_day / 7, until / 7, color="#888888", alpha=0.15)
    unit = shown_unit(report.treatment.pk.concentration_unit)
    panels[0].set_ylabel(f"level at the end of a cycle ({unit})")
    panels[0].set_ylim(bottom=0)
    legend_above(panels[0])
    if report.target is not None:
        panels[0].axhline(report.target, color=FAINT, linewidth=0.8, dashes=(4, 3))
        panels[1].set_ylabel(f"at or above\n{report.target:g} {unit} (% of patients)")
        panels[1].set_ylim(0, 105)
    panels[-1].set_xlabel("weeks")
    return finished(figure, f"{shortage_text(report)}\nlines: medians; bands: 5th to 95th")


def shortage_text(report: ShortageReport) -> str:
    """What was asked, in words."""
    shortage, treatment = report.shortage, report.treatment
    when = "at each visit" if np.isinf(shortage.until_day) else (
        f"from week {shortage.from_day / 7:g} to {shortage.until_day / 7:g}"
    )  # fmt: skip
    often = "" if shortage.probability == 1 else f" with a probability of {shortage.probability:g}"
    return (
        f"{treatment.pk.name} {treatment.regimen.name} missing {when}{often}, policy "
        f"{shortage.policy}; {patients_text(report)}"
    )
