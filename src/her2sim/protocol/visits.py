"""The visits of a cohort: reading, decision, dose; nothing is fixed beyond the next decision.

All patients have their next visit together, each on a day of its own. Their readings are taken,
each rule of each drug is evaluated, the strictest decision wins, and what is due and allowed is
given. Clocks run per drug.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from her2sim.arrays import Array, Mask, Positions
from her2sim.patients.cohort import Cohort
from her2sim.protocol.cumulative_dose import CUMULATIVE
from her2sim.protocol.decisions import Cause, Decision
from her2sim.protocol.dose_clocks import DoseClocks
from her2sim.protocol.monitoring import Monitoring
from her2sim.protocol.plan import Protocol, ProtocolRun
from her2sim.protocol.readings import Readings, Visit
from her2sim.protocol.recorder import TreatmentRecorder
from her2sim.protocol.rule_states import (
    NEVER,
    ON_THE_DAY,
    Moment,
    RuleRow,
    RuleStates,
    rule_rows,
    with_derived_readings,
)
from her2sim.pulse import beat
from her2sim.regimens.dose import MINUTES_PER_DAY


def run_protocol(protocol: Protocol, cohort: Cohort, readings: Readings) -> ProtocolRun:
    """Treat a cohort by a protocol, visit by visit.

    Parameters
    ----------
    protocol : drugs, labels and policies
    cohort : patients
    readings : where measured values come from

    Returns
    -------
    ProtocolRun
    """
    return _Clinic(protocol, cohort, readings).run()


class _Clinic:
    """State of all patients between two visits; every array is (drugs, n)."""

    def __init__(self, protocol: Protocol, cohort: Cohort, readings: Readings) -> None:
        self.protocol, self.cohort, self.readings = protocol, cohort, readings
        self.plans, n = protocol.plans, cohort.n_patients
        rows = rule_rows(self.plans, protocol.setting, protocol.unconfirmed)
        self.rules = RuleStates(self.plans, rows, n, protocol.lln_percent)
        n_drugs = len(self.plans)
        self.n_clocks_running = 0
        self.hold_began = np.full((n_drugs, n), np.nan)
        self.partner_rule = np.full((n_drugs, n), -1, dtype=np.int64)
        self.days_on_hold = np.zeros((n_drugs, n))
        self.baseline: dict[str, Array] = {}
        self.test_day: dict[str, Array] = {}
        self.tests = self._scheduled_tests()
        self.recorder = TreatmentRecorder()
        self.doses = DoseClocks(protocol, cohort, self.recorder)
        self.visit_day = self.doses.due_day.min(axis=0, initial=NEVER if self.plans else 0.0)
        self.seen_day = np.full(n, -NEVER)
        self._length = max(protocol.end_day, 1.0)
        self.today = np.full(n, np.nan)

    def _scheduled_tests(self) -> dict[str, list[tuple[float, Monitoring]]]:
        """What is measured, by which lines of labels, each with the first day of its drug.

        Without a line, or with one that says at each dose, it is measured at each visit.
        """
        lines = [
            (plan.phase.start_min / MINUTES_PER_DAY, line)
            for plan in self.plans
            for line in (plan.label.monitoring if plan.label is not None else ())
        ]
        asked = [variable for row in self.rules.rows for variable in row.measured()]
        asked += [line.variable for _, line in lines]
        found: dict[str, list[tuple[float, Monitoring]]] = {}
        for variable in filter(self.readings.has, dict.fromkeys(asked)):
            own = [(day, line) for day, line in lines if line.variable == variable]
            at_each = any(line.every_days is None for _, line in own)
            found[variable] = [] if at_each or not self.readings.is_scheduled else own
        return found

    def _interval_day(self, variable: str, day: Array) -> Array:
        """Days to the next test of a variable from those of some days: the shortest of all labels.

        Zero at each visit.
        """
        lines = self.tests[variable]
        if not lines:
            return np.zeros(day.size)
        found = [line.interval_day(day - first) for first, line in lines]
        shortest: Array = np.minimum.reduce(found)
        return shortest

    def run(self) -> ProtocolRun:
        """All visits, those of each patient in order of days."""
        while True:
            who = np.flatnonzero(self.visit_day < self.protocol.end_day)
            if not who.size:
                break
            self._see(who)
            beat(float(np.minimum(self.visit_day, self.protocol.end_day).mean()) / self._length)
        rules = self.rules
        open_holds = ~np.isnan(self.hold_began) & np.isinf(rules.stopped_day)
        rest = np.where(open_holds, self.protocol.end_day - self.hold_began, 0.0)
        return ProtocolRun(
            self.protocol,
            self.cohort,
            self.recorder.record(),
            self.recorder.log(
                tuple(row.rule.id for row in rules.rows),
                tuple(row.variables for row in rules.rows),
            ),
            self.days_on_hold + rest,
            rules.n_reductions,
            self.doses.n_missed,
            rules.stopped_day,
            rules.stop_rule,
        )

    def _see(self, who: Positions) -> None:
        """The next visit of some patients: reading, decision, dose, and when they come again."""
        rules, day = self.rules, self.visit_day[who]
        self.today[who] = day
        visit = Visit(day, who, self.seen_day[who])
        self.readings.arrive(visit, self.recorder)
        for part in self.readings.parts(visit):
            values = self._read(part)
            for number in range(len(rules.rows)):
                self._apply(number, visit, Moment(day, part.day), values)
        for d, stopped in rules.follow_partners(day, who):
            self._note_partner(Decision.STOP, d, stopped, rules.stop_rule[d, stopped])
        holding = [rules.holding_rule(d, who) for d in range(len(self.plans))]
        self._keep_hold_clock(who, holding)
        allowed = [np.isinf(rules.stopped_day[d, who]) & (r < 0) for d, r in enumerate(holding)]
        goes_on = [np.isinf(rules.stopped_day[d, who]) for d in range(len(self.plans))]
        self.doses.wait_for_parts_before(self.today, who, goes_on)
        for d, may in enumerate(allowed):
            if not self.plans[d].is_dispensed:
                self.doses.give_due(d, self.today, who, may, rules.level[d])
        following = self._next_visit(visit, allowed)
        for d, may in enumerate(allowed):
            if self.plans[d].is_dispensed:
                until = np.minimum(following, self.protocol.end_day)
                self.doses.dispense(d, self.today, who, may, rules.level[d], until)
            rules.has_ended[d, who] = self.doses.has_ended(d, who)
            rules.has_begun[d, who] = self.doses.n_doses[d, who] > 0
        self.visit_day[who] = following
        self.seen_day[who] = day

    # Readings.

    def _read(self, visit: Visit) -> dict[str, Array]:
        """Measured values; NaN for what is not due."""
        day, who = visit.day, visit.who
        values: dict[str, Array] = {}
        for variable, lines in self.tests.items():
            if variable not in self.baseline:
                self.baseline[variable] = np.full(self.cohort.n_patients, np.nan)
                self.test_day[variable] = np.full(self.cohort.n_patients, -NEVER)
            due = self.test_day[variable][who] <= day + ON_THE_DAY
            if lines:
                due |= self._is_watched(variable, who)
            found = np.full(who.size, np.nan)
            tested = who[due]
            found[due] = self.readings.measure(variable, visit.of(due))
            self.readings.note(variable, visit.of(due), found[due])
            first = np.isnan(self.baseline[variable][tested])
            self.baseline[variable][tested[first]] = found[due][first]
            made = due & ~np.isnan(found)  # a test that was not made is due at the next visit
            following = day[made] + self._interval_day(variable, day[made])
            self.test_day[variable][who[made]] = following
            values[variable] = found
        with_derived_readings(values, self._baseline_lvef(who))
        return values

    def _baseline_lvef(self, who: Positions) -> Array | None:
        return self.baseline["lvef"][who] if "lvef" in self.baseline else None

    def _is_watched(self, variable: str, who: Positions) -> Mask:
        """Whether a hold waits for a reading of a variable."""
        watched = np.zeros(who.size, dtype=bool)
        for number, row in enumerate(self.rules.rows):
            if self.rules.n_held[number] and variable in row.measured():
                watched |= self.rules.held[number, who]
        return watched

    # Decisions.

    def _apply(self, number: int, visit: Visit, at: Moment, values: dict[str, Array]) -> None:
        """One rule on the patients of a visit; what it decides goes into the log."""

        def agrees(row: RuleRow, asked: Positions) -> Mask:
            return self._is_confirmed(row, Visit(self.today[asked], asked, self.seen_day[asked]))

        repeat = agrees if self.protocol.is_confirmed_by_repeat else None
        row = self.rules.rows[number]
        if CUMULATIVE in row.variables:
            level = self.rules.level[row.drug]
            total = self.doses.cumulative_mg_per_m2(row.drug, visit.who, level)
            values = {**values, CUMULATIVE: total}
        verdict = self.rules.apply(number, at, visit.who, values, repeat)
        if verdict is None:
            return
        for decision, cause in verdict.causes.items():
            behind = verdict.behind[decision]
            for kind in map(int, np.unique(cause[cause >= 0])):
                chosen = cause == kind
                self.recorder.decide(
                    verdict.who[chosen], drug=self.rules.rows[number].drug,
                    day=self.today[verdict.who[chosen]],
                    rule=number, decision=decision, cause=kind, variable=behind.variable[chosen],
                    reading=behind.reading[chosen],
                )  # fmt: skip

    def _is_confirmed(self, row: RuleRow, asked: Visit) -> Mask:
        """Whether a second measurement of the same day agrees."""
        again = {variable: self.readings.measure(variable, asked, 1) for variable in self.tests}
        with_derived_readings(again, self._baseline_lvef(asked.who))
        return self.rules.holds(row.conditions["hold_when"], again, asked.who)

    def _note_partner(self, decision: Decision, d: int, who: Positions, rule: Positions) -> None:
        """A decision on a drug by the rule of its partner."""
        self.recorder.decide(
            who, drug=d, day=self.today[who], rule=rule, decision=decision,
            cause=Cause.PARTNER, variable=0, reading=np.nan,
        )  # fmt: skip

    def _keep_hold_clock(self, who: Positions, holding: Sequence[Positions]) -> None:
        """Days on hold run from the visit that held to the one that resumed or stopped."""
        rules, day = self.rules, self.today[who]
        if not rules.n_held.any() and not self.n_clocks_running:
            return
        for d, held_by in enumerate(holding):
            goes_on = np.isinf(rules.stopped_day[d, who]) & ~rules.has_ended[d, who]
            rule = np.where(goes_on, held_by, -1)
            running = ~np.isnan(self.hold_began[d, who])
            over = running & (rule < 0)
            self.days_on_hold[d, who[over]] += day[over] - self.hold_began[d, who[over]]
            self.hold_began[d, who[over]] = np.nan
            begun = (rule >= 0) & ~running
            self.hold_began[d, who[begun]] = day[begun]
            self.n_clocks_running += int(begun.sum()) - int(over.sum())
            self._keep_partner_hold(d, who, rule)

    def _keep_partner_hold(self, d: int, who: Positions, rule: Positions) -> None:
        """Note where a hold of a partner begins to hold a drug, and where it ends."""
        is_own = np.array([row.drug == d for row in self.rules.rows], dtype=bool)
        of_partner = np.where((rule >= 0) & ~is_own[rule], rule, -1)
        before = self.partner_rule[d, who]
        if not (of_partner >= 0).any() and not (before >= 0).any():
            return
        begun = (of_partner >= 0) & (before < 0)
        over = (of_partner < 0) & (before >= 0)
        is_free = over & (rule < 0) & np.isinf(self.rules.stopped_day[d, who])
        self._note_partner(Decision.HOLD, d, who[begun], of_partner[begun])
        self._note_partner(Decision.RESUME, d, who[is_free], before[is_free])
        self.partner_rule[d, who[begun]] = of_partner[begun]
        self.partner_rule[d, who[over]] = -1

    # The next visit.

    def _next_visit(self, visit: Visit, allowed: Sequence[Mask]) -> Array:
        """The earliest of: a dose, the end of tablets, the recheck of a hold, a test."""
        day, who = visit.day, visit.who
        following = np.minimum(self.readings.next_day(who), self.rules.recheck_day(day, who))
        for d, goes_on in enumerate(allowed):
            due = np.where(goes_on, self.doses.next_day(d, who), NEVER)
            if self.plans[d].is_dispensed:
                due = np.where(np.isfinite(due), day + self.plans[d].visit_day, NEVER)
            following = np.minimum(following, due)
        latest: Array = np.maximum(following, day + ON_THE_DAY * 10)
        return latest
