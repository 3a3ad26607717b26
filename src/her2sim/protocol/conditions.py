"""Conditions of rules, written as they are read: ``lvef_drop >= 16 or lvef < lln and ...``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from her2sim.arrays import Array, Mask
from her2sim.errors import DataError, did_you_mean
from her2sim.protocol.variables import SETTINGS, VARIABLES

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
_COMPARISON = re.compile(r"(\w+)\s*(>=|<=|==|>|<)\s*(\w+|-?\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Clause:
    """A variable against a number, or against a named setting."""

    variable: str
    sign: str
    limit: float | str

    def holds(self, values: Mapping[str, Array], settings: Mapping[str, float]) -> Mask:
        """Whether it holds for each patient; what was not measured (NaN) does not hold."""
        limit = settings[self.limit] if isinstance(self.limit, str) else self.limit
        found: Mask = _OPERATORS[self.sign](values[self.variable], limit)
        return found


@dataclass(frozen=True)
class Condition:
    """Alternatives, of which one has to hold with all its comparisons."""

    text: str
    alternatives: tuple[tuple[Clause, ...], ...]

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of what it looks at, in order."""
        found = (c.variable for comparisons in self.alternatives for c in comparisons)
        return tuple(dict.fromkeys(found))

    def holds(self, values: Mapping[str, Array], settings: Mapping[str, float]) -> Mask:
        """Whether the condition holds for each patient, shape of the values."""
        result: Mask | None = None
        for comparisons in self.alternatives:
            every = np.logical_and.reduce([c.holds(values, settings) for c in comparisons])
            result = every if result is None else result | every
        assert result is not None
        return result

    def is_met_by(
        self,
        values: Mapping[str, Array],
        needed: Mapping[str, Mask],
        settings: Mapping[str, float],
    ) -> Mask:
        """Whether it holds by what was measured: an alternative has to have one reading at least.

        Parameters
        ----------
        values : readings, NaN where nothing was measured, each of shape (n,)
        needed : for each variable, whose comparison does not hold without a reading
        settings : named limits
        """
        result = np.zeros(next(iter(values.values())).shape, dtype=bool)
        for comparisons in self.alternatives:
            missing = [np.isnan(values[c.variable]) for c in comparisons]
            every = [
                c.holds(values, settings) | (is_missing & ~needed[c.variable])
                for c, is_missing in zip(comparisons, missing, strict=True)
            ]
            result |= np.logical_and.reduce(every) & ~np.logical_and.reduce(missing)
        return result

    def reasons(
        self, values: Mapping[str, Array], settings: Mapping[str, float]
    ) -> dict[str, Mask]:
        """For each variable, where it is part of an alternative that holds."""
        found = {name: np.zeros(values[name].shape, dtype=bool) for name in self.variables}
        for comparisons in self.alternatives:
            every = np.logical_and.reduce([c.holds(values, settings) for c in comparisons])
            for comparison in comparisons:
                found[comparison.variable] |= every
        return found

    def failures(
        self, values: Mapping[str, Array], settings: Mapping[str, float]
    ) -> dict[str, Mask]:
        """For each variable, where it was measured and fails a comparison."""
        found = {name: np.zeros(values[name].shape, dtype=bool) for name in self.variables}
        for comparison in (c for comparisons in self.alternatives for c in comparisons):
            name = comparison.variable
            found[name] |= ~np.isnan(values[name]) & ~comparison.holds(values, settings)
        return found


@cache
def parse_condition(text: str) -> Condition:
    """Read a condition; ``and`` binds closer than ``or``, and there are no brackets.

    Raises
    ------
    DataError
        If a comparison cannot be read, or a variable or setting is unknown.
    """
    alternatives = tuple(
        tuple(_comparison(piece, text) for piece in part.split(" and "))
        for part in text.split(" or ")
    )
    return Condition(text, alternatives)


def _comparison(piece: str, text: str) -> Clause:
    found = _COMPARISON.fullmatch(piece.strip())
    if found is None:
        raise DataError(f"condition {text!r}: cannot read {piece.strip()!r}")
    variable, sign, limit = found.groups()
    if variable not in VARIABLES:
        raise DataError(
            f"condition {text!r}: unknown {variable!r}{did_you_mean(variable, VARIABLES)}"
        )
    try:
        return Clause(variable, sign, float(limit))
    except ValueError:
        if limit not in SETTINGS:
            hint = did_you_mean(limit, SETTINGS)
            raise DataError(f"condition {text!r}: unknown {limit!r}{hint}") from None
        return Clause(variable, sign, limit)
