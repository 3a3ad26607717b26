"""Monitoring plan: doses, heart and blood tests of the labels and of ESC 2022, and what follows."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from her2sim.drugs.drug import Drug
from her2sim.errors import DataError
from her2sim.notice import NOTICE
from her2sim.patients.cardiac_risk import CardiacRisk, cardiac_risk
from her2sim.patients.covariates import Setting
from her2sim.patients.patient import Patient
from her2sim.protocol.eligibility import Verdict, label_dict, verdict_on
from her2sim.protocol.label import CONCERNS_WOMEN, Label, Region, load_label
from her2sim.protocol.monitoring import Monitoring
from her2sim.protocol.surveillance import esc_2022
from her2sim.protocol.variables import VARIABLES
from her2sim.regimens.dose import MINUTES_PER_DAY, Dose, mg_of, size_needed
from her2sim.regimens.library import NamedRegimen
from her2sim.regimens.together import planned_drugs
from her2sim.units import DAY_PER_MONTH

TEST_NAMES = {
    "lvef": "echocardiography (LVEF)",
    "ild_grade": "cough, breathlessness, fever (lungs)",
    "ast": "AST",
    "alt": "ALT",
}

FIRST_START, LAST_START = datetime.date(1990, 1, 1), datetime.date(2199, 12, 31)


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
    """A plan; days count from the first dose, dates if it is known.

    ``verdict`` says whether the regimen is labelled for the patient; None without a name.
    """

    regimen: str
    title: str
    region: Region
    weeks: int
    start: datetime.date | None
    verdict: Verdict | None
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
            **label_dict(self.verdict),
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

    Raises
    ------
    DataError
        If drugs of the regimen are not to be given together, or the date is not one of our time.
    """
    if start is not None and not FIRST_START <= start <= LAST_START:
        limits = f"{FIRST_START.isoformat()} to {LAST_START.isoformat()}"
        raise DataError(f"start {start.isoformat()}: use a date from {limits}")
    planned = [(one.drug, one.regimen) for one in planned_drugs(regimen)]
    end_min = weeks * 7 * MINUTES_PER_DAY
    doses = {drug.id: one.doses_before(end_min) for drug, one in planned}
    labels = {drug.id: load_label(drug.id, region) for drug, _ in planned}
    risk = _risk(patient, [drug for drug, _ in planned], doses)
    last = {name: max((d.time_day for d in own), default=0.0) for name, own in doses.items()}
    tests, later = list[PlannedTest](), list[Afterwards]()
    premedication = list[PlannedPremedication]()
    had = {*patient.history, *(word for drug, _ in planned for word in drug.tells)}
    read = {name: label for name, label in labels.items() if label is not None}
    for name, label in read.items():
        tests += _label_tests(name, label, doses[name], patient.setting, start, had)
        premedication += _premedication(name, label)
        later += _afterwards(name, label, last[name], start, patient.is_female)
    if read:
        tests += _guideline_tests(patient.setting, risk, max(last[n] for n in read), start)
    given = sorted(
        (_dose(dose, patient) for own in doses.values() for dose in own), key=lambda d: d.day
    )
    notes = [
        f"No rows of the {region.upper()} label of {name} are encoded."
        for name in labels
        if name not in read
    ]
    notes += [*_notes(patient, risk, given, later)]
    notes += [f"{name} belongs to the regimen and is not planned." for name in regimen.with_others]
    return MonitoringPlan(
        regimen.id, regimen.title, region, weeks, start, verdict_on(patient, regimen.id, region),
        risk, tuple(given), tuple(premedication), tuple(tests), tuple(later), tuple(notes),
    )  # fmt: skip


def _notes(
    patient: Patient, risk: CardiacRisk, doses: list[PlannedDose], later: list[Afterwards]
) -> Iterator[str]:
    """What a reader must know of the plan, beside what is not in it."""
    yield f"ESC 2022: {esc_2022().timing}."
    if risk.not_told:
        yield f"Not told, so not counted in the risk: {', '.join(risk.not_told)}."
    weighed = sorted({dose.drug for dose in doses if size_needed(dose.unit)})
    if weighed:
        yield f"Weigh before each dose: that of {', '.join(weighed)} follows body size."
    if patient.is_female is None and any(line.what in CONCERNS_WOMEN for line in later):
        yield "Sex is not told (body: female), so lines for women and for men are both shown."


def _dose(dose: Dose, patient: Patient) -> PlannedDose:
    known = patient.cohort(0).covariates
    needed = size_needed(dose.unit)
    mg = None
    if needed is None or needed in known:
        mg = float(mg_of(dose.amount, dose.unit, lambda name: known[name][0]))
    return PlannedDose(dose.time_day, dose.drug, dose.amount, dose.unit, mg, dose.duration_min)


def _risk(patient: Patient, drugs: list[Drug], doses: dict[str, list[Dose]]) -> CardiacRisk:
    told = set(patient.heart)
    if "prior_trastuzumab" in patient.history:
        told.add("previous_trastuzumab")
    anthracyclines = [d for d in drugs if "anthracycline" in d.groups]
    targeted = [d for d in drugs if "prior_trastuzumab" in d.tells]
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
    drug: str,
    label: Label,
    doses: list[Dose],
    setting: Setting,
    start: datetime.date | None,
    had: Collection[str],
) -> Iterator[PlannedTest]:
    if not doses:
        return
    first, last = doses[0].time_day, doses[-1].time_day
    for line in label.monitoring:
        days: list[float] = []
        if line.every_days is not None:
            days = [*line.days(first, last), *_after_end(line, last, setting, start, had)]
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
    line: Monitoring,
    last: float,
    setting: Setting,
    start: datetime.date | None,
    had: Collection[str],
) -> Iterator[float]:
    for after in line.after_end:
        if after.setting in (None, setting) and (after.needs is None or after.needs in had):
            yield from (months_later(last, month, start) for month in after.months())


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
    drug: str, label: Label, last: float, start: datetime.date | None, is_female: bool | None
) -> Iterator[Afterwards]:
    for line in label.after_last_dose:
        if is_female is not None and CONCERNS_WOMEN.get(line.what, is_female) != is_female:
            continue
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
