"""Patients who live on between their visits: what is measured comes from the model itself.

At each visit the patients who come are advanced from their last visit, with the doses that were
given then. A reading is the true value with the error of its measurement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Positions
from her2sim.biology.blood import blood_facts
from her2sim.biology.heart import heart_number
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.engine.advance import advance, kernel_of
from her2sim.engine.schedule import Action, Block
from her2sim.engine.trajectories import Request, Trajectories
from her2sim.errors import SolverError
from her2sim.models.heart import ejection_fraction
from her2sim.patients.cohort import Cohort
from her2sim.protocol.readings import Visit
from her2sim.protocol.recorder import TreatmentRecorder
from her2sim.random import Purpose
from her2sim.regimens.dose import MINUTES_PER_DAY
from her2sim.regimens.dose_rows import At, Doses
from her2sim.virtual_patient.adverse_events import AdverseEvents
from her2sim.virtual_patient.blood_tests import BloodTests
from her2sim.virtual_patient.calendar import ON_THE_DAY, Calendar
from her2sim.virtual_patient.composition import VirtualPatient
from her2sim.virtual_patient.dosing import LastingChanges, acts_until_day, drug_blocks, framed
from her2sim.virtual_patient.drugs import PatientDrug
from her2sim.virtual_patient.heart_tests import HeartTests
from her2sim.virtual_patient.run import TOLERANCE
from her2sim.virtual_patient.tumour_scans import Scans


class _UnderWay:
    """Doses of one drug that are not over yet: they still enter the body, or still act."""

    def __init__(self, drug: PatientDrug, cohort: Cohort) -> None:
        self.drug, self.planned_mg = drug, drug.planned_mg(cohort)
        n = cohort.n_patients
        self.acts_until_day = np.full(n, -np.inf)
        none, nothing = np.empty(0, dtype=np.int64), np.empty(0)
        self.doses = Doses(none, nothing, nothing, nothing, none, none, nothing)
        self._place = np.full(n, -1, dtype=np.int64)

    def add(self, doses: Doses) -> None:
        """Doses that were given."""
        self.acts_until_day[doses.patient] = acts_until_day(self.drug, doses)
        pairs = ((mine, getattr(doses, name)) for name, mine in vars(self.doses).items())
        self.doses = Doses(*(np.concatenate(pair) for pair in pairs))

    def of(self, who: Positions) -> tuple[Doses, Array]:
        """Doses of some patients, who count from 0 here, in order; and their full doses."""
        self._place[who] = np.arange(who.size)
        place = self._place[self.doses.patient]
        self._place[who] = -1
        rows = np.flatnonzero(place >= 0)
        rows = rows[np.lexsort((self.doses.day[rows], place[rows]))]
        own = self.doses.take(rows)
        return replace(own, patient=place[rows]), self.planned_mg[who]

    def drop_finished(self, who: Positions, until: float) -> None:
        """Forget what is over for some patients by a day."""
        doses = self.doses
        self._place[who] = 0
        is_theirs = self._place[doses.patient] == 0
        self._place[who] = -1
        lag_day = self.drug.treatment.pk.lag_day()
        days = np.maximum(doses.number * doses.every_day, doses.duration_min / MINUTES_PER_DAY)
        in_by = doses.day + lag_day + days
        over = np.maximum(in_by, acts_until_day(self.drug, doses) if self.drug.is_kpd else 0)
        self.doses = doses.take(np.flatnonzero(~is_theirs | (over > until)))


class SimulatedAssessments:
    """Readings of patients whose model is advanced visit by visit."""

    is_scheduled = True

    def __init__(
        self,
        whole: VirtualPatient,
        people: VirtualCohort,
        *,
        scan_sd: float,
        given_with: tuple[str, ...] = (),
        scans: Calendar | None = None,
        lvef_tests: Calendar | None = None,
        lvef_entry_percent: float | None = None,
        line: int = 1,
        threads: int | None = None,
    ) -> None:
        self.whole, self.people, self.threads = whole, people, threads
        n = people.cohort.n_patients
        self.harms = AdverseEvents(people, whole.drugs, given_with)
        self.levels = hazard_levels(whole, people, line)
        self.event_day = np.full_like(self.levels, np.inf)
        self.lung = _LungCourse(whole, people)
        self.scans = Scans(people, calendar=scans)
        self.blood = BloodTests(whole.organs.lines, n)
        self.showed = np.full(n, np.nan)
        self.hearts = HeartTests(people, scan_sd, lvef_tests, lvef_entry_percent)
        self.parameters = whole.parameters(people)
        self.states = whole.start(people)
        self.scale = whole.scale(people.cohort)
        self.day = np.zeros(n)
        self.under_way = [_UnderWay(drug, people.cohort) for drug in whole.drugs]
        self.changes = LastingChanges(whole, people)
        self.n_blocks = 0
        given = [drug.symbol("given") for drug in whole.drugs if drug.is_kpd]
        self.varying = frozenset(given) & set(whole.model.parameters)

    def go_on(self, states: Mapping[str, Array], day: float) -> None:
        """Take over states of an earlier line by name, and start on a day."""
        for name, values in states.items():
            if name in self.whole.model.states:
                self.states[self.whole.model.index("states", name)] = values
        self.day[:] = day
        everyone = np.arange(self.day.size)
        true_mm = self.true_mm(everyone) if self.whole.lesions else None
        self.scans = Scans(self.people, true_mm, day, self.scans.calendar)

    def has(self, variable: str) -> bool:
        """Whether the model has a variable."""
        organs = self.whole.organs
        if variable == "progression":
            return bool(self.whole.lesions)
        if variable == "ild_grade":
            return organs.on_lung is not None
        if variable == "heart_failure":
            return organs.has_heart
        if variable == "fever":
            return "neutrophils" in organs.lines
        is_of_organ = (variable == "lvef" and organs.has_heart) or variable in organs.lines
        return is_of_organ or self.harms.has(variable)

    # Between visits.

    def arrive(self, visit: Visit, recorder: TreatmentRecorder) -> None:
        """Advance the patients of a visit to its day, with the doses since they came last."""
        for n, block in recorder.doses_since(self.n_blocks):
            self._note(n, block)
            self.n_blocks += 1
        who = visit.who[self.day[visit.who] < visit.day]
        if who.size:
            self._advance(who, visit.day)
        who = visit.who
        if self.whole.lesions:
            elsewhere = self.happened("elsewhere", who)
            self.showed[who] = self.scans.look(visit, self.true_mm(who), elsewhere)
        self.hearts.next_day[who[self.showed[who] > 0]] = np.inf  # trials stop testing then
        if self.whole.organs.has_heart:
            due = self.hearts.next_day[who] <= visit.day + ON_THE_DAY
            tested = who[due]
            if tested.size:
                self.hearts.measure(visit.of(due), self.true_lvef(tested))

    def parts(self, visit: Visit) -> Iterable[Visit]:
        """Measured once a visit."""
        return (visit,)

    def next_day(self, who: Positions) -> Array:
        """When scans and tests of the heart are due next."""
        found: Array = np.minimum(self.scans.next_day[who], self.hearts.next_day[who])
        return found

    def _note(self, n: int, block: dict[str, NDArray[np.generic] | float]) -> None:
        """Doses of a drug on a day: they act from here on."""
        columns = {name: np.broadcast_to(np.asarray(v), n) for name, v in block.items()}
        d = int(columns["drug"][0])
        doses = Doses(
            columns["patient"].astype(np.int64), columns["day"].astype(np.float64),
            columns["dose_mg"].astype(np.float64), columns["duration_min"].astype(np.float64),
            columns["route"].astype(np.int64), columns["number"].astype(np.int64),
            columns["every_day"].astype(np.float64),
        )  # fmt: skip
        self.under_way[d].add(doses)
        who, mg = doses.patient, doses.amount
        for row, values in self.changes.after(d, who, doses.day, mg, doses.number):
            self.parameters[row, who] = values

    def _advance(self, who: Positions, until: float) -> None:
        model, n = self.whole.model, who.size
        start, end = self.day[who], np.full(n, until)
        blocks: list[Block] = []
        tests = self.blood.between(start, until)
        for k, after in enumerate(tests):
            own = np.flatnonzero(start + after < until)
            blocks.append((own, start[own] + after, At.READING, Action.READING, k, 0.0))
        for under_way in self.under_way:
            doses, planned = under_way.of(who)
            blocks += drug_blocks(self.whole, under_way.drug, doses, planned, start)
        schedule = framed(blocks, start, end, tests.size)
        request = Request(
            self.parameters[:, who], schedule, self.scale[:, who], self.states[:, who],
            watch_level=np.where(np.isinf(self.event_day[:, who]), self.levels[:, who], np.inf),
        )  # fmt: skip
        kernel = kernel_of(model, request.reductions, self.varying)
        found = advance(model, request, TOLERANCE, self.threads, kernel)
        failed = found.failures()
        if failed.size:
            number = self.people.cohort.numbers[who[failed[0]]]
            text = found.describe_failure(model, schedule, int(failed[0]))
            raise SolverError(f"patient {number} {text}")
        self._note_counts(who, until, found)
        self.states[:, who] = found.states
        self.event_day[:, who] = np.minimum(self.event_day[:, who], found.crossing_day)
        acts_until = np.array([under_way.acts_until_day[who] for under_way in self.under_way])
        self.harms.advance(who, start, until, acts_until)
        self.day[who] = until
        for under_way in self.under_way:
            under_way.drop_finished(who, until)

    def _note_counts(self, who: Positions, until: float, found: Trajectories) -> None:
        """Blood tests from the last visit, whose states still stand, to the one on ``until``."""
        for line in self.whole.organs.lines:
            row = self.whole.model.index("states", line)
            counts = found.readings[:, :, self.whole.model.index("outputs", f"count_{line}")]
            self.blood.note(line, who, counts, found.states[row])
            since = np.column_stack([self.states[row, who], counts])
            self.blood.note_days(line, who, since, until - self.day[who])

    # At a visit.

    def measure(self, variable: str, visit: Visit, repeat: int = 0) -> Array:
        """Measured values of the patients of a visit."""
        who = visit.who
        if self.harms.has(variable):
            return self.harms.measure(variable, visit)
        if variable == "progression":
            return self.showed[who]
        if variable == "heart_failure":
            return (self.happened("heart_failure", who) <= visit.day).astype(np.float64)
        if variable == "fever":
            began = self.happened("febrile_neutropenia", who)
            lasts = blood_facts().parameter["fever_days"].value
            is_on = (began <= visit.day) & (visit.day < began + lasts)
            return is_on.astype(np.float64)
        if variable == "ild_grade":
            return self.lung.grade(self.happened("lung_hazard", who), who, visit.day)
        for line in self.whole.organs.lines:
            if variable == line:
                counts: Array = self.states[self.whole.model.index("states", line), who]
                self.blood.read(line, who, counts)
                return counts
        return self.hearts.measure(visit, self.true_lvef(who), repeat)

    def happened(self, hazard: str, who: Positions) -> Array:
        """Day of an event of some patients; infinite if it has not come."""
        found: Array = self.event_day[self.whole.model.watched.index(hazard), who]
        return found

    def true_mm(self, who: Positions) -> Array:
        """Sum of diameters of some patients without any error of a scan."""
        rows = [self.whole.model.index("states", name) for name in self.whole.lesions[0].states]
        volume = self.states[rows][:, who].sum(axis=0)
        found: Array = self.people.tumours.parameters["baseline_mm"][who] * np.cbrt(volume)
        return found

    def true_lvef(self, who: Positions) -> Array:
        """LVEF of some patients without any error of a scan."""
        model, known = self.whole.model, dict[str, Array]()
        for name in ("lvef_start", "heart_half", "troponin", "troponin_reference",
                     "troponin_power", "failure_hazard", "failure_base"):  # fmt: skip
            known[name] = self.parameters[model.index("parameters", name), who]
        known["heart_effect"] = self.states[model.index("states", "heart_effect"), who]
        found: Array = ejection_fraction(**known).outputs["lvef"]
        return found


def hazard_levels(whole: VirtualPatient, people: VirtualCohort, line: int = 1) -> Array:
    """Level of each cumulative hazard at which its event comes, shape (n_events, n).

    Progression elsewhere is drawn anew for each line of treatment.
    """
    stream = people.cohort.stream(Purpose.HAZARDS)
    names = [
        f"{name}:{line}" if name.startswith("elsewhere") and line > 1 else name
        for name in whole.model.watched
    ]
    return np.array([-np.log(stream.uniform(name)) for name in names])


class _LungCourse:
    """How bad interstitial lung disease is and how long it lasts, if it comes."""

    def __init__(self, whole: VirtualPatient, people: VirtualCohort) -> None:
        drug = whole.organs.on_lung
        self.known = None if drug is None else drug.toxicity.lung
        self.drawn = people.cohort.stream(Purpose.HAZARDS).uniform("ild:grade")

    def worst(self) -> Positions:
        """Grade of each patient if it comes."""
        if self.known is None:
            return np.zeros(self.drawn.size, dtype=np.int64)
        k = self.known
        later = np.cumsum([k.grade_5.value, k.grade_4.value, k.grade_3.value, k.grade_2.value])
        return 5 - np.searchsorted(later, self.drawn).astype(np.int64)

    def grade(self, onset_day: Array, who: Positions, day: float) -> Array:
        """Grade on a day."""
        assert self.known is not None
        over = onset_day + self.known.duration.to("day")
        is_on = (onset_day <= day) & (day < over)
        return np.where(is_on, self.worst()[who], 0).astype(np.float64)


def scan_error(method: str) -> float:
    """SD of a measured LVEF in points: ``echo``, ``muga``, or ``none``."""
    return 0.0 if method == "none" else heart_number(f"scan_{method}")
