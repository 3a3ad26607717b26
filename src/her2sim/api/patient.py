"""One patient: HER2 status, labelled regimens, what is planned, and the course of treatment."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from her2sim.api.result import Answer, Result, seed_or_drawn, with_notice
from her2sim.api.sources import patient_facts, sources_frame

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.patients.her2_status import Guideline, Her2Status
    from her2sim.patients.her2_test import Ihc, Tumour
    from her2sim.patients.patient import Patient
    from her2sim.protocol.departures import CheckReport
    from her2sim.protocol.eligibility import Verdict
    from her2sim.protocol.monitoring_plan import MonitoringPlan
    from her2sim.timeline.result import PatientTimeline

Labels = Literal["us", "eu"]
PROGRESSION = "progression"


@dataclass(frozen=True, eq=False, repr=False)
class Status(Answer):
    """HER2 status of a tumour by a guideline."""

    status: Her2Status

    @property
    def notes(self) -> tuple[str, ...]:
        """What the guideline adds to the status."""
        return () if self.status.note is None else (self.status.note,)

    def heading(self) -> str:
        """Status, and the category that labels of low expression ask for."""
        from her2sim.report.protocol_tables import status_text

        return status_text(self.status)

    def tables(self) -> tuple[Table, ...]:
        """How the status came about."""
        from her2sim.report.protocol_tables import status_table

        return (status_table(self.status),)

    def frame(self) -> pl.DataFrame:
        """The status in one row."""
        import polars as pl

        return pl.DataFrame([self.status.as_dict()])

    def sources(self) -> pl.DataFrame:
        """The guideline and the place in it."""
        return _cited([(self.status.guideline, self.status.rule_id, self.status.source)])

    def as_dict(self) -> dict[str, Any]:
        """The status as plain data, for JSON."""
        return with_notice(self.status.as_dict())


@dataclass(frozen=True, eq=False, repr=False)
class Eligible(Answer):
    """Named regimens that are labelled for a patient, and those that are not."""

    status: Her2Status
    verdicts: tuple[Verdict, ...]
    region: Labels

    @property
    def notes(self) -> tuple[str, ...]:
        """What such a list is."""
        return ("It says what labels say as of their date, never what to give.",)

    def heading(self) -> str:
        """HER2 status and region."""
        from her2sim.report.protocol_tables import status_text

        rule = self.status.rule_id
        return f"{status_text(self.status)} by rule {rule}; {self.region.upper()} labels"

    def tables(self) -> tuple[Table, ...]:
        """Labelled regimens first, then the others with the reasons."""
        from her2sim.report.protocol_tables import eligibility_table

        return (eligibility_table(self.verdicts),)

    def frame(self) -> pl.DataFrame:
        """One row a regimen."""
        import polars as pl

        return pl.DataFrame([vars(verdict) for verdict in self.verdicts])

    def sources(self) -> pl.DataFrame:
        """The guideline of the status, and the labels."""
        labels = [(v.regimen, v.dated or "", v.source) for v in self.verdicts if v.source]
        status = (self.status.guideline, self.status.rule_id, self.status.source)
        return _cited([status, *labels])

    def as_dict(self) -> dict[str, Any]:
        """The answer as plain data, for JSON."""
        from her2sim.protocol.eligibility import eligibility_dict

        return with_notice(eligibility_dict(self.status, list(self.verdicts), self.region))


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Answer):
    """What is planned and monitored for a patient on a regimen."""

    plan: MonitoringPlan

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the plan."""
        return self.plan.notes

    def heading(self) -> str:
        """Regimen, weeks, whether it is labelled, and the cardiovascular risk."""
        from her2sim.report.protocol_tables import plan_heading

        return plan_heading(self.plan)

    def tables(self) -> tuple[Table, ...]:
        """Doses, what goes with them, tests, and what follows the last dose."""
        from her2sim.report.protocol_tables import plan_tables

        return plan_tables(self.plan)

    def frame(self) -> pl.DataFrame:
        """One row a planned dose; ``tests()`` has the tests."""
        import polars as pl

        return pl.DataFrame([vars(dose) for dose in self.plan.doses])

    def tests(self) -> pl.DataFrame:
        """One row a test, with its days."""
        import polars as pl

        return pl.DataFrame([vars(test) for test in self.plan.tests])

    def sources(self) -> pl.DataFrame:
        """Who asks for each test, and the sources of what follows the last dose."""
        asked = [(test.test, "", test.asked_by) for test in self.plan.tests]
        later = [(line.what, line.drug, line.source) for line in self.plan.afterwards]
        return _cited([*asked, *later])

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain data, for JSON."""
        return self.plan.as_dict()


@dataclass(frozen=True, eq=False, repr=False)
class Course(Result):
    """Doses, concentrations and decisions of one patient under the rules of the labels."""

    timeline: PatientTimeline

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the course."""
        return self.timeline.notes

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
        import polars as pl

        rows = [
            {"drug": drug.drug, **vars(dose)} for drug in self.timeline.drugs for dose in drug.doses
        ]
        return pl.DataFrame(rows, infer_schema_length=None).sort("day", maintain_order=True)

    def decisions(self) -> pl.DataFrame:
        """One row a decision of a rule, with the reading behind it."""
        import polars as pl

        from her2sim.timeline.result import Decided

        rows = [vars(decided) for decided in self.timeline.decisions]
        names = [field.name for field in fields(Decided)]
        found = pl.DataFrame(rows, infer_schema_length=None)
        return found if rows else pl.DataFrame(schema=names)

    def plot(self) -> Figure:
        """Concentrations with doses, holds and stops; readings below."""
        from her2sim.report.timeline_page import timeline_figure

        return timeline_figure(self.timeline)

    def sources(self) -> pl.DataFrame:
        """Sources of the drugs, the labels, and the models of tumour and organs."""
        from her2sim.pk.combination import load_combination

        treatments = {
            treatment.drug.id: treatment
            for line in self.timeline.lines
            for treatment in load_combination(line.regimen).treatments
        }
        return sources_frame(patient_facts(treatments.values(), self.timeline.region))

    def as_dict(self) -> dict[str, Any]:
        """The course as plain data, for JSON."""
        return self.timeline.as_dict()


