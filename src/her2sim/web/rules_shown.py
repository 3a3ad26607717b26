"""What rules did to one patient: a timeline of doses, a table, and what would be without them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2sim.protocol.variables import VARIABLES
from her2sim.report.timeline_page import decision_cells
from her2sim.timeline.result import Decided, DrugTimeline, PatientTimeline
from her2sim.units import DAY_PER_WEEK
from her2sim.web.charts import Mark, number
from her2sim.web.stages import is_infused


@dataclass(frozen=True)
class Lane:
    """A drug on the timeline: doses (week, share of the first in %, text), holds, decisions."""

    drug: str
    doses: tuple[tuple[float, float, str], ...]
    holds: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class RulesView:
    """What each rule did (when, to which drug, by which reading, row and source), and the doses.

    ``difference`` says in a sentence what would be without the rules; empty if nothing would.
    ``meanings`` are the readings in words.
    """

    rows: tuple[tuple[str, ...], ...]
    lanes: tuple[Lane, ...]
    difference: str
    meanings: tuple[str, ...] = ()


def rules_view(course: PatientTimeline, off: PatientTimeline | None, weeks: int) -> RulesView:
    """What rules did in a course; ``off`` is the same patient without them, if they acted."""
    lanes = tuple(_lane(course, drug, float(weeks)) for drug in course.drugs)
    difference = "" if off is None else _difference(course, off)
    rows = tuple(decision_cells(course))
    return RulesView(rows, lanes, difference, _meanings(course))


def _meanings(course: PatientTimeline) -> tuple[str, ...]:
    """What the readings behind decisions are, in words, each once."""
    names = dict.fromkeys(d.variable for d in course.decisions if d.variable in VARIABLES)
    return tuple(
        f"{name}: {VARIABLES[name].meaning}"
        + ("" if VARIABLES[name].unit == "1" else f", {VARIABLES[name].unit}")
        for name in names
    )


def _lane(course: PatientTimeline, drug: DrugTimeline, weeks: float) -> Lane:
    first = drug.doses[0].dose_mg if drug.doses else 1.0
    shown = drug.doses if is_infused(drug) else drug.doses[:: max(1, len(drug.doses) // 60)]
    doses = tuple(
        (d.day / DAY_PER_WEEK, 100 * d.dose_mg / first, f"{number(d.dose_mg)} mg, {d.why}")
        for d in shown
    )
    own = [d for d in course.decisions if d.drug == drug.drug]
    holds, begun = [], None
    for decided in own:
        week = decided.day / DAY_PER_WEEK
        if decided.in_words == "hold" and begun is None:
            begun = week
        elif begun is not None and decided.in_words in ("resume", "stop", "end"):
            holds.append((begun, week))
            begun = None
    if begun is not None:
        holds.append((begun, weeks))
    marks = [
        Mark(
            d.day / DAY_PER_WEEK, d.in_words,
            f"week {d.day / DAY_PER_WEEK:.0f}, {d.in_words}: {_read(d)}{d.rule}",
        )
        for d in own
    ]  # fmt: skip
    return Lane(drug.drug, doses, tuple(holds), tuple(marks))


def _read(decided: Decided) -> str:
    if decided.reading is None:
        return ""
    return f"{decided.variable} {decided.reading:.3g}, "


def _difference(with_: PatientTimeline, off: PatientTimeline) -> str:
    given = [sum(drug.given_mg for drug in course.drugs[:1]) for course in (with_, off)]
    lowest = [_lowest(course, "lvef") for course in (with_, off)]
    drug = with_.drugs[0].drug
    differs = round(lowest[0]) != round(lowest[1])
    heart = f"; lowest LVEF {lowest[0]:.0f} against {lowest[1]:.0f} %" if differs else ""
    return (
        f"With the rules {number(given[0])} mg of {drug} in all, without them "
        f"{number(given[1])} mg{heart}."
    )


def _lowest(course: PatientTimeline, test: str) -> float:
    for band in course.body:
        if band.test == test:
            return float(np.nanmin(band.own))
    return 0.0
