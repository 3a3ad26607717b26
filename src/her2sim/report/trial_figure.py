"""Kaplan-Meier curves of a trial with published points; at risk, events and censored below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from her2sim.biology.ensemble import FEWEST_MEMBERS
from her2sim.errors import DataError
from her2sim.report.canvas import (
    COLOURS,
    FAINT,
    MARKERS,
    SMALL,
    SMALLEST,
    STYLES,
    finished,
    legend_above,
    new_canvas,
    plain_words,
)
from her2sim.studies.trial.report import AT_RISK_MONTH, ArmSummary, TrialReport, landmarks_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAST_MONTH = 6.0
LATEST_MONTH, LATEST_EARLY_MONTH = 60.0, 120.0
CURVE_HEIGHT, ROW_HEIGHT = 3.3, 0.19
MARKER_SIZE = 6.0


def curves_of(report: TrialReport) -> list[str]:
    """Endpoints that have curves."""
    return list(report.arms[0].curves) if report.arms else []


def _draw(report: TrialReport) -> Any:
    endpoints = curves_of(report)
    if not endpoints:
        raise DataError(f"{report.trial.id}: no endpoint with a curve, so there is no figure")
    last = _last_month(report)
    counts = ROW_HEIGHT * (2 * len(report.arms) + 3)
    heights = [CURVE_HEIGHT, counts] * len(endpoints)
    legend = 0.2 * (len(report.arms) + 2)
    figure, panels = new_canvas(sum(heights) + legend + 0.9, len(heights), height_ratios=heights)
    for number, endpoint in enumerate(endpoints):
        curve_axes, count_axes = panels[2 * number, 0], panels[2 * number + 1, 0]
        _curves(curve_axes, report, endpoint, last)
        _counts(count_axes, report, endpoint, last)
    _legend(panels[0, 0], report)
    return figure


def _last_month(report: TrialReport) -> float:
    """The end of the time axis: the same for every endpoint and what stands below."""
    ends = [curve.month[-1] for arm in report.arms for curve in arm.curves.values()]
    ends += [
        r.figure.published
        for r in report.endpoints
        if r.endpoint in curves_of(report) and r.at_month is None and r.figure.published
        and r.subgroup is None
    ]  # fmt: skip
    latest = LATEST_EARLY_MONTH if report.trial.setting == "early" else LATEST_MONTH
    return float(min(latest, max(LEAST_MONTH, 1.05 * max(ends))))


def _ticks(last: float) -> list[int]:
    """Places in ``AT_RISK_MONTH`` on an axis that ends at ``last``: half-years, or years."""
    each = 1 if last <= LATEST_MONTH else 2
    return [k for k, at in enumerate(AT_RISK_MONTH) if at <= last and k % each == 0]


def _curves(axes: Axes, report: TrialReport, endpoint: str, last: float) -> None:
    for place, arm in enumerate(report.arms):
        curve, colour = arm.curves[endpoint], _of(COLOURS, place)
        axes.plot(
            curve.month, curve.survival, color=colour, linewidth=1.6, linestyle=_of(STYLES, place),
            drawstyle="steps-post",
        )  # fmt: skip
        axes.fill_between(
            curve.month, curve.low, curve.high, color=colour, alpha=0.16, linewidth=0, step="post"
        )
        _published(axes, report, arm, endpoint, place)
    axes.set_xlim(0, last)
    axes.set_ylim(0, 1.03)
    axes.set_ylabel(f"{endpoint}, share of patients", fontsize=SMALL + 1)
    axes.set_xticks([AT_RISK_MONTH[k] for k in _ticks(last)])
    axes.set_xlabel("months", fontsize=SMALL + 1)
    axes.tick_params(labelsize=SMALL)


def _of(kinds: Any, place: int) -> Any:
    return kinds[place % len(kinds)]


def _published(axes: Axes, report: TrialReport, arm: ArmSummary, endpoint: str, place: int) -> None:
    """Published points of an arm: filled for rates, open for medians; one shape for each arm."""
    marker, colour = _of(MARKERS, place), _of(COLOURS, place)
    size = MARKER_SIZE + 2.0 * place  # under those of the arms before, and seen around them
    rate = {"markerfacecolor": colour, "markeredgecolor": "white"}
    median = {"markerfacecolor": "white", "markeredgecolor": colour, "markeredgewidth": 1.6}

    def point(month: float, share: float, how: dict[str, Any]) -> None:
        axes.plot(
            [month], [share], marker, markersize=size, zorder=5 - 0.1 * place, clip_on=False, **how
        )

    for rows in landmarks_of(report.trial, arm.id, endpoint):
        for month, share in zip(rows.months, rows.survival, strict=True):
            point(month, share, rate)
    for row in report.endpoints:
        published = row.figure.published
        if row.arm != arm.id or row.endpoint != endpoint or row.subgroup or published is None:
            continue
        if row.at_month is None:
            point(published, 0.5, median)
        else:
            point(row.at_month, published / 100, rate)


def has_published(report: TrialReport) -> bool:
    """Whether any curve has a published point beside it."""
    curves = set(curves_of(report))
    return any(
        row.figure.published is not None and row.endpoint in curves for row in report.endpoints
    ) or any(row.endpoint in curves for row in report.trial.landmarks)


def _legend(axes: Axes, report: TrialReport) -> None:
    """Arms, and what the points are; above the first panel."""
    from matplotlib.lines import Line2D

    shown = has_published(report)
    handles = [
        Line2D(
            [],
            [],
            color=_of(COLOURS, place),
            linestyle=_of(STYLES, place),
            linewidth=1.6,
            marker=_of(MARKERS, place) if shown else None,
            markersize=MARKER_SIZE,
            markeredgecolor="white",
        )
        for place in range(len(report.arms))
    ]
    labels = [plain_words(arm.title) for arm in report.arms]
    if shown:
        plain: dict[str, Any] = {"linestyle": "none", "color": FAINT, "marker": "o"}
        handles += [
            Line2D([], [], markeredgecolor="white", markersize=MARKER_SIZE, **plain),
            Line2D([], [], markerfacecolor="white", markersize=5, markeredgewidth=1.6, **plain),
        ]
        labels += ["filled: published rate", "open: published median"]
    legend_above(axes, 1 if len(report.arms) > 2 else 2, handles=handles, labels=labels)


def _counts(axes: Axes, report: TrialReport, endpoint: str, last: float) -> None:
    """Numbers at risk, and events (censored), of each arm on the same time axis."""
    places = _ticks(last)
    n_arms, row = len(report.arms), 0
    axes.set_xlim(0, last)
    axes.set_ylim(2 * n_arms + 2.0, -0.5)
    axes.axis("off")
    for heading in ("at risk, of all simulated", "events before (censored)"):
        axes.annotate(
            heading, (0, row), (-62, 0), xycoords="data", textcoords="offset points",
            fontsize=SMALLEST, color=FAINT, va="center", annotation_clip=False,
        )  # fmt: skip
        row += 1
        for place, arm in enumerate(report.arms):
            style = {"fontsize": SMALLEST, "color": _of(COLOURS, place), "va": "center"}
            axes.annotate(
                plain_words(arm.id, 13), (0, row), (-62, 0), textcoords="offset points",
                annotation_clip=False, **style,
            )  # fmt: skip
            for k in places:
                text = f"{arm.at_risk[endpoint][k]}"
                if heading.startswith("events"):
                    text = f"{arm.events[endpoint][k]} ({arm.censored(endpoint)[k]})"
                axes.text(AT_RISK_MONTH[k], row, text, ha="center", **style)
            row += 1


def trial_figure(report: TrialReport) -> Figure:
    """The curves as a figure."""
    return finished(_draw(report), _title(report))


def _title(report: TrialReport) -> str:
    is_of_chance = report.run.asked.members < FEWEST_MEMBERS
    band = "95 % band of chance alone" if is_of_chance else "90 % band of what may be seen"
    beside = " and published (points)" if has_published(report) else ""
    return f"{report.trial.id}: predicted (lines: numbers that fit best, {band}){beside}"
