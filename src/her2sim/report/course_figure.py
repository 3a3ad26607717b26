"""One patient's course as a figure: levels, body, readings with the rules' limits, decisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from her2sim.biology.heart import heart_facts
from her2sim.protocol.variables import VARIABLES
from her2sim.report.canvas import (
    BAND,
    COLOURS,
    FAINT,
    LINE,
    PRINTED,
    SMALL,
    SMALLEST,
    WIDTH,
    finished,
    legend_above,
    new_canvas,
    shown_unit,
)
from her2sim.report.rule_limits import LVEF_SHOWN, draw_limits, rule_limits, show_lvef
from her2sim.timeline.result import BodyBand, Decided, DrugTimeline, Line, PatientTimeline
from her2sim.units import DAY_PER_WEEK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_HEIGHT, READING_HEIGHT, DECISION_ROW = 2.1, 1.6, 0.34
MARKS: dict[str, tuple[str, str]] = {
    "hold": ("v", COLOURS[1]),
    "resume": ("^", COLOURS[2]),
    "reduce": ("D", COLOURS[5]),
    "stop": ("X", COLOURS[3]),
    "end": ("s", FAINT),
}
"""Marker and colour of a decision; others are dots."""
HELD = "#f0d5c4"


def course_figure(course: PatientTimeline, width: float = WIDTH) -> Figure:
    """The figure with its title; ``width`` in inches, as for a telephone."""
    return finished(_draw(course, width), heading(course))


def heading(course: PatientTimeline) -> str:
    """The lines of treatment, one after the other."""
    return "; then ".join(line.title for line in course.lines)


def _draw(course: PatientTimeline, width: float) -> Any:
    drugs = [drug for drug in course.drugs if drug.doses]
    shown = {band.test for band in course.body}
    tests = [t for t in course.readings.records if t != "progression" and t not in shown]
    tests = [test for test in tests if course.readings.records[test][2].any()]
    decided = list(dict.fromkeys(decision.drug for decision in course.decisions))
    heights = [PANEL_HEIGHT] * (len(drugs) + len(course.body)) + [READING_HEIGHT] * len(tests)
    if decided:
        heights.append(0.7 + DECISION_ROW * len(decided))
    figure, panels = new_canvas(
        sum(heights) + 1.1, len(heights), width=width, sharex=True, height_ratios=heights
    )
    rest = list(panels[:, 0])
    for drug in drugs:
        _draw_drug(rest.pop(0), drug, course)
    for band in course.body:
        _draw_body(rest.pop(0), band, course)
    for test in tests:
        _draw_reading(rest.pop(0), test, course)
    if decided:
        _draw_decisions(rest.pop(0), decided, course)
    for axes in panels[:, 0]:
        axes.tick_params(labelsize=SMALL)
        for line in course.lines[1:]:
            axes.axvline(line.start_day / DAY_PER_WEEK, color="#999999", linewidth=0.8)
    panels[-1, 0].set_xlabel("weeks", fontsize=SMALL + 1)
    panels[-1, 0].set_xlim(left=0, right=1.02 * course.lines[-1].end_day / DAY_PER_WEEK)
    if drugs:
        _legend(panels[0, 0], course, 4 if width >= WIDTH else 2)
    return figure


def _legend(axes: Axes, course: PatientTimeline, columns: int) -> None:
    """What lines, bands and marks are; above the first panel."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], color=LINE, label="median of patients like this one"),
        Patch(facecolor=BAND, alpha=0.5, label="5th to 95th percentile"),
        Line2D([], [], color=LINE, linestyle="none", marker="|", markersize=8, label="dose"),
    ]
    if any(d.decision == "hold" for d in course.decisions):
        handles.append(Patch(facecolor=HELD, label="held"))
    if any(drug.is_stopped_by_event for drug in course.drugs):
        handles.append(Line2D([], [], color=PRINTED, linewidth=1.4, label="stopped by a rule"))
    if course.body:
        handles.append(Line2D([], [], color="#000000", linestyle="--", label="simulated patient"))
    if course.readings.records:
        handles.append(
            Line2D([], [], color=PRINTED, linestyle="none", marker="o", markersize=4,
                   label="reading")
        )  # fmt: skip
    handles.append(Line2D([], [], color=FAINT, linestyle=":", label="limit of a rule"))
    legend_above(axes, columns, handles=handles)


def _draw_drug(axes: Axes, drug: DrugTimeline, course: PatientTimeline) -> None:
    weeks = drug.time_day / DAY_PER_WEEK
    axes.fill_between(weeks, drug.p5, drug.p95, color=BAND, alpha=0.5, linewidth=0)
    axes.plot(weeks, drug.median, color=LINE, linewidth=1.1)
    days = np.array([dose.day for dose in drug.doses]) / DAY_PER_WEEK
    axes.plot(days, np.zeros(days.size), "|", color=LINE, markersize=8, clip_on=False)
    line = course.lines[drug.line - 1]
    for first, last in holds_of(course.decisions, drug, line):
        axes.axvspan(first / DAY_PER_WEEK, last / DAY_PER_WEEK, color=HELD, zorder=0)
    end, words = _end(drug, line)
    if end is not None:
        colour = PRINTED if drug.is_stopped_by_event else FAINT
        axes.axvline(end / DAY_PER_WEEK, color=colour, linewidth=1.2)
        axes.annotate(
            words, (end / DAY_PER_WEEK, 1.0), (3, -3), xycoords=("data", "axes fraction"),
            textcoords="offset points", fontsize=SMALLEST, color=colour, va="top",
        )  # fmt: skip
    axes.set_title(f"{drug.drug}, {drug.title}", fontsize=SMALL + 0.5, loc="left")
    axes.set_ylabel(shown_unit(drug.unit), fontsize=SMALL)
    axes.set_ylim(bottom=0)


