"""What the labels' rules made of the readings of records, day by day, for many patients at once."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Mask
from her2sim.patients.covariates import Setting
from her2sim.protocol.cumulative_dose import CUMULATIVE, with_dose_due
from her2sim.protocol.plan import DrugPlan
from her2sim.protocol.record import EVENTS, Entry
from her2sim.protocol.rule_states import Moment, RuleStates, rule_rows, with_derived_readings

DURING_A_DOSE = ("infusion_reaction",)
"""Events that a dose of the same day brought on: they act after it."""
BEFORE, AFTER = 0.0, 0.5
"""Where readings, and events of a dose, stand within a day; a dose is given between them."""


@dataclass(frozen=True)
class DosesGiven:
    """Days of the doses of a drug, and the dose in all in mg/m2 after each.

    It is NaN from an unknown dose on, and left out where no rule looks at it.
    """

    days: Sequence[int]
    mg_per_m2: Sequence[float] = ()

    def has_begun(self, time: float) -> bool:
        """Whether there was a dose before a time (of readings, or of what came after a dose)."""
        return self.days[0] < time

    def before(self, day: float) -> float:
        """The dose in all before a day."""
        place = bisect.bisect_left(self.days, day)
        return self.mg_per_m2[place - 1] if place else 0.0


@dataclass(frozen=True)
class Standing:
    """How a drug of a patient stands: the rule that forbids a dose (-1: none), and its level."""

    rule: int
    is_stopped: bool
    was_read_again: bool
    level: int


class RuleHistory:
    """States of the rules of patients who have the same drugs, after each of their days.

    Parameters
    ----------
    plans : their drugs, with the labels whose rules act
    setting : which rows of the labels apply
    charts : all lines of each patient
    given : the doses of each patient, drug by drug
    """

    def __init__(
        self,
        plans: Sequence[DrugPlan],
        setting: Setting,
        charts: Sequence[Sequence[Entry]],
        given: Sequence[Sequence[DosesGiven]],
    ) -> None:
        self.plans, self.given = tuple(plans), given
        self.rows = rule_rows(self.plans, setting)
        steps = [_steps(chart) for chart in charts]
        shape = (max(map(len, steps), default=0), len(charts))
        self.time = np.full(shape, np.inf)
        of_drugs = (shape[0], len(self.plans), shape[1])
        self.rule = np.full(of_drugs, -1, dtype=np.int64)
        self.is_stopped, self.was_read_again = (np.zeros(of_drugs, dtype=bool) for _ in range(2))
        self.level = np.zeros(of_drugs, dtype=np.int64)
        if self.rows:
            self._run(steps)

    def standing(self, drug: int, patient: int, day: int) -> Standing:
        """How a drug stands when a dose is given on a day."""
        until = np.searchsorted(self.time[:, patient], day + (BEFORE + AFTER) / 2)
        if not until or not self.rows:
            return Standing(-1, False, False, 0)
        at = (until - 1, drug, patient)
        return Standing(
            int(self.rule[at]), bool(self.is_stopped[at]), bool(self.was_read_again[at]),
            int(self.level[at]),
        )  # fmt: skip

    def _run(self, steps: Sequence[Sequence[tuple[float, Mapping[str, float]]]]) -> None:
        n = len(steps)
        states = RuleStates(self.plans, self.rows, n)
        read_again = np.zeros((len(self.rows), n), dtype=bool)
        baseline = np.full(n, np.nan)
        length = np.array([len(own) for own in steps])
        for number in range(self.time.shape[0]):
            who = np.flatnonzero(length > number)
            today = [steps[k][number] for k in who.tolist()]
            self.time[number, who] = [time for time, _ in today]
            day = np.floor(self.time[number, who])
            values = _columns([told for _, told in today])
            if "lvef" in values:
                first = np.isnan(baseline[who])
                baseline[who[first]] = values["lvef"][first]
            with_derived_readings(values, baseline[who])
            for d in range(len(self.plans)):
                states.has_begun[d, who] = [
                    self.given[k][d].has_begun(time)
                    for k, (time, _) in zip(who.tolist(), today, strict=True)
                ]
            self._apply(states, read_again, day, who, values)
            self._keep(states, read_again, number, who)

    def _apply(
        self,
        states: RuleStates,
        read_again: NDArray[np.bool_],
        day: Array,
        who: NDArray[np.int64],
        values: Mapping[str, Array],
    ) -> None:
        """All rules on a day, and whether what would end a hold was read meanwhile."""
        for number, row in enumerate(self.rows):
            own = values
            if CUMULATIVE in row.variables:
                own = {**values, CUMULATIVE: self._cumulative(states, row.drug, day, who)}
            states.apply(number, Moment(day, day), who, own, None)
            resume = row.conditions["resume_when"]
            was_read = np.zeros(who.size, dtype=bool)
            for name in () if resume is None else resume.variables:
                if name in values:
                    was_read |= ~np.isnan(values[name])
            waits = states.held[number, who] & (states.held_since[number, who] < day)
            read_again[number, who] = waits & (read_again[number, who] | was_read)
        for _ in states.follow_partners(day, who):
            pass

    def _cumulative(
        self, states: RuleStates, drug: int, day: Array, who: NDArray[np.int64]
    ) -> Array:
        """The dose of a drug in all before a day, with the one that is due."""
        given = np.zeros(who.size)
        for place, patient in enumerate(who.tolist()):
            given[place] = self.given[patient][drug].before(float(day[place]))
        return with_dose_due(self.plans[drug], given, states.level[drug, who])

    def _keep(
        self, states: RuleStates, read_again: Mask, number: int, who: NDArray[np.int64]
    ) -> None:
        for drug in range(len(self.plans)):
            is_stopped = np.isfinite(states.stopped_day[drug, who])
            rule = np.where(is_stopped, states.stop_rule[drug, who], states.holding_rule(drug, who))
            self.rule[number, drug, who] = rule
            self.is_stopped[number, drug, who] = is_stopped
            self.was_read_again[number, drug, who] = (rule >= 0) & read_again[rule, who]
            self.level[number, drug, who] = states.level[drug, who]


def _steps(chart: Sequence[Entry]) -> list[tuple[float, dict[str, float]]]:
    """Days of a patient in order, each with what was read; events of a dose come after it."""
    found: dict[float, dict[str, float]] = {}
    for entry in chart:
        is_after = entry.kind == "event" and entry.test in DURING_A_DOSE
        told = found.setdefault(entry.day + (AFTER if is_after else BEFORE), {})
        if entry.kind == "lab" and entry.test is not None and entry.value is not None:
            told[entry.test] = entry.value
        elif entry.kind == "event" and entry.test is not None:
            told[EVENTS[entry.test]] = 1.0 if entry.grade is None else entry.grade
    for told in found.values():
        for name in ("weight", "height"):
            told.pop(name, None)
    return sorted(found.items())


def _columns(today: Sequence[Mapping[str, float]]) -> dict[str, Array]:
    """Readings of some patients by variable, NaN where nothing was read."""
    found: dict[str, Array] = {}
    for place, told in enumerate(today):
        for name, value in told.items():
            if name not in found:
                found[name] = np.full(len(today), np.nan)
            found[name][place] = value
    return found
