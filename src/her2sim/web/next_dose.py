"""The next dose of each drug of one patient: when, how much, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from her2sim.pk.treatment import Treatment
from her2sim.regimens.dose import MINUTES_PER_DAY
from her2sim.report.rule_words import in_words, reading_text
from her2sim.timeline.result import (
    Decided,
    DrugTimeline,
    GivenDose,
    PatientTimeline,
    holds_of,
)
from her2sim.units import DAY_PER_WEEK
from her2sim.virtual_patient.treat import PROGRESSION
from her2sim.web.charts import number

AHEAD_WEEKS = 26
"""How far the next dose is looked for."""


@dataclass(frozen=True)
class NextDose:
    """What comes next of a drug: the week in which it is given, or None, and in words."""

    week: float | None
    text: str
    is_held: bool = False
    is_ended: bool = False


def is_infused(drug: DrugTimeline) -> bool:
    """Whether a drug is given by infusion or injection: its doses are shown one by one."""
    return all(dose.route != "oral" for dose in drug.doses)


def next_doses(
    course: PatientTimeline,
    later: PatientTimeline | None,
    treatments: tuple[Treatment, ...],
    weeks: float,
) -> Iterator[NextDose]:
    """The next dose of each drug after the last week.

    Parameters
    ----------
    course : of the patient until then
    later : the same patient further on, if that was simulated; else doses come as planned
    treatments : with the schedules of the drugs
    weeks : the last week
    """
    for drug, treatment in zip(course.drugs, treatments, strict=True):
        yield _next(course, later, drug, treatment, weeks)


def _next(
    course: PatientTimeline,
    later: PatientTimeline | None,
    drug: DrugTimeline,
    treatment: Treatment,
    weeks: float,
) -> NextDose:
    if drug.stopped_day is not None:
        week = drug.stopped_day / DAY_PER_WEEK
        text = f"{drug.drug}: ended in week {week:.0f}, {_why_ended(course, drug)}"
        return NextDose(None, text, is_ended=True)
    held = _held(course, drug)
    after = None if later is None else _after(later, drug)
    if held is not None:
        text = f"{drug.drug}: on hold since week {held.day / DAY_PER_WEEK:.0f}"
        reading = reading_text(held.variable, held.reading)
        text += f", {reading}" if reading else ""
        if after is not None:
            text += f"; goes on in week {_week(after):.0f} with {number(after.dose_mg)} mg"
        return NextDose(None, text, is_held=True)
    given = f", {len(drug.doses)} given so far" if is_infused(drug) else ""
    if after is not None:
        why = f" ({after.why})" if after.why == "reload" else ""
        return NextDose(_week(after), f"{drug.drug} {number(after.dose_mg)} mg{why}{given}")
    day = _planned_day(treatment, weeks)
    if day is None:
        missed = sum(len(phase.missed) for phase in treatment.regimen.phases)
        but = f", {missed} missed" if missed else ""
        return NextDose(None, f"{drug.drug}: none is planned any more{given}{but}")
    week = day / DAY_PER_WEEK
    if later is None and drug.doses:
        mg = drug.doses[-1].dose_mg
        return NextDose(week, f"{drug.drug} {number(mg)} mg{given}")
    if later is None:
        return NextDose(week, f"{drug.drug}: planned")
    return NextDose(None, f"{drug.drug}: planned for week {week:.0f}, but {_why_not(later, drug)}")


def _why_ended(course: PatientTimeline, drug: DrugTimeline) -> str:
    """Why a drug was stopped: by progression, or the condition of the rule."""
    if drug.stopped_by == PROGRESSION.id:
        return "progression"
    own = (d for d in course.decisions if d.drug == drug.drug and d.in_words == "stop")
    stopped = next(own, None)
    return (drug.stopped_by or "") if stopped is None else in_words(stopped.condition)


def _why_not(later: PatientTimeline, drug: DrugTimeline) -> str:
    """Why a planned dose is not given in the simulation further on."""
    same = next(one for one in later.drugs if one.drug == drug.drug)
    if same.stopped_day is not None:
        return f"it ends in week {same.stopped_day / DAY_PER_WEEK:.0f}, {_why_ended(later, same)}"
    return "it is on hold then" if _held(later, same) is not None else "it is not given then"


def _held(course: PatientTimeline, drug: DrugTimeline) -> Decided | None:
    """The decision that began a hold which is not over."""
    holds = holds_of(course.decisions, drug.drug)
    return holds[-1].begun if holds and holds[-1].end_day is None else None


def _after(later: PatientTimeline, drug: DrugTimeline) -> GivenDose | None:
    """The first dose further on that was not given yet."""
    same = next(one for one in later.drugs if one.drug == drug.drug)
    return same.doses[len(drug.doses)] if len(same.doses) > len(drug.doses) else None


def _week(dose: GivenDose) -> float:
    return dose.day / DAY_PER_WEEK


def _planned_day(treatment: Treatment, weeks: float) -> float | None:
    """Day of the first planned dose from the last week on."""
    now = weeks * DAY_PER_WEEK * MINUTES_PER_DAY
    end = round(now + AHEAD_WEEKS * DAY_PER_WEEK * MINUTES_PER_DAY)
    times = [t for phase in treatment.regimen.phases for t in phase.times_min(end) if t >= now]
    return min(times) / MINUTES_PER_DAY if times else None
