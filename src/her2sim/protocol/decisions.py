"""What was decided: the log of a cohort, each decision with its cause and reading."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from her2sim.arrays import Array, Whole

if TYPE_CHECKING:
    import polars as pl


class Decision(IntEnum):
    """What a rule did."""

    HOLD = 0
    RESUME = 1
    REDUCE = 2
    STOP = 3


class Cause(IntEnum):
    """What of a rule acted: a condition, a limit, or the same rule on a partner."""

    HOLD_WHEN = 0
    RESUME_WHEN = 1
    ONE_DOWN = 2
    STOP_WHEN = 3
    STOP_HELD_WHEN = 4
    MAX_HOLD_DAYS = 5
    MAX_HOLDS = 6
    NO_LOWER_LEVEL = 7
    PARTNER = 8


@dataclass(frozen=True, eq=False)
class DecisionLog:
    """Decisions of rules: one entry each; ``rule`` is the position in ``rules``.

    ``cause`` is what of the rule acted (a Cause), ``variable`` the position among the variables of
    the rule of the one by which it acted, and ``reading`` its value; NaN where a partner's rule
    acted. ``variables`` are those of each rule.
    """

    patient: Whole
    drug: Whole
    day: Array
    rule: Whole
    decision: Whole
    cause: Whole
    variable: Whole
    reading: Array
    rules: tuple[str, ...]
    variables: tuple[tuple[str, ...], ...]

    def frame(self, numbers: Whole, drugs: tuple[str, ...]) -> pl.DataFrame:
        """The log as a table."""
        import polars as pl

        first = np.cumsum([0, *map(len, self.variables)], dtype=np.int64)
        names = np.array([name for own in self.variables for name in own], dtype=np.str_)
        return pl.DataFrame(
            {
                "patient": numbers[self.patient],
                "drug": np.array(drugs)[self.drug],
                "day": self.day,
                "decision": np.array([d.name.lower() for d in Decision])[self.decision],
                "rule": np.array(self.rules)[self.rule],
                "cause": np.array([c.name.lower() for c in Cause])[self.cause],
                "variable": names[first[self.rule] + self.variable],
                "reading": self.reading,
            }
        ).sort("patient", "day", "drug", "rule")
