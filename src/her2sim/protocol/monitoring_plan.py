"""Monitoring plan: doses, heart and blood tests of the labels and of ESC 2022, and what follows."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from pydantic import Field

from her2sim.drugs.drug import Drug, load_drug
from her2sim.facts import Claim, FactFile, read_fact_file
from her2sim.notice import NOTICE
from her2sim.patients.cardiac_risk import CardiacRisk, Risk, cardiac_risk
from her2sim.patients.covariates import Setting
from her2sim.patients.patient import Patient
from her2sim.protocol.label import Label, Monitoring, Region, load_label
from her2sim.protocol.variables import VARIABLES
from her2sim.regimens.changes import as_planned
from her2sim.regimens.dose import MINUTES_PER_DAY, SCALED_BY, Dose
from her2sim.regimens.named import NamedRegimen, Part
from her2sim.regimens.regimen import Regimen, labelled_regimen
from her2sim.units import DAY_PER_MONTH

YEAR_DAY = 364
ANTHRACYCLINES = ("doxorubicin",)
HER2_ANTIBODIES = ("trastuzumab",)
TEST_NAMES = {
    "lvef": "echocardiography (LVEF)",
    "ild_grade": "cough, breathlessness, fever (lungs)",
    "ast": "AST",
    "alt": "ALT",
}


class Surveillance(Claim):
    """How often ESC 2022 looks at the heart, for a setting and risk."""

    test: str
    setting: Setting
    risk: tuple[Risk, ...]
    every_days: int | None = Field(default=None, gt=0)
    then_every_days: int | None = Field(default=None, gt=0)
    after_end_months: tuple[int, ...] = ()
    grade: Literal["I", "IIa", "IIb"] = Field(alias="class")

    def days(self, last_day: float) -> Iterator[float]:
        """Days of the test; the first is before the first dose."""
        yield 0.0
        day = float(self.every_days or np.inf)
        while day <= last_day:
            yield day
            late = self.then_every_days is not None and day >= YEAR_DAY
            day += (self.then_every_days if late else self.every_days) or np.inf


class Guideline(FactFile):
    """Rows of ESC 2022."""

    timing: str
    row: tuple[Surveillance, ...]


@cache
def esc_2022() -> Guideline:
    """The rows that come with her2sim."""
    return read_fact_file(files("her2sim.protocol").joinpath("esc_2022.toml"), Guideline)


@dataclass(frozen=True)
class PlannedDose:
    """A dose of the plan; ``dose_mg`` is None where the patient file lacks what it takes."""

    day: float
    drug: str
    amount: float
    unit: str
    dose_mg: float | None
    duration_min: float


@dataclass(frozen=True)
class PlannedPremedication:
    """What is taken before or with a drug."""

    drug: str
    what: tuple[str, ...]
    when: str
    source: str


@dataclass(frozen=True)
class PlannedTest:
    """A test, on which days (the first is the baseline), who asks for it and why."""

    test: str
    days: tuple[float, ...]
    at_each_dose: bool
    asked_by: str
    note: str
    source: str


@dataclass(frozen=True)
class Afterwards:
    """What is kept up after the last dose, until a day."""

    what: str
    drug: str
    length: str
    until_day: float
    source: str


@dataclass(frozen=True)
class MonitoringPlan:
    """A plan; days count from the first dose, dates if it is known."""

    regimen: str
    title: str
    region: Region
    weeks: int
    start: datetime.date | None
    risk: CardiacRisk
    doses: tuple[PlannedDose, ...]
    premedication: tuple[PlannedPremedication, ...]
    tests: tuple[PlannedTest, ...]
    afterwards: tuple[Afterwards, ...]
    notes: tuple[str, ...]

    def date(self, day: float) -> str | None:
        """Date of a day, if the first is known."""
        if self.start is None:
            return None
        return (self.start + datetime.timedelta(days=int(day))).isoformat()

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain data, for JSON."""
        return {
            "regimen": self.regimen,
            "title": self.title,
            "region": self.region,
            "weeks": self.weeks,
            "start": None if self.start is None else self.start.isoformat(),
            "cardiac_risk": self.risk.as_dict(),
            "doses": [vars(d) | {"date": self.date(d.day)} for d in self.doses],
            "premedication": [vars(p) for p in self.premedication],
            "tests": [vars(t) | {"dates": [self.date(d) for d in t.days]} for t in self.tests],
            "afterwards": [
                vars(a) | {"until_date": self.date(a.until_day)} for a in self.afterwards
            ],
            "notes": list(self.notes),
            "notice": NOTICE,
        }


