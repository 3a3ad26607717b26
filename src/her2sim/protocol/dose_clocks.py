"""When each drug is due, and what is given: loading or maintenance, dose level, shortages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from her2sim.arrays import Array, Mask, Positions
from her2sim.patients.cohort import Cohort
from her2sim.protocol.cumulative_dose import with_dose_due
from her2sim.protocol.plan import Protocol
from her2sim.protocol.recorder import TreatmentRecorder
from her2sim.protocol.rule_states import NEVER, ON_THE_DAY
from her2sim.protocol.supply import Shortage
from her2sim.regimens.dose import MINUTES_PER_DAY, ROUTES, mg_of
from her2sim.regimens.dosing_record import Why
from her2sim.regimens.regimen import Phase


class DoseClocks:
    """Clocks of each drug of each patient; every array is (drugs, n)."""

    def __init__(self, protocol: Protocol, cohort: Cohort, recorder: TreatmentRecorder) -> None:
        self.protocol, self.cohort, self.recorder = protocol, cohort, recorder
        self.plans = protocol.plans
        shape = (len(self.plans), cohort.n_patients)
        self.n_doses = np.zeros(shape, dtype=np.int64)
        self.n_missed = np.zeros(shape, dtype=np.int64)
        self.last_dose_day = np.full(shape, -NEVER)
        self.owed_day = np.full(shape, NEVER)
        self.given_mg = np.zeros(shape)
        starts = [[plan.phase.start_min / MINUTES_PER_DAY] for plan in self.plans]
        self.due_day = np.repeat(np.reshape(starts, (-1, 1)), cohort.n_patients, axis=1)
        self.parts_before = [self._parts_before(d) for d in range(len(self.plans))]

    def _parts_before(self, d: int) -> list[int]:
        """Drugs whose planned doses all come before a drug begins."""
        start = self.plans[d].phase.start_min
        phases = [plan.phase for plan in self.plans]
        return [
            p
            for p, phase in enumerate(phases)
            if phase.n_doses is not None
            and phase.treated_min is None
            and phase.start_min + (phase.n_doses - 1) * phase.interval_min < start
        ]

    def wait_for_parts_before(self, today: Array, who: Positions, goes_on: Sequence[Mask]) -> None:
        """Let drugs that follow others begin later where those are late.

        A drug begins by as much later as the last dose of a drug before it comes later than
        planned; a drug that has stopped is not waited for.

        Parameters
        ----------
        today : day of each patient of the cohort, shape (n,)
        who : patients of a visit
        goes_on : for each drug, which of them have not stopped it
        """
        for d, before in enumerate(self.parts_before):
            waits = self.n_doses[d, who] == 0
            for p in before if waits.any() else ():
                chosen = waits & goes_on[p]
                late, phase = who[chosen], self.plans[p].phase
                n_doses, every = phase.n_doses or 0, self.plans[p].interval_day
                left = n_doses - self.n_doses[p, late]
                following = np.maximum(self.due_day[p, late], today[late])
                last = following + (left - 1) * every
                last = np.where(left > 0, last, self.last_dose_day[p, late])
                days_late = last - (phase.start_min / MINUTES_PER_DAY + (n_doses - 1) * every)
                begins = self.plans[d].phase.start_min / MINUTES_PER_DAY + days_late
                self.due_day[d, late] = np.maximum(self.due_day[d, late], begins)

    def next_day(self, d: int, who: Positions) -> Array:
        """When a drug is due next; never after its last dose."""
        n_doses = self.plans[d].phase.n_doses
        if n_doses is None:
            return np.asarray(self.due_day[d, who])
        return np.where(self.n_doses[d, who] < n_doses, self.due_day[d, who], NEVER)

    def has_ended(self, d: int, who: Positions) -> Mask:
        """Who has had the last dose that is planned of a drug."""
        n_doses = self.plans[d].phase.n_doses
        if n_doses is None:
            return np.zeros(who.size, dtype=bool)
        return np.asarray(self.n_doses[d, who] >= n_doses)

    def cumulative_mg_per_m2(self, d: int, who: Positions, level: Positions) -> Array:
        """The dose of a drug in all if the next were given at the dose level of each patient."""
        surface = self.cohort.covariate("bsa_m2")[who]
        return with_dose_due(self.plans[d], self.given_mg[d, who] / surface, level[who])

    def give_due(
        self, d: int, today: Array, who: Positions, allowed: Mask, level: Positions
    ) -> None:
        """Give a drug to those of a visit who may have it, at their dose level, if it is due.

        ``today`` is the day of each patient of the cohort, shape (n,).
        """
        day = today[who]
        phase = self.plans[d].phase
        if phase.treated_min is not None:
            self.due_day[d, who] = _treated_day(phase, np.maximum(self.due_day[d, who], day))
        given = who[allowed & (self.next_day(d, who) <= day + ON_THE_DAY)]
        given = self._not_missed(d, today, given)
        for shortage in self.protocol.shortages:
            if shortage.drug == self.plans[d].drug and given.size:
                given = self._supply(d, shortage, today, given, level)
        self._give(d, phase, today, given, level)

    def dispense(
        self, d: int, today: Array, who: Positions, allowed: Mask, level: Positions, until: Array
    ) -> None:
        """Hand out tablets to those of a visit who may have them, for the days until the next.

        ``until`` is the day of the next visit of each.
        """
        phase, interval = self.plans[d].phase, self.plans[d].interval_day
        self.due_day[d, who] = _treated_day(phase, np.maximum(self.due_day[d, who], today[who]))
        wanted = allowed & (self.next_day(d, who) < until - ON_THE_DAY)
        given = who[wanted]
        for shortage in self.protocol.shortages:
            if shortage.drug == self.plans[d].drug and given.size:
                given = self._supply(d, shortage, today, given, level)
        if not given.size:
            return
        first = self.due_day[d, given]
        last = np.minimum(until[np.isin(who, given)], _treated_until(phase, first))
        number = np.ceil((last - first) / interval - ON_THE_DAY).astype(np.int64)
        if phase.n_doses is not None:
            number = np.minimum(number, phase.n_doses - self.n_doses[d, given])
        amount = phase.maintenance.amount * self.plans[d].level_factor(level[given])
        amount = self._mg(amount, phase, given)
        self.recorder.dose(
            given, drug=d, day=first, dose_mg=amount, duration_min=0.0, level=level[given],
            why=np.full(given.size, Why.MAINTENANCE), route=ROUTES.index(phase.route),
            number=number, every_day=interval,
        )  # fmt: skip
        self.n_doses[d, given] += number
        self.given_mg[d, given] += number * amount
        self.last_dose_day[d, given] = first + (number - 1) * interval
        self.owed_day[d, given] = NEVER
        self.due_day[d, given] = _treated_day(phase, first + number * interval)

    def _not_missed(self, d: int, today: Array, due: Positions) -> Positions:
        """Who gets a dose that is due; the others miss it, as planned, and come for the next."""
        missed = self.plans[d].phase.missed
        if not missed:
            return due
        is_missed = np.isin(self.n_doses[d, due] + 1, list(missed))
        without = due[is_missed]
        self.n_doses[d, without] += 1
        self._goes_without(d, today, without, self.plans[d].interval_day)
        return due[~is_missed]

    def _goes_without(self, d: int, today: Array, without: Positions, wait_day: float) -> None:
        """Count a dose that was not given, from when it is owed, and when it is asked for again."""
        self.n_missed[d, without] += 1
        self.owed_day[d, without] = np.minimum(self.owed_day[d, without], today[without])
        self.due_day[d, without] = today[without] + wait_day

    def _supply(
        self, d: int, shortage: Shortage, today: Array, wanted: Positions, level: Positions
    ) -> Positions:
        """Who gets the drug in a shortage; the others wait, go without, or get the substitute."""
        missing = shortage.is_missing(today[wanted], self.cohort, wanted)
        without = wanted[missing]
        if shortage.instead is not None:
            self._give(d, shortage.instead, today, without, level, is_substitute=True)
            return wanted[~missing]
        is_late = shortage.policy == "delay"
        wait = shortage.retry_day if is_late else self.plans[d].interval_day
        self._goes_without(d, today, without, wait)
        return wanted[~missing]

    def _give(
        self,
        d: int,
        phase: Phase,
        today: Array,
        given: Positions,
        level: Positions,
        is_substitute: bool = False,
    ) -> None:
        """Doses of one drug, each on the day of its patient."""
        if not given.size:
            return
        day = today[given]
        plan = self.plans[d]
        is_first = self.n_doses[d, given] == 0
        reloads = ~is_first & self._is_reload(d, day, given) & (phase.loading is not None)
        loading = phase.loading or phase.maintenance
        is_loading = is_first | reloads
        amount = np.where(is_loading, loading.amount, phase.maintenance.amount)
        minutes = np.where(is_loading, loading.duration_min, phase.maintenance.duration_min)
        amount = self._mg(amount * plan.level_factor(level[given]), phase, given)
        why = np.where(reloads, Why.RELOAD, np.where(is_first, Why.LOADING, Why.MAINTENANCE))
        if phase.loading is None:
            why = np.full(given.size, Why.MAINTENANCE)
        if is_substitute:
            why = np.full(given.size, Why.SUBSTITUTE)
        self.recorder.dose(
            given, drug=d, day=day, dose_mg=amount, duration_min=minutes,
            level=level[given], why=why,
            route=ROUTES.index(phase.route), number=1, every_day=0.0,
        )  # fmt: skip
        self.n_doses[d, given] += 1
        self.given_mg[d, given] += amount
        self.last_dose_day[d, given] = day
        self.owed_day[d, given] = NEVER
        self.due_day[d, given] = _treated_day(plan.phase, day + plan.interval_day)

    def _mg(self, amount: Array, phase: Phase, who: Positions) -> Array:
        """Amounts of a phase in mg, by the size of each patient."""
        unit = phase.maintenance.unit
        found: Array = mg_of(amount, unit, lambda name: self.cohort.covariate(name)[who])
        return found

    def _is_reload(self, d: int, day: Array, who: Positions) -> Mask:
        label, owed = self.plans[d].label, self.owed_day[d, who]
        if label is None or label.reload is None:
            return np.zeros(who.size, dtype=bool)
        late = day - np.minimum(self.due_day[d, who], owed)
        reloads = label.is_reload(late, day - self.last_dose_day[d, who])
        for shortage in self.protocol.shortages:
            if shortage.drug == self.plans[d].drug and shortage.reload == "never":
                reloads &= np.isinf(owed)
        return reloads


def _treated_day(phase: Phase, day: Array) -> Array:
    """Days, moved out of the rest of a period to the start of the next.

    Periods count from the first dose; what a hold left out is not made up for.
    """
    if phase.treated_min is None:
        return day
    start, treated, period = (
        minutes / MINUTES_PER_DAY
        for minutes in (phase.start_min, phase.treated_min, phase.period_min)
    )
    number, place = np.divmod(day - start + ON_THE_DAY, period)
    return np.where(place < treated, day, start + (number + 1) * period)


def _treated_until(phase: Phase, day: Array) -> Array:
    """Where the treated part of the period of some days ends."""
    if phase.treated_min is None:
        return np.full(day.size, NEVER)
    start, treated, period = (
        minutes / MINUTES_PER_DAY
        for minutes in (phase.start_min, phase.treated_min, phase.period_min)
    )
    return start + np.floor((day - start + ON_THE_DAY) / period) * period + treated