@dataclass(frozen=True, eq=False, repr=False)
class Check(Answer):
    """Where a record of what was given departs from the labels."""

    record: Path
    region: Labels
    report: CheckReport

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be checked."""
        return self.report.notes

    def heading(self) -> str:
        """How many departures there are."""
        n = len(self.report.departures)
        return f"{self.record}: {n} departures from the {self.region.upper()} labels"

    def tables(self) -> tuple[Table, ...]:
        """Departures, one row each."""
        from her2sim.report.protocol_tables import departures_table

        return (departures_table(self.report),) if self.report.departures else ()

    def frame(self) -> pl.DataFrame:
        """One row a departure."""
        import polars as pl

        from her2sim.protocol.departures import Departure

        rows = [vars(departure) for departure in self.report.departures]
        names = [field.name for field in fields(Departure)]
        return pl.DataFrame(rows) if rows else pl.DataFrame(schema=names)

    def sources(self) -> pl.DataFrame:
        """The rules that were departed from."""
        return _cited([(d.rule_id, d.code, d.source) for d in self.report.departures])

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        return self.report.as_dict()


def _cited(rows: list[tuple[str, str, str]]) -> pl.DataFrame:
    """Sources that an answer names itself."""
    import polars as pl

    columns = {"facts": pl.String, "key": pl.String, "source": pl.String}
    return pl.DataFrame(rows, schema=columns, orient="row").unique(maintain_order=True)


def _patient(given: Patient | Path | str) -> Patient:
    from her2sim.patients.patient import Patient, load_patient

    return given if isinstance(given, Patient) else load_patient(Path(given))


def status(
    tumour: Tumour = "breast",
    *,
    ihc: Ihc | None = None,
    stain: Literal["none", "faint"] | None = None,
    percent: float | None = None,
    ratio: float | None = None,
    copies: float | None = None,
    ish: Literal["positive", "negative"] | None = None,
    specimen: Literal["biopsy", "resection"] | None = None,
    mutation: str | None = None,
    is_recounted: bool = False,
    guideline: Guideline = "asco-cap",
) -> Status:
    """HER2 status of a tumour by the guideline's rows.

    Parameters
    ----------
    tumour : ``breast``, ``gastric``, ``colorectal``, ``biliary``, ``lung`` or ``other``
    ihc : IHC score; ``stain`` is the staining behind a score of 0, ``percent`` the share of tumour
        cells with the scored staining
    ratio, copies : HER2/CEP17 ratio of dual-probe ISH, mean HER2 copies a cell
    ish : ISH result in words, in place of the numbers
    specimen : what was stained (gastric cancer)
    mutation : HER2 mutation (lung cancer), or ``none``
    is_recounted : whether the counts are a blinded recount
    guideline : for breast cancer

    Raises
    ------
    DataError
        If the report contradicts itself or lacks what the guideline needs, with all faults.
    """
    from her2sim.patients.her2_status import interpret
    from her2sim.patients.her2_test import Her2Test

    test = Her2Test(
        tumour=tumour, ihc=ihc, stain=stain, percent=percent, ratio=ratio, copies=copies, ish=ish,
        specimen=specimen, mutation=mutation, is_recounted=is_recounted,
    )  # fmt: skip
    return Status(interpret(test, guideline))


def eligible(patient: Patient | Path | str, region: Labels = "us") -> Eligible:
    """Regimens that are labelled for a patient (a TOML file), and those that are not.

    Raises
    ------
    DataError
        With all faults of the file.
    """
    from her2sim.protocol.eligibility import eligible_regimens

    found, verdicts = eligible_regimens(_patient(patient), region)
    return Eligible(found, tuple(verdicts), region)


def plan(
    patient: Patient | Path | str,
    regimen: str,
    weeks: int = 52,
    *,
    region: Labels = "us",
    start: datetime.date | None = None,
) -> Plan:
    """Doses, heart and blood tests, and what is kept up afterwards.

    Parameters
    ----------
    patient : a TOML file
    regimen : a named regimen, or drugs joined by ``+``
    weeks : how far the plan goes
    start : date of the first dose; dates are then shown beside days

    Raises
    ------
    DataError
        With all faults of the file, or of the regimen.
    """
    from her2sim.protocol.monitoring_plan import monitoring_plan
    from her2sim.regimens.library import load_regimen

    return Plan(monitoring_plan(_patient(patient), load_regimen(regimen), weeks, region, start))


def course(
    patient: Patient | Path | str,
    regimen: str,
    weeks: float = 52,
    *,
    readings: Path | str | None = None,
    then: str | None = None,
    at: str | float | None = None,
    region: Labels = "us",
    unconfirmed: bool = True,
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
    unconfirmed : whether rules whose text was not read act
    seed : decides the simulated patient; drawn, and shown, without it

    Raises
    ------
    DataError
        With all faults of the files, or of what was asked.
    """
    from her2sim.errors import DataError
    from her2sim.formats.readings_csv import read_readings
    from her2sim.timeline.run import (
        AT_PROGRESSION,
        TimelinePlan,
        patient_timeline,
        progression_day,
    )
    from her2sim.units import DAY_PER_WEEK

    if (then is None) != (at is None):
        raise DataError("a regimen that follows and when it does belong together: give then and at")
    person = _patient(patient)
    known = None if readings is None else read_readings(Path(readings))
    regimens, starts = [regimen], [0.0]
    if then is not None and at is not None:
        if at != PROGRESSION and isinstance(at, str):
            raise DataError(f"at {at!r}: use {PROGRESSION!r}, or the number of a week")
        regimens.append(then)
        if at != PROGRESSION:
            starts.append(float(at) * DAY_PER_WEEK)
        else:
            starts.append(AT_PROGRESSION if known is None else progression_day(known))
    asked = TimelinePlan(tuple(regimens), tuple(starts), weeks * DAY_PER_WEEK, region, unconfirmed)
    return Course(patient_timeline(person, asked, known, seed_or_drawn(seed)))


def check(
    record: Path | str,
    *,
    region: Labels = "us",
    setting: Literal["early", "metastatic"] = "metastatic",
) -> Check:
    """Where a record of what was given (CSV) departs from the labels.

    Columns: patient, date, type (dose, lab, event), drug, route, dose_mg, test, value, unit, grade.

    Raises
    ------
    DataError
        With all faults of the file.
    """
    from her2sim.formats.record_csv import read_record
    from her2sim.protocol.audit import check_record

    path = Path(record)
    return Check(path, region, check_record(read_record(path), region, setting))
