"""What a patient's course is: lines, doses, decisions and levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from her2sim import __version__
from her2sim.arrays import Array
from her2sim.biology.lesion_model import evidence_text
from her2sim.notice import NOTICE
from her2sim.patients.her2_status import Her2Status
from her2sim.patients.patient import Patient
from her2sim.protocol.eligibility import Verdict, label_dict
from her2sim.protocol.label import Region
from her2sim.protocol.readings import TableReadings
from her2sim.timeline.outlook import Outlook
from her2sim.virtual_patient.treat import PROGRESSION

if TYPE_CHECKING:
    from her2sim.timeline.modelled import ModelledPatient


@dataclass(frozen=True)
class GivenDose:
    """A dose of the record."""

    day: float
    dose_mg: float
    duration_min: float
    level: int
    why: str
    route: str


@dataclass(frozen=True)
class Decided:
    """What a rule did on a day, with the reading behind it."""

    day: float
    drug: str
    decision: str
    reading: float | None
    variable: str
    rule: str
    condition: str
    source: str
    is_confirmed: bool

    @property
    def in_words(self) -> str:
        """What was done: treatment that ends with progression is not stopped by an event."""
        return "end" if self.rule == PROGRESSION.id else self.decision


@dataclass(frozen=True, eq=False)
class DrugTimeline:
    """One drug of a line: what was planned and given, and the levels.

    ``median``, ``p5`` and ``p95`` have the shape of ``time_day``: they are those of patients with
    the characteristics of this one, whose random effects are not known.
    """

    drug: str
    title: str
    line: int
    n_planned: int
    doses: tuple[GivenDose, ...]
    dose_intensity: float | None
    days_on_hold: float
    n_reductions: int
    stopped_day: float | None
    stopped_by: str | None
    held_with: tuple[str, ...]
    time_day: Array
    median: Array
    p5: Array
    p95: Array
    unit: str

    @property
    def given_mg(self) -> float:
        """Cumulative dose."""
        return sum(dose.dose_mg for dose in self.doses)

    @property
    def is_stopped_by_event(self) -> bool:
        """Whether a rule stopped it for an adverse event: not progression, nor the plan's end."""
        return self.stopped_day is not None and self.stopped_by != PROGRESSION.id


@dataclass(frozen=True, eq=False)
class BodyBand:
    """Tumour, heart or blood over time: of patients like this one, and of the simulated one.

    All arrays have the shape of ``time_day``, those of patients like this one none if there are no
    twins; ``test`` is the reading that shows it.
    """

    title: str
    unit: str
    test: str
    time_day: Array
    median: Array
    p5: Array
    p95: Array
    own: Array


@dataclass(frozen=True)
class Line:
    """A line of treatment: its regimen, from when to when, labelled or not."""

    regimen: str
    title: str
    start_day: float
    end_day: float
    verdict: Verdict | None


@dataclass(frozen=True, eq=False)
class PatientTimeline:
    """The course of one patient.

    ``body`` is what readings show, ``stages`` what lies between doses and tumour: levels,
    receptors, signal; both are empty where the readings are the patient's own. ``modelled`` is
    the simulated patient behind them.
    """

    patient: Patient
    her2: Her2Status
    region: Region
    lines: tuple[Line, ...]
    drugs: tuple[DrugTimeline, ...]
    decisions: tuple[Decided, ...]
    readings: TableReadings
    seed: int
    notes: tuple[str, ...]
    body: tuple[BodyBand, ...] = ()
    stages: tuple[BodyBand, ...] = ()
    outlook: Outlook | None = None
    modelled: ModelledPatient | None = field(default=None, repr=False)

    def with_twins(self, n: int) -> PatientTimeline:
        """The same course with the band of ``n`` patients like this one; 0: without a band."""
        if self.modelled is None:
            return self
        body, stages = self.modelled.bands(n)
        return replace(self, body=body, stages=stages)

    def as_dict(self) -> dict[str, Any]:
        """The course as plain data, for JSON."""
        return {
            "her2sim": __version__,
            "evidence": evidence_text(self.patient.tumour, self.patient.setting),
            "region": self.region,
            "seed": self.seed,
            "her2": self.her2.as_dict(),
            "lines": [_line_dict(line) for line in self.lines],
            "drugs": [_drug_dict(drug) for drug in self.drugs],
            "decisions": [vars(decided) for decided in self.decisions],
            "n_unconfirmed": sum(not decided.is_confirmed for decided in self.decisions),
            "readings": [
                {"test": name, "day": float(day), "value": float(value)}
                for name, (_, days, values) in self.readings.records.items()
                for day, value in zip(days, values, strict=True)
            ],
            "body": [_band_dict(band) for band in self.body],
            "outlook": None if self.outlook is None else self.outlook.as_dict(),
            "notes": list(self.notes),
            "notice": NOTICE,
        }


@dataclass(frozen=True)
class Hold:
    """A time on hold: the decision that began it, and the day it ended; None if it did not."""

    begun: Decided
    end_day: float | None


def holds_of(decisions: Sequence[Decided], drug: str) -> list[Hold]:
    """When a drug was on hold: from the first rule that held it until none of them does."""
    found, holding = list[Hold](), dict[str, Decided]()
    for decided in (d for d in decisions if d.drug == drug):
        was_held = bool(holding)
        if decided.in_words == "hold":
            holding.setdefault(decided.rule, decided)
        elif decided.in_words in ("stop", "end"):
            holding.clear()
        elif decided.in_words == "resume":
            holding.pop(decided.rule, None)
        if holding and not was_held:
            found.append(Hold(decided, None))
        elif was_held and not holding:
            found[-1] = replace(found[-1], end_day=decided.day)
    return found


def progressed_day(readings: TableReadings) -> float:
    """Day of the first reading that says progression; infinite if none does."""
    _, days, values = readings.records.get("progression", (None, np.empty(0), np.empty(0)))
    return float(np.min(days[values >= 1], initial=np.inf))


def _band_dict(band: BodyBand) -> dict[str, Any]:
    return {n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in vars(band).items()}


def _line_dict(line: Line) -> dict[str, Any]:
    return {
        "regimen": line.regimen,
        "title": line.title,
        "start_day": line.start_day,
        "end_day": line.end_day,
        **label_dict(line.verdict),
    }


def _drug_dict(drug: DrugTimeline) -> dict[str, Any]:
    found = {name: value for name, value in vars(drug).items() if name not in _LEVELS}
    found["doses"] = [vars(dose) for dose in drug.doses]
    found["given_mg"] = drug.given_mg
    found["levels"] = {name: getattr(drug, name).tolist() for name in _LEVELS}
    return found


_LEVELS = ("time_day", "median", "p5", "p95")
