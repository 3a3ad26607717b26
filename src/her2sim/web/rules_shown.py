"""What rules did to one patient: a timeline of doses, a table, and what would be without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array
from her2sim.report.rule_words import reading_text
from her2sim.report.timeline_page import decision_cells
from her2sim.timeline.result import (
    Decided,
    DrugTimeline,
    PatientTimeline,
    holds_of,
    progressed_day,
)
from her2sim.units import DAY_PER_WEEK
from her2sim.virtual_patient.treat import PROGRESSION
from her2sim.web.charts import Mark, number
from her2sim.web.next_dose import is_infused

SAME_SHARE = 0.005
"""Amounts that differ by less are told as the same."""


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

    ``difference`` says in a sentence what the rules change; empty where they never act.
    """

    rows: tuple[tuple[str, ...], ...]
    lanes: tuple[Lane, ...]
    difference: str


def rules_view(course: PatientTimeline, other: PatientTimeline | None, weeks: int) -> RulesView:
    """What rules did in a course; ``other`` is the same patient with them off, or on."""
    lanes = tuple(_lane(course, drug, float(weeks)) for drug in course.drugs)
    rows = tuple(decision_cells(course))
    return RulesView(rows, lanes, "" if other is None else difference_text(course, other))


def _lane(course: PatientTimeline, drug: DrugTimeline, weeks: float) -> Lane:
    first = drug.doses[0].dose_mg if drug.doses else 1.0
    shown = drug.doses if is_infused(drug) else drug.doses[:: max(1, len(drug.doses) // 60)]
    doses = tuple(
        (d.day / DAY_PER_WEEK, 100 * d.dose_mg / first, f"{number(d.dose_mg)} mg, {d.why}")
        for d in shown
    )
    own = [d for d in course.decisions if d.drug == drug.drug]
    holds = [
        (hold.begun.day / DAY_PER_WEEK,
         weeks if hold.end_day is None else hold.end_day / DAY_PER_WEEK)
        for hold in holds_of(course.decisions, drug.drug)
    ]  # fmt: skip
    marks = [
        Mark(
            d.day / DAY_PER_WEEK, d.in_words,
            f"week {d.day / DAY_PER_WEEK:.0f}, {d.in_words}: {_read(d)}{d.rule}",
        )
        for d in own
    ]  # fmt: skip
    return Lane(drug.drug, doses, tuple(holds), tuple(marks))


def _read(decided: Decided) -> str:
    text = reading_text(decided.variable, decided.reading)
    return f"{text}, " if text else ""


def difference_text(course: PatientTimeline, other: PatientTimeline) -> str:
    """What the rules change of one patient, in a sentence: ``other`` is with them off, or on."""
    with_, without = (course, other) if acted(course) else (other, course)
    told = [
        f"{number(on.given_mg)} mg of {on.drug} against {number(off.given_mg)}"
        for on, off in zip(with_.drugs, without.drugs, strict=True)
        if abs(on.given_mg - off.given_mg) > SAME_SHARE * off.given_mg
    ]
    for name, test, pick in (("lowest LVEF", "lvef", np.nanmin), ("lowest neutrophils",
                             "neutrophils", np.nanmin), ("sum of diameters at the end",
                             "progression", _last)):  # fmt: skip
        on, off = (_picked(one, test, pick) for one in (with_, without))
        if on is not None and off is not None and number(on[0]) != number(off[0]):
            told.append(f"{name} {number(on[0])} {on[1]} against {number(off[0])}")
    seen = [progressed_day(one.readings) for one in (with_, without)]
    if seen[0] != seen[1]:
        told.append(f"progression {_seen(seen[0])} against {_seen(seen[1])}")
    if not told:
        return "With the rules and without them it comes to the same."
    return f"With the rules against without them: {'; '.join(told)}."


def acted(course: PatientTimeline) -> bool:
    """Whether rules of labels did something."""
    return any(decided.rule != PROGRESSION.id for decided in course.decisions)


def _seen(day: float) -> str:
    return f"in week {day / DAY_PER_WEEK:.0f}" if np.isfinite(day) else "none"


def _last(values: Array) -> float:
    return float(values[-1])


def _picked(
    course: PatientTimeline, test: str, pick: Callable[[Array], float]
) -> tuple[float, str] | None:
    """A figure of what is measured, with its unit."""
    found = next((band for band in course.body if band.test == test), None)
    return None if found is None else (float(pick(found.own)), found.unit)