def monitoring_plan(
    patient: Patient,
    regimen: NamedRegimen,
    weeks: int,
    region: Region = "us",
    start: datetime.date | None = None,
) -> MonitoringPlan:
    """What is planned for a patient on a regimen.

    Parameters
    ----------
    patient, regimen : who, and what is given
    weeks : how long
    region : whose labels
    start : date of the first dose, for dates
    """
    planned = [(load_drug(p.drug), _regimen(p)) for p in regimen.part]
    end_min = weeks * 7 * MINUTES_PER_DAY
    doses = {drug.id: one.doses_before(end_min) for drug, one in planned}
    labels = {drug.id: load_label(drug.id, region) for drug, _ in planned}
    risk = _risk(patient, [drug for drug, _ in planned], doses)
    last = {name: max((d.time_day for d in own), default=0.0) for name, own in doses.items()}
    tests, later, notes = list[PlannedTest](), list[Afterwards](), list[str]()
    premedication = list[PlannedPremedication]()
    for name, label in labels.items():
        if label is None:
            notes.append(f"No rows of the {region.upper()} label of {name} are encoded.")
            continue
        tests += _label_tests(name, label, doses[name], patient.setting, start)
        premedication += _premedication(name, label)
        later += _afterwards(name, label, last[name], start)
    targeted = [name for name, label in labels.items() if label is not None]
    if targeted:
        tests += _guideline_tests(patient.setting, risk, max(last[n] for n in targeted), start)
    notes.append(f"ESC 2022: {esc_2022().timing}.")
    if risk.not_told:
        notes.append(f"Not told, so not counted in the risk: {', '.join(risk.not_told)}.")
    weighed = sorted({d.drug for own in doses.values() for d in own if SCALED_BY[d.unit]})
    if weighed:
        notes.append(f"Weigh before each dose: that of {', '.join(weighed)} follows body size.")
    notes += [f"{name} belongs to the regimen and is not planned." for name in regimen.with_others]
    given = sorted(
        (_dose(dose, patient) for own in doses.values() for dose in own), key=lambda d: d.day
    )
    return MonitoringPlan(
        regimen.id, regimen.title, region, weeks, start, risk, tuple(given),
        tuple(premedication), tuple(tests), tuple(later), tuple(notes),
    )  # fmt: skip


def _regimen(part: Part) -> Regimen:
    return as_planned(labelled_regimen(load_drug(part.drug), part.regimen), part)


def _dose(dose: Dose, patient: Patient) -> PlannedDose:
    basis = SCALED_BY[dose.unit]
    size = 1.0 if basis is None else patient.cohort(0).covariates.get(basis, (None,))[0]
    mg = None if size is None else float(dose.amount * size)
    return PlannedDose(dose.time_day, dose.drug, dose.amount, dose.unit, mg, dose.duration_min)


def _risk(patient: Patient, drugs: list[Drug], doses: dict[str, list[Dose]]) -> CardiacRisk:
    told = set(patient.heart)
    if "prior_trastuzumab" in patient.history:
        told.add("previous_trastuzumab")
    anthracyclines = [d for d in drugs if (d.substance or d.id) in ANTHRACYCLINES]
    targeted = [d for d in drugs if (d.substance or d.id) in HER2_ANTIBODIES]
    for one in anthracyclines:
        end = max(dose.time_day for dose in doses[one.id])
        starts = [doses[other.id][0].time_day for other in targeted if doses[other.id]]
        together = any(first <= end for first in starts)
        told.add(
            "anthracycline_together_with_trastuzumab"
            if together
            else "anthracycline_before_in_this_protocol"
        )
    return cardiac_risk(told, patient.numbers())


def _premedication(drug: str, label: Label) -> Iterator[PlannedPremedication]:
    for line in label.premedication:
        source = label.source_text(line.source or "")
        yield PlannedPremedication(drug, line.what, line.when, source)


def _label_tests(
    drug: str, label: Label, doses: list[Dose], setting: Setting, start: datetime.date | None
) -> Iterator[PlannedTest]:
    if not doses:
        return
    first, last = doses[0].time_day, doses[-1].time_day
    for line in label.monitoring:
        days: list[float] = []
        if line.every_days is not None:
            days = np.arange(first, last + 1, line.every_days).tolist()
            days += _after_end(line, last, setting, start)
        variable = VARIABLES[line.variable]
        yield PlannedTest(
            TEST_NAMES.get(line.variable, variable.meaning),
            tuple(days),
            line.every_days is None,
            f"{label.region.upper()} label of {drug}",
            line.note or "",
            label.source_text(line.source or ""),
        )


def _after_end(
    line: Monitoring, last: float, setting: Setting, start: datetime.date | None
) -> Iterator[float]:
    after = line.after_end
    if after is None or after.setting not in (None, setting):
        return
    for month in range(after.every_months, after.for_months + 1, after.every_months):
        yield months_later(last, month, start)


def _guideline_tests(
    setting: Setting, risk: CardiacRisk, last: float, start: datetime.date | None
) -> Iterator[PlannedTest]:
    guideline = esc_2022()
    for row in guideline.row:
        if row.setting == setting and risk.level in row.risk:
            days = [*row.days(last), *(months_later(last, m, start) for m in row.after_end_months)]
            yield PlannedTest(
                row.test,
                tuple(days),
                False,
                f"ESC 2022, class {row.grade}, {risk.level} risk",
                row.note or "",
                guideline.source_text(row.source or ""),
            )


def _afterwards(
    drug: str, label: Label, last: float, start: datetime.date | None
) -> Iterator[Afterwards]:
    for line in label.after_last_dose:
        if line.months is not None:
            until, length = months_later(last, line.months, start), f"{line.months} months"
        else:
            until, length = last + 7.0 * (line.weeks or 0), f"{line.weeks} weeks"
        source = label.source_text(line.source or "")
        yield Afterwards(line.what, drug, length, until, source)


def months_later(day: float, months: int, start: datetime.date | None) -> float:
    """Day some calendar months later (of 30.4 days each without a date)."""
    if start is None:
        return float(np.ceil(day + months * DAY_PER_MONTH))
    date = start + datetime.timedelta(days=int(day))
    years, month = divmod(date.month - 1 + months, 12)
    year = date.year + years
    following = datetime.date(year + (month == 11), (month + 1) % 12 + 1, 1)
    longest = (following - datetime.timedelta(days=1)).day
    later = datetime.date(year, month + 1, min(date.day, longest))
    return float((later - start).days)
