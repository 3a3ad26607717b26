"""Forest plots (hazard ratios, effects of characteristics) and the tornado of a sensitivity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from her2sim.errors import DataError
from her2sim.report.canvas import (
    BAND,
    COLOURS,
    FAINT,
    LINE,
    PRINTED,
    SMALL,
    SMALLEST,
    finished,
    legend_above,
    new_canvas,
    plain_words,
)
from her2sim.report.tables import number_text
from her2sim.studies.covariates import METRICS, RANDOM_EFFECTS, CovariateReport
from her2sim.studies.sensitivity import Moved, SensitivityReport
from her2sim.studies.trial.report import TrialReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_HEIGHT = 0.42
WORDS_WIDTH = 46
SAME_EXPOSURE = (0.8, 1.25)


def _number(value: float | None) -> float:
    """A ratio that can be drawn; NaN for any other."""
    return value if value is not None and math.isfinite(value) and value > 0 else math.nan


def _ratio_axes(axes: Axes, labels: Sequence[str], values: Sequence[float]) -> None:
    """A logarithmic axis with plain numbers, the rows named on the left."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    known = [value for value in values if math.isfinite(value)]
    low, high = min([*known, 0.8]), max([*known, 1.25])
    ticks = [t for t in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1, 1.2, 1.5, 2, 3, 5, 10, 20)
             if low / 1.3 <= t <= high * 1.3]  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(low / 1.15, high * 1.15)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_yticks(range(len(labels)), labels, fontsize=SMALL)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=SMALL)
    axes.axvline(1, color=FAINT, linewidth=0.9)


def hazard_figure(report: TrialReport) -> Figure:
    """Hazard ratios, predicted with their ranges, and published with their intervals.

    Raises
    ------
    DataError
        If the trial compares no arms.
    """
    if not report.ratios:
        raise DataError(f"{report.trial.id}: compares no arms, so there is no forest plot")
    figure, panels = new_canvas(1.6 + ROW_HEIGHT * len(report.ratios))
    axes, labels, values = panels[0, 0], list[str](), list[float]()
    for place, row in enumerate(report.ratios):
        f = row.figure
        of = f", {row.subgroup.replace('_', ' ')}" if row.subgroup else ""
        labels.append(plain_words(f"{row.endpoint}: {row.arm} over {row.versus}{of}", 50))
        marks = (
            (-0.13, "o", LINE, "predicted, 90 % range", (f.predicted, f.low, f.high)),
            (
                0.13, "s", PRINTED, "published, its interval",
                (f.published, f.published_low, f.published_high),
            ),
        )  # fmt: skip
        for shift, marker, colour, label, mark in marks:
            numbers = [_number(value) for value in mark]
            values += numbers
            _point(axes, place + shift, marker, colour, label if place == 0 else "", numbers)
    _ratio_axes(axes, labels, values)
    axes.set_xlabel("hazard ratio (below 1: the first arm is better)", fontsize=SMALL)
    if any(row.figure.published is not None for row in report.ratios):
        legend_above(axes)
    return finished(figure, f"{report.trial.id}: hazard ratios")


def _point(
    axes: Axes, place: float, marker: str, colour: str, label: str, numbers: Sequence[float]
) -> None:
    """A ratio with its range, drawn and written on the right."""
    value, low, high = numbers
    if math.isnan(value):
        return
    axes.plot([low, high], [place, place], color=colour, linewidth=1.6)
    axes.plot(
        [value], [place], marker, color=colour, markersize=6, markeredgecolor="white", label=label
    )
    known = not (math.isnan(low) or math.isnan(high))
    ends = f" ({number_text(low)} to {number_text(high)})" if known else " (no range)"
    axes.annotate(
        f"{number_text(value)}{ends}", (1.0, place), (6, 0), xycoords=("axes fraction", "data"),
        textcoords="offset points", fontsize=SMALLEST, color=colour, va="center",
    )  # fmt: skip


