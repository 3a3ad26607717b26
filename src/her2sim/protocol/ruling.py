"""What a rule decides for each patient, and by which reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array, Mask, Positions
from her2sim.protocol.conditions import Condition
from her2sim.protocol.decisions import Cause, Decision

CONDITION_OF = {
    Cause.HOLD_WHEN: "hold_when",
    Cause.MAX_HOLDS: "hold_when",
    Cause.RESUME_WHEN: "resume_when",
    Cause.ONE_DOWN: "one_down_when",
    Cause.STOP_WHEN: "stop_when",
    Cause.STOP_HELD_WHEN: "stop_held_when",
}
"""Conditions of a rule that stand behind a cause."""


@dataclass(frozen=True)
class Behind:
    """By which variable of its rule a decision was taken (its position), and the reading, (n,)."""

    variable: Positions
    reading: Array


@dataclass(frozen=True)
class Ruling:
    """What a rule decides: for each decision its cause for each patient, -1 where it is none.

    ``behind`` tells by which variable of the rule, and its reading.
    """

    who: Positions
    causes: Mapping[Decision, Positions]
    behind: Mapping[Decision, Behind]

    def of(self, decision: Decision) -> Mask:
        """For whom a decision was taken."""
        found: Mask = self.causes[decision] >= 0
        return found


def behind_of(
    conditions: Mapping[str, Condition | None],
    variables: Sequence[str],
    cause: Positions,
    values: Mapping[str, Array],
    settings: Mapping[str, float],
) -> Behind:
    """The variable of a rule by which each patient's decision was taken, and its reading.

    It is part of the condition that acted; where none is, the first one that was measured.

    Parameters
    ----------
    conditions, variables : of the rule
    cause : of the decision (a Cause), -1 without one, shape (n,)
    values : readings by variable, NaN where nothing was measured, each of shape (n,)
    settings : named limits
    """
    unknown = np.full(cause.size, np.nan)
    all_known = np.array([values.get(name, unknown) for name in variables])
    variable = np.argmax(~np.isnan(all_known), axis=0)
    for kind in map(int, np.unique(cause[cause >= 0])):
        condition = conditions.get(CONDITION_OF.get(Cause(kind), ""))
        if condition is None:
            continue
        chosen = np.flatnonzero(cause == kind)
        known = {name: values.get(name, unknown)[chosen] for name in condition.variables}
        reasons = condition.reasons(known, settings)
        for name in reversed(condition.variables):
            variable[chosen[reasons[name]]] = variables.index(name)
    return Behind(variable, all_known[variable, np.arange(cause.size)])
