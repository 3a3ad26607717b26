"""The visits of a cohort: reading, decision, dose; nothing is fixed beyond the next decision.

All patients who are due on a day are seen together. Their readings are taken, each rule of each
drug is evaluated, the strictest decision wins, and what is due and allowed is given. Clocks run
per drug.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from her2sim.patients.cohort import Cohort
from her2sim.protocol.book import TreatmentBook
from her2sim.protocol.conditions import Condition
from her2sim.protocol.dosing import NEVER, ON_THE_DAY, DoseClocks
from her2sim.protocol.label import CONDITIONS, Rule
from her2sim.protocol.ledger import Cause, Decision
from her2sim.protocol.plan import Protocol, Steered
from her2sim.protocol.readings import Readings, Visit
from her2sim.protocol.variables import CLOCKS, DERIVED

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Positions = NDArray[np.int64]


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
        self.hold_began = np.full((n_drugs, n), np.nan)
        self.partner_rule = np.full((n_drugs, n), -1, dtype=np.int64)
        self.days_on_hold = np.zeros((n_drugs, n))
        self.n_reductions = np.zeros((n_drugs, n), dtype=np.int64)
        self.baseline: dict[str, Array] = {}
        self.test_day: dict[str, Array] = {}
        self.every: dict[str, float | None] = self._test_intervals()
        self.book = TreatmentBook()
        self.doses = DoseClocks(protocol, cohort, self.book)
        self.visit_day = self.doses.due_day.min(axis=0, initial=NEVER if self.plans else 0.0)
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
            self.book.ledger(),
            self.book.log(tuple(row.rule.id for row in self.rows)),
            self.days_on_hold + rest,
            self.n_reductions,
            self.doses.n_missed,
            self.stopped_day,
            self.stop_rule,
        )

    def _see(self, day: float, who: Positions) -> None:
        """One visit of the patients who are due: reading, decision, dose, next visit."""
        visit = Visit(day, who, self.seen_day[who])
        self.readings.arrive(visit, self.book)
        values = self._read(visit)
        for number in range(len(self.rows)):
            self._apply(number, visit, values)
        self._follow_partners(day, who)
        holding = [self._holding_rule(d, who) for d in range(len(self.plans))]
        self._keep_hold_clock(day, who, holding)
        allowed = [np.isinf(self.stopped_day[d, who]) & (r < 0) for d, r in enumerate(holding)]
        for d, may in enumerate(allowed):
            if not self.plans[d].is_dispensed:
                self.doses.give_due(d, day, who, may, self.level[d])
        following = self._next_visit(day, who, allowed)
        for d, may in enumerate(allowed):
            if self.plans[d].is_dispensed:
                until = np.minimum(following, self.protocol.end_day)
                self.doses.dispense(d, day, who, may, self.level[d], until)
        self.visit_day[who] = following
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
        row = self.rows[number]
        known = [values[v] for v in row.variables if v in values]
        concerned = np.zeros(visit.who.size, dtype=bool)
        for reading in known:
            concerned |= ~np.isnan(reading)
        if self.n_held[number]:
            concerned |= self.held[number, visit.who]
        if not concerned.any():
            return
        if not concerned.all():
            visit = visit.of(concerned)
            values = {name: reading[concerned] for name, reading in values.items()}
        verdict = self._verdict(number, visit, values)
        self._carry_out(number, visit.day, visit.who, verdict)
        unknown = np.full(visit.who.size, np.nan)
        reading = values.get(row.rule.variables()[0], unknown)
        for decision, cause in verdict.items():
            for kind in map(int, np.unique(cause[cause >= 0])):
                chosen = cause == kind
                self.book.decide(
                    visit.who[chosen], drug=row.drug, day=visit.day, rule=number,
                    decision=decision, cause=kind, reading=reading[chosen],
                )  # fmt: skip

    def _verdict(
        self, number: int, visit: Visit, values: Mapping[str, Array]
    ) -> dict[Decision, Positions]:
        """What a rule decides for each patient: the cause of each decision, -1 where it is none."""
        day, who = visit.day, visit.who
        row, d = self.rows[number], self.rows[number].drug
        active = np.isinf(self.stopped_day[d, who])
        held = self.held[number, who] & active
        since = day - self.held_since[number, who]
        hold, resume, reduce, stop = (np.full(who.size, -1, dtype=np.int64) for _ in range(4))
        _set(stop, self._holds(row.conditions["stop_when"], values, who) & active, Cause.STOP_WHEN)
        values = {**values, "days_held": since}
        still = held & self._holds(row.conditions["stop_held_when"], values, who)
        _set(stop, still, Cause.STOP_HELD_WHEN)
        resumes = held & self._holds(row.conditions["resume_when"], values, who)
        resumes &= since >= row.rule.min_hold_days - ON_THE_DAY
        holds = self._holds(row.conditions["hold_when"], values, who) & active & ~held
        if self.protocol.is_confirmed_by_repeat and holds.any():
            holds &= self._is_confirmed(row, visit, holds)
        if row.rule.max_hold_days is not None:
            is_over = since >= row.rule.max_hold_days - ON_THE_DAY
            _set(stop, held & ~resumes & is_over, Cause.MAX_HOLD_DAYS)
        if row.rule.max_holds is not None:
            is_over = self.n_holds[number, who] >= row.rule.max_holds
            _set(stop, holds & is_over, Cause.MAX_HOLDS)
        _set(hold, holds & (stop < 0), Cause.HOLD_WHEN)
        _set(resume, resumes & (stop < 0), Cause.RESUME_WHEN)
        lowers = self._holds(row.conditions["reduce_when"], values, who) & active
        _set(reduce, lowers & (stop < 0) & (hold < 0), Cause.REDUCE_WHEN)
        if row.rule.resume_level == "one_down":
            _set(reduce, resume >= 0, Cause.ONE_DOWN)
        lowers = self._holds(row.conditions["one_down_when"], values, who)
        _set(reduce, (resume >= 0) & lowers, Cause.ONE_DOWN)
        reduce[self.reduced_day[d, who] >= day] = -1  # several rules of one day lower it once
        too_low = (reduce >= 0) & (self.level[d, who] + 1 >= self.protocol.plans[d].n_levels)
        _set(stop, too_low, Cause.NO_LOWER_LEVEL)
        reduce[too_low], resume[too_low] = -1, -1
        return {
            Decision.HOLD: hold, Decision.RESUME: resume, Decision.REDUCE: reduce,
            Decision.STOP: stop,
        }  # fmt: skip

    def _carry_out(
        self, number: int, day: float, who: Positions, verdict: Mapping[Decision, Positions]
    ) -> None:
        """Change the state of the patients as a rule decided."""
        d = self.rows[number].drug
        hold, reduce, stop = (
            verdict[decision] >= 0 for decision in (Decision.HOLD, Decision.REDUCE, Decision.STOP)
        )
        ended = ((verdict[Decision.RESUME] >= 0) | stop) & self.held[number, who]
        self.held[number, who[hold]] = True
        self.held_since[number, who[hold]] = day
        self.n_holds[number, who[hold]] += 1
        self.held[number, who[ended]] = False
        self.n_held[number] += int(hold.sum()) - int(ended.sum())
        self.level[d, who[reduce]] += 1
        self.reduced_day[d, who[reduce]] = day
        self.n_reductions[d, who[reduce]] += 1
        self.stopped_day[d, who[stop]] = day
        self.stop_rule[d, who[stop]] = number
        self.has_stopped |= bool(stop.any())

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

    def _holding_rule(self, d: int, who: Positions) -> Positions:
        """The first rule that holds a drug, its own before those of its partners; -1 if none."""
        found = np.full(who.size, -1, dtype=np.int64)
        for number in np.flatnonzero(self.n_held):
            if self.rows[number].drug == d:
                _set(found, self.held[number, who], int(number))
        for p in self._partners_of(d, "if_held", "hold"):
            partner = self._holding_rule(p, who)
            found = np.where(found < 0, partner, found)
        return found

    def _partners_of(self, d: int, what: str, does: str) -> tuple[int, ...]:
        """Drugs of the plan that a drug follows when they are held or stopped."""
        label = self.plans[d].label
        lines = label.partner if label is not None else ()
        drugs = {line.drug for line in lines if getattr(line, what) == does}
        return tuple(p for p, plan in enumerate(self.plans) if plan.drug in drugs)

    def _follow_partners(self, day: float, who: Positions) -> None:
        """Stop what does not go on without its partner."""
        if not self.has_stopped:
            return
        for d in range(len(self.plans)):
            for p in self._partners_of(d, "if_stopped", "stop"):
                ended = np.isinf(self.stopped_day[d, who])
                ended = who[ended & ~np.isinf(self.stopped_day[p, who])]
                self.stopped_day[d, ended] = day
                self.stop_rule[d, ended] = self.stop_rule[p, ended]
                self._note_partner(Decision.STOP, d, day, ended, self.stop_rule[d, ended])

    def _note_partner(
        self, decision: Decision, d: int, day: float, who: Positions, rule: Positions
    ) -> None:
        """A decision on a drug by the rule of its partner."""
        self.book.decide(
            who, drug=d, day=day, rule=rule, decision=decision,
            cause=Cause.PARTNER, reading=np.nan,
        )  # fmt: skip

    def _keep_hold_clock(self, day: float, who: Positions, holding: Sequence[Positions]) -> None:
        """Days on hold run from the visit that held to the one that resumed or stopped."""
        if not self.n_held.any() and not self.n_clocks_running:
            return
        for d, held_by in enumerate(holding):
            rule = np.where(np.isinf(self.stopped_day[d, who]), held_by, -1)
            running = ~np.isnan(self.hold_began[d, who])
            over = running & (rule < 0)
            self.days_on_hold[d, who[over]] += day - self.hold_began[d, who[over]]
            self.hold_began[d, who[over]] = np.nan
            begun = (rule >= 0) & ~running
            self.hold_began[d, who[begun]] = day
            self.n_clocks_running += int(begun.sum()) - int(over.sum())
            self._keep_partner_hold(d, day, who, rule)

    def _keep_partner_hold(self, d: int, day: float, who: Positions, rule: Positions) -> None:
        """Note where a hold of a partner begins to hold a drug, and where it ends."""
        is_own = np.array([row.drug == d for row in self.rows], dtype=bool)
        of_partner = np.where((rule >= 0) & ~is_own[rule], rule, -1)
        before = self.partner_rule[d, who]
        if not (of_partner >= 0).any() and not (before >= 0).any():
            return
        begun = (of_partner >= 0) & (before < 0)
        over = (of_partner < 0) & (before >= 0)
        is_free = over & (rule < 0) & np.isinf(self.stopped_day[d, who])
        self._note_partner(Decision.HOLD, d, day, who[begun], of_partner[begun])
        self._note_partner(Decision.RESUME, d, day, who[is_free], before[is_free])
        self.partner_rule[d, who[begun]] = of_partner[begun]
        self.partner_rule[d, who[over]] = -1

    # The next visit.

    def _next_visit(self, day: float, who: Positions, allowed: Sequence[Mask]) -> Array:
        """The earliest of: a dose, the end of tablets, the recheck of a hold, a test."""
        following = self.readings.next_day(who)
        for d, goes_on in enumerate(allowed):
            due = np.where(goes_on, self.doses.next_day(d, who), NEVER)
            if self.plans[d].is_dispensed:
                due = np.where(np.isfinite(due), day + self.plans[d].visit_day, NEVER)
            following = np.minimum(following, due)
        for number in np.flatnonzero(self.n_held):
            row = self.rows[number]
            waits = self.held[number, who] & np.isinf(self.stopped_day[row.drug, who])
            recheck = row.rule.recheck_days or self.plans[row.drug].visit_day
            following = np.where(waits, np.minimum(following, day + recheck), following)
        latest: Array = np.maximum(following, day + ON_THE_DAY * 10)
        return latest


def _set(cause: Positions, where: Mask, kind: int) -> None:
    """Give a cause to those who have none yet."""
    cause[where & (cause < 0)] = kind
