"""The one evaluation of labels' rules: hold, resume, recheck, maximum, lower level, stop.

Simulated visits and the audit of a real record keep the same state and call the same functions, so
that they cannot read a rule differently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array, Mask, Positions
from her2sim.drugs.drug import load_drug
from her2sim.patients.covariates import Setting
from her2sim.protocol.conditions import Condition
from her2sim.protocol.decisions import Cause, Decision
from her2sim.protocol.hold_reasons import HoldReasons
from her2sim.protocol.label import CONDITIONS, Rule
from her2sim.protocol.plan import LLN_PERCENT, DrugPlan
from her2sim.protocol.ruling import Ruling, behind_of
from her2sim.protocol.variables import CLOCKS, DERIVED

Values = Mapping[str, Array]
Agreement = Callable[["RuleRow", Positions], Mask]
"""Whether second measurements of some patients agree with a rule that would hold."""
NEVER = np.inf
ON_THE_DAY = 1e-6


@dataclass(frozen=True)
class RuleRow:
    """A rule at work: its drug, its parsed conditions, and what they look at."""

    drug: int
    rule: Rule
    conditions: Mapping[str, Condition | None]
    variables: tuple[str, ...]

    def measured(self) -> tuple[str, ...]:
        """What has to be measured for it."""
        sources = (DERIVED.get(v, (v,)) for v in self.variables if v not in CLOCKS)
        return tuple(dict.fromkeys(name for names in sources for name in names))


@dataclass(frozen=True)
class Moment:
    """When rules are evaluated: the day of the decision, and that of the readings behind it.

    Each is one day for all, or one for each patient, shape (n,).
    """

    day: Array | float
    read_day: Array | float

    def of(self, chosen: Mask) -> Moment:
        """The days of some patients."""
        n = chosen.size
        return Moment(*(np.broadcast_to(day, n)[chosen] for day in (self.day, self.read_day)))


def rule_rows(
    plans: Sequence[DrugPlan], setting: Setting, unconfirmed: bool = True
) -> list[RuleRow]:
    """Rules of the labels of some drugs, in order."""
    return [
        RuleRow(d, rule, {name: rule.condition(name) for name in CONDITIONS}, rule.variables())
        for d, plan in enumerate(plans)
        if plan.label is not None
        for rule in plan.label.rules_for(setting, unconfirmed)
    ]


def with_derived_readings(values: dict[str, Array], baseline_lvef: Array | None) -> None:
    """Add what follows from readings: the fall of the LVEF, and the higher of AST and ALT.

    Parameters
    ----------
    values : readings by variable, each of shape (n,), NaN where nothing was measured; added to
    baseline_lvef : the first LVEF of each patient, shape (n,)
    """
    if "lvef" in values and baseline_lvef is not None:
        values["lvef_drop"] = baseline_lvef - values["lvef"]
    if "ast" in values or "alt" in values:
        nothing = np.full(next(iter(values.values())).shape, np.nan)
        values["transaminase"] = np.fmax(values.get("ast", nothing), values.get("alt", nothing))


class RuleStates:
    """Holds, stops and dose levels of patients; arrays are (rules or drugs, n).

    ``has_ended`` says whose drug has had its last dose: it is neither held nor stopped any more.
    ``has_begun`` says whose drug was given: before its first dose it is held, and not lowered.
    ``reasons`` are those of the holds of each rule, which decide what has to be read anew.
    """

    def __init__(
        self,
        plans: Sequence[DrugPlan],
        rows: Sequence[RuleRow],
        n_patients: int,
        lln_percent: float = LLN_PERCENT,
    ) -> None:
        self.plans, self.rows, self.lln_percent = tuple(plans), tuple(rows), lln_percent
        rules, drugs = (len(self.rows), n_patients), (len(self.plans), n_patients)
        self.held = np.zeros(rules, dtype=bool)
        self.n_held = np.zeros(len(self.rows), dtype=np.int64)
        self.held_since = np.zeros(rules)
        self.n_holds = np.zeros(rules, dtype=np.int64)
        self.stopped_day = np.full(drugs, NEVER)
        self.stop_rule = np.full(drugs, -1, dtype=np.int64)
        self.level = np.zeros(drugs, dtype=np.int64)
        self.reduced_day = np.full(drugs, -NEVER)
        self.n_reductions = np.zeros(drugs, dtype=np.int64)
        self.has_ended = np.zeros(drugs, dtype=bool)
        self.has_begun = np.zeros(drugs, dtype=bool)
        self.n_levels = [plan.n_levels for plan in self.plans]
        self.reasons = [
            HoldReasons(row.conditions["hold_when"], row.conditions["resume_when"], n_patients)
            for row in self.rows
        ]
        self.has_stopped = False

    def apply(
        self, number: int, at: Moment, who: Positions, values: Values, agrees: Agreement | None
    ) -> Ruling | None:
        """Evaluate one rule and carry out what it decides; None where it decides nothing.

        Parameters
        ----------
        number : which rule
        at : day of the decision and of the readings
        who : patients (positions)
        values : readings of them by variable, NaN where nothing was measured
        agrees : second measurements of a day, where a hold needs one that agrees
        """
        row = self.rows[number]
        known = [values[v] for v in row.variables if v in values]
        concerned = np.zeros(who.size, dtype=bool)
        for reading in known:
            concerned |= ~np.isnan(reading)
        if self.n_held[number]:
            concerned |= self.held[number, who]
        if not concerned.any():
            return None
        if not concerned.all():
            who, at = who[concerned], at.of(concerned)
            values = {name: reading[concerned] for name, reading in values.items()}
        if not self._may_act(number, who, values):
            return None
        causes = self._decide(number, at, who, values, agrees)
        known_now = {**values, "days_held": at.day - self.held_since[number, who]}
        behind = {
            one: behind_of(row.conditions, row.variables, cause, known_now, self._settings)
            for one, cause in causes.items()
        }
        verdict = Ruling(who, causes, behind)
        self._carry_out(number, at.day, verdict)
        held = self.held[number, who]
        if held.any():
            own = {name: reading[held] for name, reading in values.items()}
            self.reasons[number].keep(own, self._settings, who[held])
        return verdict

    def _may_act(self, number: int, who: Positions, values: Values) -> bool:
        """Whether a rule can decide anything today: it holds somebody, or a limit is crossed."""
        if self.n_held[number] and self.held[number, who].any():
            return True
        conditions = self.rows[number].conditions
        begins = (conditions["stop_when"], conditions["hold_when"])
        return any(self.holds(condition, values, who).any() for condition in begins)

    def _decide(
        self, number: int, at: Moment, who: Positions, values: Values, agrees: Agreement | None
    ) -> dict[Decision, Positions]:
        """The cause of each decision of a rule; stopping wins over holding, that over lowering.

        A hold ends by a reading of its first ``max_hold_days``; a later one comes too late.
        """
        row, d = self.rows[number], self.rows[number].drug
        rule = row.rule
        active = np.isinf(self.stopped_day[d, who]) & ~self.has_ended[d, who]
        held = self.held[number, who] & active
        since, read_since = (day - self.held_since[number, who] for day in (at.day, at.read_day))
        hold, resume, reduce, stop = (np.full(who.size, -1, dtype=np.int64) for _ in range(4))
        _set(stop, self.holds(row.conditions["stop_when"], values, who) & active, Cause.STOP_WHEN)
        values = {**values, "days_held": since}
        still = held & self.holds(row.conditions["stop_held_when"], values, who)
        _set(stop, still, Cause.STOP_HELD_WHEN)
        resumes = held & self.reasons[number].end_hold(values, self._settings, who)
        resumes &= since >= rule.min_hold_days - ON_THE_DAY
        holds = self.holds(row.conditions["hold_when"], values, who) & active & ~held
        if agrees is not None and holds.any():
            holds[holds] = agrees(row, who[holds])
        if rule.max_hold_days is not None:
            resumes &= read_since <= rule.max_hold_days + ON_THE_DAY
            is_over = read_since >= rule.max_hold_days - ON_THE_DAY
            _set(stop, held & ~resumes & is_over, Cause.MAX_HOLD_DAYS)
        if rule.max_holds is not None:
            is_over = self.n_holds[number, who] >= rule.max_holds
            _set(stop, holds & is_over, Cause.MAX_HOLDS)
        _set(hold, holds & (stop < 0), Cause.HOLD_WHEN)
        _set(resume, resumes & (stop < 0), Cause.RESUME_WHEN)
        if rule.resume_level == "one_down":
            _set(reduce, resume >= 0, Cause.ONE_DOWN)
        lowers = self.holds(row.conditions["one_down_when"], values, who)
        if rule.one_down_from_hold is not None:
            lowers |= self.n_holds[number, who] >= rule.one_down_from_hold
        _set(reduce, (resume >= 0) & lowers, Cause.ONE_DOWN)
        reduce[~self.has_begun[d, who]] = -1
        reduce[self.reduced_day[d, who] >= at.day] = -1  # several rules of one day lower it once
        too_low = (reduce >= 0) & (self.level[d, who] + 1 >= self.n_levels[d])
        _set(stop, too_low, Cause.NO_LOWER_LEVEL)
        reduce[too_low], resume[too_low] = -1, -1
        return {
            Decision.HOLD: hold, Decision.RESUME: resume, Decision.REDUCE: reduce,
            Decision.STOP: stop,
        }  # fmt: skip

    def _carry_out(self, number: int, day: Array | float, verdict: Ruling) -> None:
        """Change the state of the patients as a rule decided."""
        d, who = self.rows[number].drug, verdict.who
        day = np.broadcast_to(day, who.size)
        hold, reduce, stop = map(verdict.of, (Decision.HOLD, Decision.REDUCE, Decision.STOP))
        ended = (verdict.of(Decision.RESUME) | stop) & self.held[number, who]
        self.held[number, who[hold]] = True
        self.held_since[number, who[hold]] = day[hold]
        self.n_holds[number, who[hold]] += 1
        self.held[number, who[ended]] = False
        self.reasons[number].forget(who[ended])
        self.n_held[number] += int(hold.sum()) - int(ended.sum())
        self.level[d, who[reduce]] += 1
        self.reduced_day[d, who[reduce]] = day[reduce]
        self.n_reductions[d, who[reduce]] += 1
        self.stopped_day[d, who[stop]] = day[stop]
        self.stop_rule[d, who[stop]] = number
        self.has_stopped |= bool(stop.any())

    def holds(self, condition: Condition | None, values: Values, who: Positions) -> Mask:
        """Whether a condition holds for each patient; what was not measured does not hold."""
        if condition is None or not any(v in values for v in condition.variables):
            return np.zeros(who.size, dtype=bool)
        unknown = np.full(who.size, np.nan)
        known = {v: values.get(v, unknown) for v in condition.variables}
        return condition.holds(known, self._settings)

    @property
    def _settings(self) -> dict[str, float]:
        return {"lln": self.lln_percent}

    def holding_rule(self, d: int, who: Positions) -> Positions:
        """The first rule that holds a drug, its own before those of its partners; -1 if none."""
        found = np.full(who.size, -1, dtype=np.int64)
        for number in np.flatnonzero(self.n_held):
            if self.rows[number].drug == d:
                _set(found, self.held[number, who], int(number))
        for p in self._partners_of(d, "if_held", "hold"):
            partner = self.holding_rule(p, who)
            found = np.where(found < 0, partner, found)
        return found

    def _partners_of(self, d: int, what: str, does: str) -> tuple[int, ...]:
        """Drugs of the plan that a drug follows when they are held or stopped.

        They count in any form; where the partner is not there, a conjugate that carries it is.
        """
        label = self.plans[d].label
        lines = label.partner if label is not None else ()
        wanted = {line.drug for line in lines if getattr(line, what) == does}
        if not wanted:
            return ()
        drugs = [load_drug(plan.drug) for plan in self.plans]
        plain = tuple(p for p, own in enumerate(drugs) if wanted & {own.id, own.substance})
        return plain or tuple(p for p, own in enumerate(drugs) if own.antibody in wanted)

    def follow_partners(
        self, day: Array | float, who: Positions
    ) -> Iterator[tuple[int, Positions]]:
        """Stop what does not go on without its partner: each drug and who stopped it so."""
        if not self.has_stopped:
            return
        for d in range(len(self.plans)):
            for p in self._partners_of(d, "if_stopped", "stop"):
                goes_on = np.isinf(self.stopped_day[d, who]) & ~self.has_ended[d, who]
                goes_on &= ~np.isinf(self.stopped_day[p, who])
                ended = who[goes_on]
                self.stopped_day[d, ended] = np.broadcast_to(day, who.size)[goes_on]
                self.stop_rule[d, ended] = self.stop_rule[p, ended]
                yield d, ended

    def recheck_day(self, day: Array, who: Positions) -> Array:
        """When the first hold of each patient is to be looked at again; never without one."""
        following = np.full(who.size, NEVER)
        for number in np.flatnonzero(self.n_held):
            rule, plan = self.rows[number].rule, self.plans[self.rows[number].drug]
            waits = self.held[number, who]
            waits &= np.isinf(self.stopped_day[self.rows[number].drug, who])
            recheck = day + (rule.recheck_days or plan.visit_day)
            if rule.max_hold_days is not None:  # the last day on which a reading ends the hold
                last = self.held_since[number, who] + rule.max_hold_days
                recheck = np.where(last > day + ON_THE_DAY, np.minimum(recheck, last), recheck)
            following = np.where(waits, np.minimum(following, recheck), following)
        return following


def _set(cause: Positions, where: Mask, kind: int) -> None:
    """Give a cause to those who have none yet."""
    cause[where & (cause < 0)] = kind