def _end(drug: DrugTimeline, line: Line) -> tuple[float | None, str]:
    """Day on which a drug ended before the course did, and why."""
    if drug.is_stopped_by_event:
        return drug.stopped_day, "stopped"
    if drug.stopped_day is not None:
        return drug.stopped_day, "ended: progression"
    if len(drug.doses) >= drug.n_planned > 0 and drug.doses[-1].day < line.end_day - 30:
        return drug.doses[-1].day, "ended as planned"
    return None, ""


def _draw_body(axes: Axes, band: BodyBand, course: PatientTimeline) -> None:
    """Band of patients like this one, the simulated one dashed, and what was measured."""
    weeks = band.time_day / DAY_PER_WEEK
    axes.fill_between(weeks, band.p5, band.p95, color=BAND, alpha=0.5, linewidth=0)
    axes.plot(weeks, band.median, color=LINE, linewidth=1.1)
    axes.plot(weeks, band.own, color="#000000", linewidth=0.9, linestyle="--")
    title = band.title
    if band.test != "progression" and band.test in course.readings.records:
        _, days, values = course.readings.records[band.test]
        error = None
        if band.test == "lvef":
            error = heart_facts().parameter["scan_echo"].value
            title += f" (bars: SD of an echocardiography, {error:.3g} points)"
        axes.errorbar(
            days / DAY_PER_WEEK, values, yerr=error, fmt="o", color=PRINTED, markersize=3.5,
            elinewidth=0.7,
        )  # fmt: skip
    axes.set_title(title, fontsize=SMALL + 0.5, loc="left")
    axes.set_ylabel(band.unit, fontsize=SMALL)
    if band.test != "lvef":
        axes.set_ylim(bottom=0)
    if band.test in VARIABLES:
        _draw_limits(axes, band.test, course)


def _draw_limits(axes: Axes, test: str, course: PatientTimeline) -> None:
    """The limits at which a rule holds or stops a drug of the course."""
    _, _, values = course.readings.records.get(test, (None, None, np.empty(0)))
    if test == "lvef":
        low, high = (values.min(), values.max()) if values.size else LVEF_SHOWN
        show_lvef(axes, float(low), float(high))
    first = float(values[0]) if values.size else None
    drugs = [drug.drug for drug in course.drugs]
    draw_limits(axes, rule_limits(drugs, course.region, course.patient.setting, test, first))


def holds_of(
    decisions: Sequence[Decided], drug: DrugTimeline, line: Line
) -> Iterator[tuple[float, float]]:
    """Days from which to which a rule held a drug, or a partner that takes it along; each once."""
    shown: set[tuple[float, float]] = set()
    for held in (drug.drug, *drug.held_with):
        own = [d for d in decisions if d.drug == held and line.start_day <= d.day < line.end_day]
        for decided in (d for d in own if d.decision == "hold"):
            later = [d for d in own if d.day > decided.day and d.decision != "hold"]
            ends = [d.day for d in later if d.rule == decided.rule or d.decision == "stop"]
            held_days = (decided.day, min(ends, default=line.end_day))
            if held_days not in shown:
                shown.add(held_days)
                yield held_days


def _draw_reading(axes: Axes, test: str, course: PatientTimeline) -> None:
    _, days, values = course.readings.records[test]
    shown = days <= course.lines[-1].end_day
    axes.plot(
        days[shown] / DAY_PER_WEEK,
        values[shown],
        "o-",
        color=PRINTED,
        markersize=4,
        linewidth=0.9,
        clip_on=False,
    )
    variable = VARIABLES[test]
    axes.set_title(variable.meaning, fontsize=SMALL + 0.5, loc="left")
    axes.set_ylabel("grade" if variable.unit == "1" else variable.unit, fontsize=SMALL)
    if variable.unit == "1":
        axes.set_ylim(-0.2, max(4.0, values[shown].max(initial=0.0)) + 0.4)
    _draw_limits(axes, test, course)


def _draw_decisions(axes: Axes, drugs: Sequence[str], course: PatientTimeline) -> None:
    """What rules did, on the time axis: one row a drug, numbered as in the table."""
    for number, decided in enumerate(course.decisions, start=1):
        marker, colour = MARKS.get(decided.in_words, ("o", FAINT))
        week, row = decided.day / DAY_PER_WEEK, drugs.index(decided.drug)
        axes.plot([week], [row], marker, color=colour, markersize=6, clip_on=False)
        axes.annotate(
            str(number), (week, row), (0, 5), textcoords="offset points", fontsize=6.5,
            ha="center", color=colour, annotation_clip=False,
        )  # fmt: skip
    axes.set_yticks(range(len(drugs)), [_cut(drug) for drug in drugs], fontsize=SMALLEST)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(drugs) - 0.4, -0.8)
    kinds = list(dict.fromkeys(d.in_words for d in course.decisions))
    axes.set_title("decisions of the rules, numbered", fontsize=SMALL + 0.5, loc="left")
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=MARKS.get(kind, ("o", FAINT))[0],
            color=MARKS.get(kind, ("o", FAINT))[1],
            label=kind,
        )
        for kind in kinds
    ]
    legend_above(axes, 5, handles=handles)


def _cut(name: str, most: int = 22) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}."
