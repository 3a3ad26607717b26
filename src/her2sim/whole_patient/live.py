"""Patients who live on between their visits: what is measured comes from the model itself.

At each visit the patients who come are advanced from their last visit, with the doses that were
given then. A reading is the true value with the error of its measurement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from her2sim.biology.blood import blood_facts
from her2sim.biology.heart import heart_number
from her2sim.biology.people import People
from her2sim.engine.advance import advance, kernel_of
from her2sim.engine.schedule import Action, Block, schedule_from_blocks
from her2sim.engine.trajectories import Request, Trajectories
from her2sim.errors import DataError, SolverError
from her2sim.models.agent import BY_DOSE
from her2sim.models.heart import ejection_fraction
from her2sim.protocol.book import TreatmentBook
from her2sim.protocol.readings import Visit
from her2sim.random import Purpose, uniforms
from her2sim.regimens.dose import MINUTES_PER_DAY, ROUTES
from her2sim.whole_patient.blood_tests import BloodTests
from her2sim.whole_patient.calendar import ON_THE_DAY, Calendar
from her2sim.whole_patient.composition import WholePatient
from her2sim.whole_patient.dosing import ANTHRACYCLINES, TroponinClock
from her2sim.whole_patient.harms import GradedHarms
from her2sim.whole_patient.heart_tests import HeartTests
from her2sim.whole_patient.response import Scans
from her2sim.whole_patient.run import TOLERANCE

Array = NDArray[np.float64]
Positions = NDArray[np.int64]
_CLOCK, _READ, _END, _START, _STOP = range(5)
"""Order of rows at one time."""


@dataclass
class _Pending:
    """What of one drug was given at the last visit of each patient, and how long it acts.

    Of tablets it is the amount a day, taken from ``from_day`` until they cease to act.
    """

    dose_mg: Array
    duration_min: Array
    from_day: Array
    route: Positions
    n_doses: Positions
    acts_until_day: Array
    share: Array


class LivePatients:
    """Readings of patients whose model is advanced visit by visit."""

    is_scheduled = True

    def __init__(
        self,
        whole: WholePatient,
        people: People,
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
        self.harms = GradedHarms(people, whole.drugs, given_with)
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
        self.pending = [
            _Pending(np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.int64),
                     np.zeros(n, dtype=np.int64), np.full(n, -np.inf), np.zeros(n))
            for _ in whole.drugs
        ]  # fmt: skip
        self.planned = [drug.treatment.maintenance_mg(people.cohort) for drug in whole.drugs]
        self.troponin = TroponinClock(people) if whole.organs.has_heart else None
        self.n_blocks = 0
        given = [drug.symbol("given") for drug in whole.drugs if drug.mechanism.kind in BY_DOSE]
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

    def arrive(self, visit: Visit, book: TreatmentBook) -> None:
        """Advance the patients of a visit to its day, with the doses since they came last."""
        for n, block in book.doses_since(self.n_blocks):
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

    def next_day(self, who: Positions) -> Array:
        """When scans and tests of the heart are due next."""
        found: Array = np.minimum(self.scans.next_day[who], self.hearts.next_day[who])
        return found

    def _note(self, n: int, block: dict[str, NDArray[np.generic] | float]) -> None:
        """Doses of a drug on a day: they act from here on."""
        columns = {name: np.broadcast_to(np.asarray(v), n) for name, v in block.items()}
        d, who = int(columns["drug"][0]), columns["patient"].astype(np.int64)
        drug, pending = self.whole.drugs[d], self.pending[d]
        dose, day = columns["dose_mg"].astype(np.float64), columns["day"].astype(np.float64)
        number, every = columns["number"].astype(np.int64), columns["every_day"]
        tablets = every > 0
        pending.dose_mg[who] = np.where(tablets, dose / np.where(tablets, every, 1.0), dose)
        pending.from_day[who] = day
        pending.duration_min[who] = columns["duration_min"]
        pending.route[who] = columns["route"].astype(np.int64)
        pending.n_doses[who] += number
        interval = drug.treatment.regimen.phases[-1].interval_min / MINUTES_PER_DAY
        pending.acts_until_day[who] = day + number * interval
        pending.share[who] = dose / self.planned[d][who]
        for effect in drug.treatment.pk.cycle_effect if drug.has_levels else ():
            name = drug.symbol(effect.on)
            if name in self.whole.model.parameters:
                pk = drug.treatment.pk
                first = pk.internal(effect.on, pk.parameter[effect.on])
                most = int(pending.n_doses[who].max())
                factors = np.array([effect.factor(k) for k in range(1, most + 1)])
                row = self.whole.model.index("parameters", name)
                self.parameters[row, who] = first * factors[pending.n_doses[who] - 1]
        if self.troponin is not None and drug.treatment.drug.id in ANTHRACYCLINES:
            row = self.whole.model.index("parameters", "troponin")
            self.parameters[row, who] = self.troponin.after(who, day, dose)

    def _advance(self, who: Positions, until: float) -> None:
        model, n = self.whole.model, who.size
        local = np.arange(n)
        parameters = self.parameters[:, who]
        blocks: list[Block] = [
            (local, np.zeros(n), _CLOCK, Action.CLOCK, 0, self.day[who]),
            (local, np.full(n, until), _STOP, Action.STOP, 0, 0.0),
        ]
        tests = self.blood.between(self.day[who], until)
        for k, after in enumerate(tests):
            own = np.flatnonzero(self.day[who] + after < until)
            blocks.append((own, self.day[who[own]] + after, _READ, Action.READING, k, 0.0))
        for d in range(len(self.whole.drugs)):
            blocks += self._doses(d, who, parameters, until)
        schedule = schedule_from_blocks(blocks, n, until, n_readings=tests.size)
        request = Request(
            parameters, schedule, self.scale[:, who], self.states[:, who],
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
        acts_until = np.array([pending.acts_until_day[who] for pending in self.pending])
        self.harms.advance(who, self.day[who], until, acts_until)
        self.day[who] = until
        for pending in self.pending:
            pending.dose_mg[who] = 0.0

    def _note_counts(self, who: Positions, until: float, found: Trajectories) -> None:
        """Blood tests from the last visit, whose states still stand, to the one on ``until``."""
        for line in self.whole.organs.lines:
            row = self.whole.model.index("states", line)
            counts = found.readings[:, :, self.whole.model.index("outputs", f"count_{line}")]
            self.blood.note(line, who, counts, found.states[row])
            since = np.column_stack([self.states[row, who], counts])
            self.blood.note_days(line, who, since, until - self.day[who])

    def _doses(self, d: int, who: Positions, parameters: Array, until: float) -> Iterator[Block]:
        """Rows of one drug after its last dose; what still acts is set in ``parameters``."""
        drug, pending = self.whole.drugs[d], self.pending[d]
        day = self.day[who]
        if drug.mechanism.kind in BY_DOSE and self.whole.lesions:
            row = self.whole.model.index("parameters", drug.symbol("given"))
            acts_until = pending.acts_until_day[who]
            acts, begins = acts_until > day, pending.from_day[who] > day
            parameters[row] = np.where(acts & ~begins, pending.share[who], 0.0)
            later = np.flatnonzero(acts & begins)
            start, share = pending.from_day[who[later]], pending.share[who[later]]
            yield later, start, _START, Action.PARAMETER, row, share
            own = np.flatnonzero(acts)
            yield own, acts_until[own], _END, Action.PARAMETER, row, 0.0
        if not drug.has_levels:
            return
        pk, amount = drug.treatment.pk, pending.dose_mg[who]
        if drug.is_tablets:
            own = np.flatnonzero(amount > 0)
            state = drug.symbol(pk.structural.dosed["oral"])
            target = self.whole.model.index("states", state)
            start = np.maximum(pending.from_day[who[own]], day[own])
            over = np.minimum(pending.acts_until_day[who[own]], until)
            yield own, start, _START, Action.INFUSION, target, amount[own]
            yield own, over, _END, Action.INFUSION, target, 0.0
            return
        for k in np.unique(pending.route[who[amount > 0]]):
            own = np.flatnonzero((amount > 0) & (pending.route[who] == k))
            route = ROUTES[k]
            target = self.whole.model.index("states", drug.symbol(pk.structural.dosed[route]))
            start = day[own] + (0.0 if route == "iv" else pk.lag_day())
            days = pending.duration_min[who[own]] / MINUTES_PER_DAY
            lasts = days > 0
            if (start + days > until).any():
                raise DataError(
                    f"{drug.treatment.drug.id}: a dose is not in by the next visit on day {until:g}"
                )
            rate = amount[own][lasts] / days[lasts]
            yield own[lasts], start[lasts], _START, Action.INFUSION, target, rate
            yield own[lasts], (start + days)[lasts], _END, Action.INFUSION, target, 0.0
            yield own[~lasts], start[~lasts], _START, Action.BOLUS, target, amount[own][~lasts]

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


def hazard_levels(whole: WholePatient, people: People, line: int = 1) -> Array:
    """Level of each cumulative hazard at which its event comes, shape (n_events, n).

    Progression elsewhere is drawn anew for each line of treatment.
    """
    cohort = people.cohort
    key = (cohort.seed, cohort.replicate, cohort.numbers, Purpose.HAZARDS)
    names = [
        f"{name}:{line}" if name.startswith("elsewhere") and line > 1 else name
        for name in whole.model.watched
    ]
    return np.array([-np.log(uniforms(*key, name)) for name in names])


class _LungCourse:
    """How bad interstitial lung disease is and how long it lasts, if it comes."""

    def __init__(self, whole: WholePatient, people: People) -> None:
        drug = whole.organs.on_lung
        self.known = None if drug is None else drug.toxicity.lung
        cohort = people.cohort
        key = (cohort.seed, cohort.replicate, cohort.numbers, Purpose.HAZARDS)
        self.drawn = uniforms(*key, "ild:grade")

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
