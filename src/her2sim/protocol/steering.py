"""The visits of a cohort: reading, decision, dose; nothing is fixed beyond the next decision.

All patients who are due on a day are seen together. Their readings are taken, each rule of each
drug is evaluated, the strictest decision wins, and what is due and allowed is given. Clocks run
per drug.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from her2sim.errors import DataError
from her2sim.patients.cohort import Cohort
from her2sim.protocol.conditions import Condition
from her2sim.protocol.label import CONDITIONS, Label, Partner, Rule, Setting
from her2sim.protocol.ledger import Decision, DecisionLog, Ledger, Why
from her2sim.protocol.readings import Readings, Visit
from her2sim.protocol.supply import Shortage
from her2sim.protocol.variables import CLOCKS, DERIVED
from her2sim.regimens.dose import MINUTES_PER_DAY, ROUTES, SCALED_BY
from her2sim.regimens.regimen import Phase, Regimen

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Positions = NDArray[np.int64]
LLN_PERCENT = 50.0
NEVER = np.inf
ON_THE_DAY = 1e-6


@dataclass(frozen=True)
class DrugPlan:
    """A drug of a protocol: its planned regimen, and the label whose rules steer it (if any)."""

    drug: str
    regimen: Regimen
    label: Label | None = None

    @property
    def phase(self) -> Phase:
        """The plan in one phase."""
        if len(self.regimen.phases) != 1:
            raise DataError(f"{self.drug}: a protocol starts from a regimen of one phase")
        return self.regimen.phases[0]

    @property
    def interval_day(self) -> float:
        """Planned days between doses."""
        return self.phase.interval_min / MINUTES_PER_DAY

    def level_factor(self, level: NDArray[np.int64]) -> Array:
        """Share of the full dose at each level."""
        levels = self.label.level if self.label is not None else ()
        shares = np.array(levels) / levels[0] if levels else np.ones(1)
        return np.asarray(shares[level])

    @property
    def n_levels(self) -> int:
        """How many dose levels there are; below the last the drug stops."""
        return len(self.label.level) if self.label is not None and self.label.level else 1


@dataclass(frozen=True)
class Protocol:
    """What steers a cohort: drugs with their labels, the setting, and policies by name.

    ``lln_percent`` is the institution's lower limit of normal of the LVEF. With
    ``is_confirmed_by_repeat``, a hold needs a second, independent measurement that agrees.
    ``unconfirmed`` rules rest on text that was not read.
    """

    plans: tuple[DrugPlan, ...]
    setting: Setting
    end_day: float
    lln_percent: float = LLN_PERCENT
    is_confirmed_by_repeat: bool = False
    unconfirmed: bool = True
    shortages: tuple[Shortage, ...] = ()


@dataclass(frozen=True, eq=False)
class Steered:
    """The realised treatment of a cohort.

    ``days_on_hold``, ``n_reductions``, ``n_missed`` (visits at which the drug was not to be had and
    nothing was given) and ``stopped_day`` (infinite if it went on) have shape (n_drugs, n);
    ``stop_rule`` is the position of the rule in the log's rules, -1 without one.
    """

    protocol: Protocol
    cohort: Cohort
    ledger: Ledger
    log: DecisionLog
    days_on_hold: Array
    n_reductions: NDArray[np.int64]
    n_missed: NDArray[np.int64]
    stopped_day: Array
    stop_rule: NDArray[np.int64]


@dataclass
class _Book:
    """Columns that grow by one block a visit."""

    names: tuple[str, ...]
    blocks: list[tuple[NDArray[np.float64], ...]] = field(default_factory=list)

    def add(self, *columns: NDArray[np.generic]) -> None:
        if columns[0].size:
            self.blocks.append(tuple(np.asarray(c, dtype=np.float64) for c in columns))

    def column(self, name: str) -> Array:
        position = self.names.index(name)
        parts = [block[position] for block in self.blocks]
        return np.concatenate(parts) if parts else np.empty(0)


DOSE_COLUMNS = ("patient", "drug", "day", "dose_mg", "duration_min", "level", "why", "route")
LOG_COLUMNS = ("patient", "drug", "day", "rule", "decision", "reading")


def steer(protocol: Protocol, cohort: Cohort, readings: Readings) -> Steered:
    """Treat a cohort by a protocol, visit by visit.

    Parameters
    ----------
    protocol : drugs, labels and policies
    cohort : patients
    readings : where measured values come from

    Returns
    -------
    Steered
    """
    return _Clinic(protocol, cohort, readings).run()


@dataclass(frozen=True)
class _Row:
    """A rule at work: its drug, its position in the log, its parsed conditions."""

    drug: int
    rule: Rule
    conditions: Mapping[str, Condition | None]
    variables: tuple[str, ...]

    def measured(self) -> tuple[str, ...]:
        """What has to be measured for it."""
        sources = (DERIVED.get(v, (v,)) for v in self.variables if v not in CLOCKS)
        return tuple(dict.fromkeys(name for names in sources for name in names))


class _Clinic:
    """State of all patients between two visits; every array is (rows or drugs, n)."""

    def __init__(self, protocol: Protocol, cohort: Cohort, readings: Readings) -> None:
        self.protocol, self.cohort, self.readings = protocol, cohort, readings
        self.plans, n = protocol.plans, cohort.n_patients
        self.rows = [
            _Row(d, rule, {name: rule.condition(name) for name in CONDITIONS}, rule.variables())
            for d, plan in enumerate(self.plans)
            if plan.label is not None
            for rule in plan.label.rules_for(protocol.setting, protocol.unconfirmed)
        ]
        n_drugs, n_rows = len(self.plans), len(self.rows)
        self.held = np.zeros((n_rows, n), dtype=bool)
        self.n_held = np.zeros(n_rows, dtype=np.int64)
        self.n_clocks_running = 0
        self.has_stopped = False
        self.held_since = np.zeros((n_rows, n))
        self.n_holds = np.zeros((n_rows, n), dtype=np.int64)
        self.stopped_day = np.full((n_drugs, n), NEVER)
        self.stop_rule = np.full((n_drugs, n), -1, dtype=np.int64)
        self.level = np.zeros((n_drugs, n), dtype=np.int64)
        self.reduced_day = np.full((n_drugs, n), -NEVER)
        self.n_doses = np.zeros((n_drugs, n), dtype=np.int64)
        self.last_dose_day = np.full((n_drugs, n), -NEVER)
        self.due_day = np.repeat(
            [[plan.phase.start_min / MINUTES_PER_DAY] for plan in self.plans], n, axis=1
        )
        self.hold_began = np.full((n_drugs, n), np.nan)
        self.days_on_hold = np.zeros((n_drugs, n))
        self.n_reductions = np.zeros((n_drugs, n), dtype=np.int64)
        self.n_missed = np.zeros((n_drugs, n), dtype=np.int64)
        self.owed_day = np.full((n_drugs, n), NEVER)
        self.baseline: dict[str, Array] = {}
        self.test_day: dict[str, Array] = {}
        self.every: dict[str, float | None] = self._test_intervals()
        self.doses, self.log = _Book(DOSE_COLUMNS), _Book(LOG_COLUMNS)
        self.visit_day = self.due_day.min(axis=0)
        self.seen_day = np.full(n, -NEVER)

    def _test_intervals(self) -> dict[str, float | None]:
        """How often each variable is measured (None: at each visit): the shortest of all labels."""
        found: dict[str, float | None] = {}
        for row in self.rows:
            for variable in row.measured():
                if self.readings.has(variable):
                    found.setdefault(variable, None)
        if not self.readings.is_scheduled:
            return found
        for plan in self.plans:
            for line in plan.label.monitoring if plan.label is not None else ():
                known = found.get(line.variable)
                if line.variable in found and line.every_days is not None:
                    found[line.variable] = min(known or line.every_days, line.every_days)
        return found

    def run(self) -> Steered:
        """All visits in order of days."""
        while True:
            day = float(self.visit_day.min()) if self.visit_day.size else NEVER
            if day >= self.protocol.end_day:
                break
            who = np.flatnonzero(self.visit_day <= day + ON_THE_DAY)
            self._see(day, who)
        open_holds = ~np.isnan(self.hold_began) & np.isinf(self.stopped_day)
        rest = np.where(open_holds, self.protocol.end_day - self.hold_began, 0.0)
        return Steered(
            self.protocol,
            self.cohort,
            self._ledger(),
            self._decisions(),
            self.days_on_hold + rest,
            self.n_reductions,
            self.n_missed,
            self.stopped_day,
            self.stop_rule,
        )

    def _see(self, day: float, who: Positions) -> None:
        """One visit of the patients who are due: reading, decision, dose, next visit."""
        visit = Visit(day, who, self.seen_day[who])
        values = self._read(visit)
        for number in range(len(self.rows)):
            self._apply(number, visit, values)
        self._follow_partners(day, who)
        self._keep_hold_clock(day, who)
        for d in range(len(self.plans)):
            self._dose(d, day, who)
        self._plan_next(day, who)
        self.seen_day[who] = day

    # Readings.

    def _read(self, visit: Visit) -> dict[str, Array]:
        """Measured values; NaN for what is not due."""
        day, who = visit.day, visit.who
        values: dict[str, Array] = {}
        for variable, every in self.every.items():
            if variable not in self.baseline:
                self.baseline[variable] = np.full(self.cohort.n_patients, np.nan)
                self.test_day[variable] = np.full(self.cohort.n_patients, -NEVER)
            due = self.test_day[variable][who] <= day + ON_THE_DAY
            if every is not None:
                due |= self._is_watched(variable, who)
            found = np.full(who.size, np.nan)
            tested = who[due]
            found[due] = self.readings.measure(variable, visit.of(due))
            first = np.isnan(self.baseline[variable][tested])
            self.baseline[variable][tested[first]] = found[due][first]
            if every is not None:
                self.test_day[variable][tested] = day + every
            values[variable] = found
        self._add_derived(values, who)
        return values

    def _is_watched(self, variable: str, who: Positions) -> Mask:
        """Whether a hold waits for a reading of a variable."""
        watched = np.zeros(who.size, dtype=bool)
        for number, row in enumerate(self.rows):
            if self.n_held[number] and variable in row.measured():
                watched |= self.held[number, who]
        return watched

    def _add_derived(self, values: dict[str, Array], who: Positions) -> None:
        if "lvef" in values:
            values["lvef_drop"] = self.baseline["lvef"][who] - values["lvef"]
        if "ast" in values and "alt" in values:
            values["transaminase"] = np.fmax(values["ast"], values["alt"])

    # Decisions.

    def _apply(self, number: int, visit: Visit, values: Mapping[str, Array]) -> None:
        """One rule on the patients of a visit; stopping wins over holding, that over lowering."""
        day, who = visit.day, visit.who
        row, d = self.rows[number], self.rows[number].drug
        if not self.n_held[number] and not any(v in values for v in row.variables):
            return
        active = np.isinf(self.stopped_day[d, who])
        held = self.held[number, who] & active
        since = day - self.held_since[number, who]
        stop = self._holds(row.conditions["stop_when"], values, who) & active
        values = {**values, "days_held": since}
        stop |= held & self._holds(row.conditions["stop_held_when"], values, who)
        resume = held & self._holds(row.conditions["resume_when"], values, who)
        resume &= since >= row.rule.min_hold_days - ON_THE_DAY
        hold = self._holds(row.conditions["hold_when"], values, who) & active & ~held
        if self.protocol.is_confirmed_by_repeat and hold.any():
            hold &= self._is_confirmed(row, visit, hold)
        if row.rule.max_hold_days is not None:
            stop |= held & ~resume & (since >= row.rule.max_hold_days - ON_THE_DAY)
        if row.rule.max_holds is not None:
            stop |= hold & (self.n_holds[number, who] >= row.rule.max_holds)
        hold, resume = hold & ~stop, resume & ~stop
        reduce = self._holds(row.conditions["reduce_when"], values, who) & active & ~stop & ~hold
        if row.rule.resume_level == "one_down":
            reduce |= resume
        reduce |= resume & self._holds(row.conditions["one_down_when"], values, who)
        reduce &= self.reduced_day[d, who] < day  # several rules of one day lower it once
        too_low = reduce & (self.level[d, who] + 1 >= self.plans[d].n_levels)
        stop, reduce, resume = stop | too_low, reduce & ~too_low, resume & ~too_low
        self.held[number, who[hold]] = True
        self.held_since[number, who[hold]] = day
        self.n_holds[number, who[hold]] += 1
        ended = (resume | stop) & held
        self.held[number, who[ended]] = False
        self.n_held[number] += int(hold.sum()) - int(ended.sum())
        self.level[d, who[reduce]] += 1
        self.reduced_day[d, who[reduce]] = day
        self.n_reductions[d, who[reduce]] += 1
        self._stop(d, day, who[stop], number)
        reading = values.get(row.rule.variables()[0], np.full(who.size, np.nan))
        for chosen, decision in (
            (hold, Decision.HOLD), (resume, Decision.RESUME), (reduce, Decision.REDUCE),
            (stop, Decision.STOP),
        ):  # fmt: skip
            n = int(chosen.sum())
            self.log.add(
                who[chosen], np.full(n, d), np.full(n, day), np.full(n, number),
                np.full(n, int(decision)), reading[chosen],
            )  # fmt: skip

    def _holds(
        self, condition: Condition | None, values: Mapping[str, Array], who: Positions
    ) -> Mask:
        if condition is None or not any(v in values for v in condition.variables):
            return np.zeros(who.size, dtype=bool)
        unknown = np.full(who.size, np.nan)
        known = {v: values.get(v, unknown) for v in condition.variables}
        return condition.holds(known, {"lln": self.protocol.lln_percent})

    def _is_confirmed(self, row: _Row, visit: Visit, asked: Mask) -> Mask:
        """Whether a second measurement of the same day agrees."""
        who = visit.who
        again: dict[str, Array] = {}
        for variable in self.every:
            again[variable] = np.full(who.size, np.nan)
            again[variable][asked] = self.readings.measure(variable, visit.of(asked), 1)
        self._add_derived(again, who)
        return self._holds(row.conditions["hold_when"], again, who)

    def _stop(self, d: int, day: float, who: Positions, number: int) -> None:
        self.stopped_day[d, who] = day
        self.stop_rule[d, who] = number
        self.has_stopped |= who.size > 0

    def _is_held(self, d: int, who: Positions) -> Mask:
        held = np.zeros(who.size, dtype=bool)
        for number, row in enumerate(self.rows):
            if row.drug == d and self.n_held[number]:
                held |= self.held[number, who]
        for line in self._partners(d):
            if line.if_held == "hold":
                for p, plan in enumerate(self.plans):
                    if plan.drug == line.drug:
                        held |= self._is_held(p, who)
        return held

    def _partners(self, d: int) -> tuple[Partner, ...]:
        label = self.plans[d].label
        return () if label is None else label.partner

    def _follow_partners(self, day: float, who: Positions) -> None:
        """Stop what does not go on without its partner."""
        if not self.has_stopped:
            return
        for d in range(len(self.plans)):
            for line in self._partners(d):
                for p, plan in enumerate(self.plans):
                    if plan.drug == line.drug and line.if_stopped == "stop":
                        ended = np.isinf(self.stopped_day[d, who])
                        ended &= ~np.isinf(self.stopped_day[p, who])
                        self.stopped_day[d, who[ended]] = day
                        self.stop_rule[d, who[ended]] = self.stop_rule[p, who[ended]]

    def _keep_hold_clock(self, day: float, who: Positions) -> None:
        """Days on hold run from the visit that held to the one that resumed or stopped."""
        if not self.n_held.any() and not self.n_clocks_running:
            return
        for d in range(len(self.plans)):
            active = np.isinf(self.stopped_day[d, who])
            held = self._is_held(d, who) & active
            running = ~np.isnan(self.hold_began[d, who])
            over = running & ~held
            self.days_on_hold[d, who[over]] += day - self.hold_began[d, who[over]]
            self.hold_began[d, who[over]] = np.nan
            begun = held & ~running
            self.hold_began[d, who[begun]] = day
            self.n_clocks_running += int(begun.sum()) - int(over.sum())

    # Doses.

    def _dose(self, d: int, day: float, who: Positions) -> None:
        """Give what is due and allowed."""
        plan, phase = self.plans[d], self.plans[d].phase
        if phase.treated_min is not None:
            self.due_day[d, who] = _treated_day(phase, np.maximum(self.due_day[d, who], day))
        allowed = np.isinf(self.stopped_day[d, who]) & ~self._is_held(d, who)
        allowed &= self.due_day[d, who] <= day + ON_THE_DAY
        if phase.n_doses is not None:
            allowed &= self.n_doses[d, who] < phase.n_doses
        given = who[allowed]
        for shortage in self.protocol.shortages:
            if shortage.drug == plan.drug and given.size:
                given = self._supply(d, shortage, day, given)
        self._give(d, phase, day, given)

    def _supply(self, d: int, shortage: Shortage, day: float, wanted: Positions) -> Positions:
        """Who gets the drug in a shortage; the others wait, go without, or get the substitute."""
        missing = shortage.is_missing(day, self.cohort, wanted)
        without = wanted[missing]
        if shortage.instead is not None:
            self._give(d, shortage.instead, day, without, is_substitute=True)
            return wanted[~missing]
        self.n_missed[d, without] += 1
        self.owed_day[d, without] = np.minimum(self.owed_day[d, without], day)
        is_late = shortage.policy == "delay"
        wait = shortage.retry_day if is_late else self.plans[d].interval_day
        self.due_day[d, without] = day + wait
        return wanted[~missing]

    def _give(
        self, d: int, phase: Phase, day: float, given: Positions, is_substitute: bool = False
    ) -> None:
        """Doses of one drug on a day."""
        if not given.size:
            return
        plan = self.plans[d]
        is_first = self.n_doses[d, given] == 0
        reloads = ~is_first & self._is_reload(d, day, given) & (phase.loading is not None)
        loading = phase.loading or phase.maintenance
        is_loading = is_first | reloads
        amount = np.where(is_loading, loading.amount, phase.maintenance.amount)
        minutes = np.where(is_loading, loading.duration_min, phase.maintenance.duration_min)
        amount = amount * plan.level_factor(self.level[d, given])
        basis = SCALED_BY[phase.maintenance.unit]
        if basis is not None:
            amount = amount * self.cohort.covariate(basis)[given]
        why = np.where(reloads, Why.RELOAD, np.where(is_first, Why.LOADING, Why.MAINTENANCE))
        if phase.loading is None:
            why = np.full(given.size, Why.MAINTENANCE)
        if is_substitute:
            why = np.full(given.size, Why.SUBSTITUTE)
        self.doses.add(
            given, np.full(given.size, d), np.full(given.size, day), amount, minutes,
            self.level[d, given], why, np.full(given.size, ROUTES.index(phase.route)),
        )  # fmt: skip
        self.n_doses[d, given] += 1
        self.last_dose_day[d, given] = day
        self.owed_day[d, given] = NEVER
        self.due_day[d, given] = _treated_day(
            plan.phase, day + np.full(given.size, plan.interval_day)
        )

    def _is_reload(self, d: int, day: float, who: Positions) -> Mask:
        label = self.plans[d].label
        if label is None or label.reload is None:
            return np.zeros(who.size, dtype=bool)
        owed = self.owed_day[d, who]
        clocks = {
            "days_late": day - np.minimum(self.due_day[d, who], owed),
            "days_since_dose": day - self.last_dose_day[d, who],
        }
        reloads = label.reload_condition().holds(clocks, {})
        for shortage in self.protocol.shortages:
            if shortage.drug == self.plans[d].drug and shortage.reload == "never":
                reloads &= np.isinf(owed)
        return reloads

    # The next visit.

    def _plan_next(self, day: float, who: Positions) -> None:
        """The earliest dose that is due, or the recheck of a hold."""
        following = np.full(who.size, NEVER)
        for d, plan in enumerate(self.plans):
            going_on = np.isinf(self.stopped_day[d, who])
            if plan.phase.n_doses is not None:
                going_on &= self.n_doses[d, who] < plan.phase.n_doses
            held = self._is_held(d, who)
            due = np.where(going_on & ~held, self.due_day[d, who], NEVER)
            following = np.minimum(following, due)
        for number in np.flatnonzero(self.n_held):
            row = self.rows[number]
            waits = self.held[number, who] & np.isinf(self.stopped_day[row.drug, who])
            recheck = row.rule.recheck_days or self.plans[row.drug].interval_day
            following = np.where(waits, np.minimum(following, day + recheck), following)
        self.visit_day[who] = np.maximum(following, day + ON_THE_DAY * 10)

    # Results.

    def _ledger(self) -> Ledger:
        patient, drug, day, dose, minutes, level, why, route = map(self.doses.column, DOSE_COLUMNS)
        whole = [_whole(column) for column in (patient, drug, level, why, route)]
        return Ledger(whole[0], whole[1], day, dose, minutes, *whole[2:])

    def _decisions(self) -> DecisionLog:
        patient, drug, day, rule, decision, reading = map(self.log.column, LOG_COLUMNS)
        ids = tuple(row.rule.id for row in self.rows)
        return DecisionLog(
            _whole(patient), _whole(drug), day, _whole(rule), _whole(decision), reading, ids
        )


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


def _whole(values: Array) -> NDArray[np.int64]:
    return values.astype(np.int64)