def covariate_figure(report: CovariateReport) -> Figure:
    """Exposure over that of the reference patient, one characteristic at a time."""
    names = list(dict.fromkeys(row.covariate for row in report.rows))
    figure, panels = new_canvas(1.7 + ROW_HEIGHT * len(names), 1, 2, sharey=True)
    for number, metric in enumerate(METRICS):
        axes = panels[0, number]
        axes.axvspan(*SAME_EXPOSURE, color="#e4e9ee", zorder=0)
        values: list[float] = []
        for place, name in enumerate(names):
            rows = [row for row in report.rows if row.covariate == name]
            ratios = [getattr(row, f"{metric}_ratio") for row in rows]
            values += ratios
            is_random = name == RANDOM_EFFECTS
            ends = [*ratios, 1.0]
            axes.plot(
                [min(ends), max(ends)], [place, place], linewidth=6, solid_capstyle="butt",
                color="#b9b9b9" if is_random else BAND,
            )  # fmt: skip
            for row, ratio in zip(rows, ratios, strict=True):
                axes.plot([ratio], [place], "|", color=LINE, markersize=11, markeredgewidth=2)
                text = f"{ratio:.2f}" if is_random else f"{row.told(row.value)}: {ratio:.2f}"
                axes.annotate(
                    text, (ratio, place), (0, 8), textcoords="offset points", ha="center",
                    fontsize=SMALLEST, color="#1c2833",
                )  # fmt: skip
        _ratio_axes(axes, [_label(report, name) for name in names], values)
        axes.set_xlabel(
            f"{metric.upper() if metric == 'auc' else 'trough'} over the reference", fontsize=SMALL
        )
    pk, regimen = report.treatment.pk.name, report.treatment.regimen.name
    return finished(
        figure,
        f"{pk} {regimen}, cycle {report.cycle}: 5th and 95th percentile of {report.population}; "
        "shaded: 0.8 to 1.25",
    )


def _label(report: CovariateReport, name: str) -> str:
    row = next(row for row in report.rows if row.covariate == name)
    if row.reference is None:
        return "random effects\n(5th, 95th)"
    unit = "" if row.unit == "1" else f" {row.unit}"
    return f"{row.title}\n(reference {row.told(row.reference)}{unit})"


def tornado_figure(report: SensitivityReport, top: int = 8) -> Figure:
    """Mean of each outcome with a number in the lowest and in the highest fifth of its range."""
    outcomes = [o for o in report.outcomes if _moving(report, o, top)]
    if not outcomes:
        raise DataError("no number with a range moves an outcome: there is nothing to draw")
    counts = [len(_moving(report, outcome, top)) for outcome in outcomes]
    heights = [0.9 + 0.36 * n for n in counts]
    figure, panels = new_canvas(sum(heights) + 1.0, len(outcomes), height_ratios=heights)
    for axes, outcome in zip(panels[:, 0], outcomes, strict=True):
        rows = _moving(report, outcome, top)
        middle = sum(row.at_low + row.at_high for row in rows) / (2 * len(rows))
        for place, row in enumerate(rows):
            for shift, at, colour, hatch, label in (
                (-0.17, row.at_low, COLOURS[1], "//", "number low"),
                (0.17, row.at_high, COLOURS[0], "", "number high"),
            ):
                axes.barh(
                    place + shift, at - middle, left=middle, height=0.34, color=colour, hatch=hatch,
                    edgecolor="white", linewidth=0.4,
                    label=label if place == 0 else "",
                )  # fmt: skip
        labels = [fill(f"{row.meaning} ({row.status})", WORDS_WIDTH) for row in rows]
        axes.set_yticks(range(len(rows)), labels, fontsize=SMALLEST)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", labelsize=SMALL)
        axes.axvline(middle, color=FAINT, linewidth=0.9)
        axes.set_xlabel(f"mean {outcome}", fontsize=SMALL)
    legend_above(panels[0, 0])
    return finished(
        figure,
        f"{report.combination.title}, {report.weeks} weeks: what uncertain numbers move\n"
        "mean outcome with the number in the lowest and in the highest fifth of its range",
    )


def _moving(report: SensitivityReport, outcome: str, top: int) -> list[Moved]:
    """Numbers that move an outcome, the most important first."""
    return [row for row in report.rows if row.outcome == outcome and row.total > 0.01][:top]
