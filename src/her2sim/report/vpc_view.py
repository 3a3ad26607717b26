"""A visual predictive check as a table and a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from her2sim.report.canvas import (
    BAND,
    LINE,
    PRINTED,
    SMALL,
    finished,
    legend_above,
    new_canvas,
    shown_unit,
)
from her2sim.report.html import INSIDE
from her2sim.report.tables import number_text
from her2sim.studies.vpc import PERCENTILES, VpcReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.table import Table

TAIL = "#c9c9c9"
ALONE_SPREAD = 0.01
"""Half width of a band of one bin, as a share of the time axis."""


def heading(report: VpcReport) -> str:
    """Table, model and simulated studies."""
    judged = [row for row in report.rows if row.is_inside is not None]
    inside = sum(bool(row.is_inside) for row in judged)
    told = f"; {inside} of {len(judged)} observed percentiles inside the 95 % bands"
    corrected = ", prediction-corrected" if report.is_corrected else ""
    return (
        f"{report.path.name}: visual predictive check of {report.model}{corrected}, "
        f"{report.replicates} simulated studies, seed {report.seed}{told if judged else ''}"
    )


def vpc_table(report: VpcReport) -> Table:
    """Observed and simulated percentiles of each bin."""
    from rich.table import Table

    table = Table(title=f"Percentiles ({report.unit})", title_justify="left")
    after = " after the last dose" if report.against == "after-dose" else ""
    time = f"median time{after} ({report.time_unit})"
    for name in (time, "observations", "percentile", "observed", "simulated", "95 % band", INSIDE):
        table.add_column(name, justify="left" if name == INSIDE else "right")
    for row in report.rows:
        table.add_row(
            number_text(row.time), str(row.n), f"{row.percentile:g}",
            number_text(row.observed), number_text(row.simulated),
            f"{number_text(row.low)} to {number_text(row.high)}",
            {True: "yes", False: "no", None: ""}[row.is_inside],
        )  # fmt: skip
    return table


def vpc_figure(report: VpcReport) -> Figure:
    """Bands of the simulated percentiles, the observed ones as lines, observations as dots."""
    figure, panels = new_canvas(4.8)
    axes = panels[0, 0]
    span = max(float(np.ptp(report.time)), 1e-9)
    for percentile in PERCENTILES:
        rows = [row for row in report.rows if row.percentile == percentile]
        is_middle = percentile == PERCENTILES[1]
        times = np.array([row.time for row in rows])
        low, high = (np.array([getattr(row, name) for row in rows]) for name in ("low", "high"))
        seen = [np.nan if row.observed is None else row.observed for row in rows]
        if times.size == 1:
            times = times + ALONE_SPREAD * np.array([-1.0, 1.0]) * max(span, times[0])
            low, high, seen = np.repeat(low, 2), np.repeat(high, 2), [*seen, *seen]
        name = "median" if is_middle else "5th, 95th percentile"
        label = "" if percentile == PERCENTILES[-1] else name
        axes.fill_between(
            times, low, high, color=BAND if is_middle else TAIL, alpha=0.75, linewidth=0,
            label=f"simulated {label}, 95 % band" if label else "",
        )  # fmt: skip
        if np.isnan(seen).all():
            continue
        axes.plot(
            times, seen, color=LINE if is_middle else PRINTED, linewidth=1.5,
            linestyle="-" if is_middle else "--", label=f"observed {label}" if label else "",
        )  # fmt: skip
    if np.isfinite(report.observed).any():
        axes.plot(
            report.time, report.observed, "o", color="#1c2833", markersize=2.2, alpha=0.45,
            label="observations", zorder=1.5,
        )  # fmt: skip
    after = "time after the last dose" if report.against == "after-dose" else "time"
    axes.set_xlabel(f"{after} ({report.time_unit})", fontsize=SMALL + 1)
    corrected = ", prediction-corrected" if report.is_corrected else ""
    unit = shown_unit(report.unit)
    axes.set_ylabel(f"{report.analyte.replace('_', ' ')} ({unit}){corrected}", fontsize=SMALL + 1)
    axes.set_ylim(bottom=0)
    legend_above(axes, 3)
    return finished(figure, heading(report))
