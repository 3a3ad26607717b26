"""The share of patients below a concentration against time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from her2sim.report.canvas import LINE, PRINTED, finished, new_canvas, shown_unit
from her2sim.studies.washout import QUANTILES, WashoutReport
from her2sim.units import DAY_PER_WEEK

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def washout_figure(report: WashoutReport) -> Figure:
    """Write the share below the level against the weeks since the last dose."""
    figure, panels = new_canvas(3.8)
    axes = panels[0, 0]
    axes.plot(report.time_day / DAY_PER_WEEK, 100 * report.share_below, color=LINE)
    for name in ("median", "p95"):
        week = report.quantile_day(name) / DAY_PER_WEEK
        if not np.isfinite(week):
            continue
        share = 100 * QUANTILES[name]
        axes.plot([week, week, 0], [0, share, share], color=PRINTED, linewidth=0.8, dashes=(4, 3))
        axes.annotate(
            f"{share:.0f} % after {week:.1f} weeks", (week, share), (6, -12),
            textcoords="offset points", fontsize=8, color=PRINTED,
        )  # fmt: skip
    shown = shown_unit(report.unit)
    axes.set_title(
        f"{report.treatment.pk.name} {report.treatment.regimen.name}, {report.population}, "
        f"{report.patients} patients, after {report.cycles} cycles",
        fontsize=10, loc="left",
    )  # fmt: skip
    axes.set_xlabel("weeks since the last dose")
    axes.set_ylabel(f"patients below {report.level:g} {shown} (%)")
    axes.set_ylim(0, 105)
    axes.set_xlim(0, report.time_day[-1] / DAY_PER_WEEK)
    return finished(figure)
