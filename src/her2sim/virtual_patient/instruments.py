"""What is measured of patients: scans, LVEF, counts, graded events, each with its error.

Measuring changes nothing; what a visit keeps of it is noted apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from her2sim.arrays import Array, Positions
from her2sim.biology.blood import blood_facts
from her2sim.biology.heart import heart_number
from her2sim.drugs.toxicity import Line
from her2sim.errors import UnknownNameError, did_you_mean
from her2sim.protocol.readings import Visit
from her2sim.virtual_patient.adverse_events import AdverseEvents
from her2sim.virtual_patient.blood_tests import BloodTests
from her2sim.virtual_patient.calendar import Calendar
from her2sim.virtual_patient.cohort_state import CohortState, Interval
from her2sim.virtual_patient.heart_tests import HeartTests
from her2sim.virtual_patient.lung_events import LungEvents
from her2sim.virtual_patient.tumour_scans import Scans

Measure = Callable[["Instruments", Visit, int], Array]
"""How a variable is measured. It holds no instruments, so that these are freed after use."""


@dataclass(frozen=True)
class AssessmentPlan:
    """How patients are looked at.

    ``scan_sd`` is the SD of a measured LVEF in points; ``given_with`` names what is taken against
    adverse events; ``scans`` and ``lvef_tests`` are the calendars of tumour and heart (None: no
    scan, and LVEF at visits only); the first LVEF is not below ``lvef_entry_percent``.
    """

    scan_sd: float
    given_with: tuple[str, ...] = ()
    scans: Calendar | None = None
    lvef_tests: Calendar | None = None
    lvef_entry_percent: float | None = None


class Instruments:
    """The instruments of a cohort, and what they have shown so far."""

    def __init__(self, state: CohortState, plan: AssessmentPlan, start_day: float = 0.0) -> None:
        whole, people = state.whole, state.people
        n = people.cohort.n_patients
        self.state = state
        everyone = np.arange(n)
        first_mm = state.diameters_mm(everyone) if whole.lesions else None
        self.scans = Scans(people, first_mm, start_day, plan.scans)
        self.hearts = HeartTests(people, plan.scan_sd, plan.lvef_tests, plan.lvef_entry_percent)
        self.blood = BloodTests(whole.organs.lines, n)
        self.events = AdverseEvents(people, whole.drugs, plan.given_with)
        self.lung = LungEvents(whole, people, plan.given_with)
        self.showed = np.full(n, np.nan)
        self._measures = self._known_measures()

    def _known_measures(self) -> Mapping[str, Measure]:
        """How each variable that these patients have is measured."""
        organs, found = self.state.whole.organs, dict[str, Measure]()
        if self.state.whole.lesions:
            found["progression"] = lambda own, visit, repeat: own.showed[visit.who]
        if organs.has_heart:
            found["lvef"] = Instruments._lvef
            found["heart_failure"] = Instruments._heart_failure
        for line in organs.lines:
            found[line] = partial(_count, line)
        if "neutrophils" in organs.lines:
            found["fever"] = Instruments._fever
        if organs.on_lung is not None:
            found["ild_grade"] = Instruments._lung_grade
        for variable in self.events.variables():
            found[variable] = partial(_graded, variable)
        return found

    def has(self, variable: str) -> bool:
        """Whether a variable can be measured."""
        return variable in self._measures

    def measure(self, variable: str, visit: Visit, repeat: int = 0) -> Array:
        """Measured values of the patients of a visit.

        Raises
        ------
        UnknownNameError
            If these patients have no such variable.
        """
        if variable not in self._measures:
            hint = did_you_mean(variable, self._measures)
            raise UnknownNameError(f"{variable!r} is not measured in these patients{hint}")
        return self._measures[variable](self, visit, repeat)

    def note(self, variable: str, visit: Visit, values: Array) -> None:
        """Keep what was measured at a visit."""
        if variable == "lvef":
            self.hearts.note(visit, values)
        for line in self.state.lines:
            if variable == line:
                self.blood.read(line, visit.who, values)

    def note_interval(self, interval: Interval) -> None:
        """Keep what happened between two visits: weekly counts, and episodes of graded events."""
        who, until = interval.who, interval.until
        for line, counts in interval.counts.items():
            self.blood.note(line, who, counts[:, 1:-1], counts[:, -1])
            self.blood.note_days(line, who, counts[:, :-1], until - interval.from_day)
        self.events.advance(who, interval.from_day, until, interval.acts_until_day)

    def look(self, visit: Visit) -> None:
        """Scans that are due at a visit, and tests of the heart by the calendar."""
        who = visit.who
        if self.state.whole.lesions:
            elsewhere = self.state.happened("elsewhere", who)
            self.showed[who] = self.scans.look(visit, self.state.diameters_mm(who), elsewhere)
        else:
            self.scans.pass_by(visit)
        self.hearts.end_for(who[self.showed[who] > 0])  # trials stop testing then
        if self.state.whole.organs.has_heart:
            due = self.hearts.is_due(visit)
            if due.any():
                tested = visit.of(due)
                self.hearts.note(tested, self._lvef(tested, 0))

    def next_day(self, who: Positions) -> Array:
        """When scans and tests of the heart are due next."""
        found: Array = np.minimum(self.scans.next_day[who], self.hearts.next_day[who])
        return found

    def _lvef(self, visit: Visit, repeat: int) -> Array:
        return self.hearts.measure(visit, self.state.output("lvef", visit.who), repeat)

    def _heart_failure(self, visit: Visit, repeat: int) -> Array:
        began = self.state.happened("heart_failure", visit.who)
        return (began <= visit.day).astype(np.float64)

    def _fever(self, visit: Visit, repeat: int) -> Array:
        began = self.state.happened("febrile_neutropenia", visit.who)
        lasts = blood_facts().parameter["fever_days"].value
        return ((began <= visit.day) & (visit.day < began + lasts)).astype(np.float64)

    def _lung_grade(self, visit: Visit, repeat: int) -> Array:
        onset = self.state.happened("lung_hazard", visit.who)
        return self.lung.grade(onset, visit.who, visit.day)


def _count(line: Line, own: Instruments, visit: Visit, repeat: int) -> Array:
    return own.state.count(line, visit.who)


def _graded(variable: str, own: Instruments, visit: Visit, repeat: int) -> Array:
    return own.events.measure(variable, visit)


def scan_error(method: str) -> float:
    """SD of a measured LVEF in points: ``echo``, ``muga``, or ``none``."""
    return 0.0 if method == "none" else heart_number(f"scan_{method}")
