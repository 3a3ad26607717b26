"""Kaplan-Meier curves of a trial with published points, numbers at risk below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from her2sim.biology.ensemble import FEWEST_MEMBERS
from her2sim.errors import DataError
from her2sim.report.canvas import finished, new_canvas
from her2sim.studies.trial.report import AT_RISK_MONTH, ArmSummary, TrialReport, landmarks_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#1f5fa8", "#c0392b", "#2e8b57", "#8e6c1f", "#6a4c93", "#117a8b", "#b5651d", "#555555")
LEAST_MONTH, LATEST_MONTH = 6.0, 60.0


def curves_of(report: TrialReport) -> list[str]:
    """Endpoints that have curves."""
    return list(report.arms[0].curves) if report.arms else []


def _draw(report: TrialReport) -> Any:
    endpoints = curves_of(report)
    if not endpoints:
        raise DataError(f"{report.trial.id}: no endpoint with a curve, so there is no figure")
    height = 3.4 * len(endpoints) + 0.16 * len(report.arms) * len(endpoints) + 0.8
    figure, panels = new_canvas(height, len(endpoints))
    for axes, endpoint in zip(panels[:, 0], endpoints, strict=True):
        _panel(axes, report, endpoint)
    return figure


def _panel(axes: Axes, report: TrialReport, endpoint: str) -> None:
    ends = [arm.curves[endpoint].month[-1] for arm in report.arms]
    ends += _published_medians(report, endpoint)
    last = min(LATEST_MONTH, max(LEAST_MONTH, 1.05 * max(ends)))
    for colour, arm in zip(COLOURS, report.arms, strict=False):
        curve = arm.curves[endpoint]
        axes.plot(curve.month, curve.survival, color=colour, linewidth=1.4, label=arm.title)
        axes.fill_between(curve.month, curve.low, curve.high, color=colour, alpha=0.15, linewidth=0)
        _published(axes, report, arm, endpoint, colour)
    axes.set_xlim(0, last)
    axes.set_ylim(0, 1.02)
    axes.set_ylabel(f"{endpoint}")
    axes.set_xlabel("months")
    axes.legend(fontsize=7.5, frameon=False, loc="upper right", title_fontsize=7.5)
    _numbers_at_risk(axes, report, endpoint, last)


def _published_medians(report: TrialReport, endpoint: str) -> list[float]:
    """Published medians of an endpoint of whole arms."""
    rows = [r for r in report.endpoints if r.endpoint == endpoint and r.subgroup is None]
    return [r.figure.published for r in rows if r.at_month is None and r.figure.published]


def _published(
    axes: Axes, report: TrialReport, arm: ArmSummary, endpoint: str, colour: str
) -> None:
    """Published points: dots for rates, open squares for medians."""
    for rows in landmarks_of(report.trial, arm.id, endpoint):
        axes.plot(rows.months, rows.survival, "o", color=colour, markersize=4)
    for row in report.endpoints:
        published = row.figure.published
        if row.arm != arm.id or row.endpoint != endpoint or row.subgroup or published is None:
            continue
        if row.at_month is None:
            axes.plot([published], [0.5], "s", markerfacecolor="white", color=colour, markersize=5)
        else:
            axes.plot([row.at_month], [published / 100], "o", color=colour, markersize=4)


def _numbers_at_risk(axes: Axes, report: TrialReport, endpoint: str, last: float) -> None:
    marks = [k for k, month in enumerate(AT_RISK_MONTH) if month <= last]
    axes.set_xticks([AT_RISK_MONTH[k] for k in marks])
    step = 0.075
    for place, (colour, arm) in enumerate(zip(COLOURS, report.arms, strict=False)):
        for k in marks:
            axes.annotate(
                str(int(arm.at_risk[endpoint][k])), (AT_RISK_MONTH[k], 0),
                xycoords=("data", "axes fraction"), xytext=(0, -44 - 110 * step * place),
                textcoords="offset points", fontsize=6.5, color=colour, ha="center",
                annotation_clip=False,
            )  # fmt: skip


def trial_figure(report: TrialReport) -> Figure:
    """The curves as a figure."""
    return finished(_draw(report), _title(report))


def _title(report: TrialReport) -> str:
    is_of_chance = report.run.asked.members < FEWEST_MEMBERS
    band = "95 % band of chance" if is_of_chance else "90 % band of what may be seen"
    return (
        f"{report.trial.id}: predicted (lines, {band}) and published (dots; squares are medians)\n"
        "below: all simulated patients at risk"
    )
