"""The course of one patient through one or two regimens."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from her2sim.api.arguments import Weeks, checked
from her2sim.api.patients import patient_of
from her2sim.api.result import Result, plain, seed_or_drawn, typed_frame
from her2sim.api.sources import patient_facts, sources_frame
from her2sim.patients.patient import Patient
from her2sim.protocol.label import Region

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.protocol.readings import TableReadings
    from her2sim.timeline.result import PatientTimeline

PROGRESSION = "progression"


@dataclass(frozen=True, eq=False, repr=False)
class Course(Result):
    """Doses, concentrations and decisions of one patient under the rules of the labels."""

    timeline: PatientTimeline

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the course."""
        outlook = self.timeline.outlook
        return (*self.timeline.notes, *(() if outlook is None else outlook.notes))

    def heading(self) -> str:
        """Each line of treatment, and whether it is labelled."""
        from her2sim.report.timeline_page import line_texts

        return "\n".join(line_texts(self.timeline))

    def tables(self) -> tuple[Table, ...]:
        """Drugs, doses and decisions."""
        from her2sim.report.protocol_tables import timeline_tables

        return timeline_tables(self.timeline)

    def frame(self) -> pl.DataFrame:
        """One row a dose."""
        from her2sim.timeline.result import GivenDose

        given = [(drug.drug, dose) for drug in self.timeline.drugs for dose in drug.doses]
        first = {"drug": [drug for drug, _ in given]}
        found = typed_frame(GivenDose, [dose for _, dose in given], first)
        return found.sort("day", maintain_order=True)

    def decisions(self) -> pl.DataFrame:
        """One row a decision of a rule, with the reading behind it."""
        from her2sim.timeline.result import Decided

        return typed_frame(Decided, self.timeline.decisions)

    def plot(self) -> Figure:
        """Concentrations with doses, holds and stops; readings below."""
        from her2sim.report.course_figure import course_figure

        return course_figure(self.timeline)

    def sources(self) -> pl.DataFrame:
        """Sources of the drugs, the labels, and the models of tumour and organs."""
        from her2sim.pk.combination import load_combination

        treatments = {
            treatment.drug.id: treatment
            for line in self.timeline.lines
            for treatment in load_combination(line.regimen).treatments
        }
        facts = [*patient_facts(treatments.values(), self.timeline.region)]
        if self.timeline.outlook is not None:
            from her2sim.biology.early_disease import early_facts

            facts.append(("early disease", early_facts()))
        return sources_frame(facts)

    def as_dict(self) -> dict[str, Any]:
        """The course as plain data, for JSON."""
        return plain(self.timeline.as_dict())


@checked
def course(
    patient: Patient | Path | str,
    regimen: str,
    weeks: Weeks = 52,
    *,
    readings: Path | str | None = None,
    then: str | None = None,
    at: str | float | None = None,
    surgery_week: float | None = None,
    region: Region = "us",
    unconfirmed: bool = True,
    rules: bool = True,
    seed: int | None = None,
) -> Course:
    """Doses, concentrations and decisions of a patient under the rules of the labels.

    Parameters
    ----------
    patient : a TOML file
    regimen : a named regimen, or drugs joined by ``+``
    weeks : length
    readings : CSV with columns day, test, value, unit; they act at the first visit on or after
        their day. Without it the patient's tumour, heart and blood are simulated (one draw, no
        forecast) and measured at the visits
    then : regimen that follows
    at : when it follows: ``"progression"``, or the week
    surgery_week : week of surgery of early disease; without it, surgery came before the first dose
    unconfirmed : whether rules whose text was not read act
    rules : whether the labels' rules act at all; without them drugs are given as planned until
        progression
    seed : decides the simulated patient; drawn, and shown, without it

    Raises
    ------
    DataError
        With all faults of the files, or of what was asked.
    """
    from her2sim.errors import DataError
    from her2sim.timeline.run import TimelinePlan, patient_timeline
    from her2sim.units import DAY_PER_WEEK

    person = patient_of(patient)
    known = None
    if readings is not None:
        from her2sim.formats.readings_csv import read_readings

        known = read_readings(Path(readings))
    regimens = (regimen,) if then is None else (regimen, then)
    starts = (0.0, *_later_start(then, at, known))
    surgery = math.inf if surgery_week is None else surgery_week * DAY_PER_WEEK
    if surgery_week is not None and not 0 < surgery_week <= weeks:
        raise DataError(
            f"surgery in week {surgery_week:g}: give a week of the course, up to {weeks:g}"
        )
    end = weeks * DAY_PER_WEEK
    asked = TimelinePlan(regimens, starts, end, region, unconfirmed, surgery, rules)
    return Course(patient_timeline(person, asked, known, seed_or_drawn(seed)))


def _later_start(
    then: str | None, at: str | float | None, readings: TableReadings | None
) -> Iterator[float]:
    """Day on which a second regimen starts, if there is one."""
    from her2sim.errors import DataError
    from her2sim.timeline.run import AT_PROGRESSION, progression_day
    from her2sim.units import DAY_PER_WEEK

    if (then is None) != (at is None):
        raise DataError("a regimen that follows and when it does belong together: give then and at")
    if at is None:
        return
    if isinstance(at, str) and at != PROGRESSION:
        raise DataError(f"at {at!r}: use {PROGRESSION!r}, or the number of a week")
    if at != PROGRESSION and not 0 < float(at) < math.inf:
        raise DataError(f"at {at}: give a week after the start")
    if at != PROGRESSION:
        yield float(at) * DAY_PER_WEEK
    else:
        yield AT_PROGRESSION if readings is None else progression_day(readings)
