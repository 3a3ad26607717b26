"""Figures: concentration bands with the published values on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from her2sim.report.canvas import (
    BAND,
    LINE,
    PRINTED,
    finished,
    legend_above,
    new_canvas,
    shown_unit,
)
from her2sim.studies.bands import Bands
from her2sim.studies.exposure import STEADY_STATE, ExposureReport, PublishedComparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DAYS_SHOWN_AS_DAYS = 42
MARKERS = {"cmin": "v", "cmax": "^"}


def draw_bands(
    axes: Axes,
    bands: Bands,
    published: Sequence[PublishedComparison] = (),
    steady: int = 1,
    cycle_day: float = 1.0,
) -> None:
    """Draw bands, and published troughs and peaks where they belong in time."""
    unit_day, unit = (7, "weeks") if bands.time_day[-1] > DAYS_SHOWN_AS_DAYS else (1, "days")
    times = bands.time_day / unit_day
    axes.fill_between(
        times,
        bands.p5,
        bands.p95,
        color=BAND,
        alpha=0.5,
        linewidth=0,
        label="predicted, 5th to 95th percentile",
    )
    axes.plot(times, bands.median, color=LINE, linewidth=1.2, label="predicted median")
    shown: set[str] = set()
    for row in published:
        if row.metric not in MARKERS or row.statistic in ("p5", "p95"):
            continue
        number = steady if row.cycle == STEADY_STATE else int(row.cycle)
        at_day = number * cycle_day
        if row.metric == "cmax":
            at_day = peak_day(bands, at_day - cycle_day, at_day)
        if at_day > bands.time_day[-1]:
            continue
        low = row.value if row.low is None else row.low
        high = row.value if row.high is None else row.high
        what = f"published {'trough' if row.metric == 'cmin' else 'peak'}"
        label = f"{what}, {row.statistic.replace('_', ' ')} (5th to 95th)" if row.low else what
        axes.errorbar(
            at_day / unit_day,
            row.value,
            yerr=[[row.value - low], [high - row.value]],
            fmt=MARKERS[row.metric],
            color=PRINTED,
            markersize=5,
            capsize=3,
            linewidth=1,
            label=label if what not in shown else None,
        )
        shown.add(what)
    axes.set_title(bands.title, fontsize=10, loc="left")
    axes.set_xlabel(unit)
    axes.set_ylabel(f"concentration ({shown_unit(bands.unit)})")
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=-0.015 * times[-1])


def peak_day(bands: Bands, from_day: float, until_day: float) -> float:
    """When the median peaks in a cycle: the end of an infusion, days after an injection."""
    inside = (bands.time_day >= from_day) & (bands.time_day < until_day)
    if not inside.any():
        return from_day
    return float(bands.time_day[inside][np.argmax(bands.median[inside])])


def bands_figure(panels: Sequence[tuple[ExposureReport | None, Bands]], title: str = "") -> Figure:
    """A figure with one panel for each bands.

    Published values of the report beside it, if there is one, are drawn on them.
    """
    figure, found = new_canvas(3.1 * len(panels) + 0.9, len(panels))
    for axes, (report, bands) in zip(found[:, 0], panels, strict=True):
        if report is None:
            draw_bands(axes, bands)
        else:
            cycle_day = report.treatment.regimen.cycle_day
            own = report.treatment.drug.analyte
            rows = [row for row in report.published if row.analyte == own]
            draw_bands(axes, bands, rows, report.steady_state_cycle, cycle_day)
        legend_above(axes)
    return finished(figure, title, size=11)
