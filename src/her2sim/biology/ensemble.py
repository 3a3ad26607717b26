"""Members of an ensemble: what is not known takes a value from its range, the same for a member.

Member 0 has the values of the fact files. Clinical anchors do not identify one set of numbers, so
a result is shown for many members.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import expit, logit

from her2sim.arrays import Array
from her2sim.errors import DataError
from her2sim.facts import FactModel, UncertainQuantity
from her2sim.patients.cohort import Cohort
from her2sim.random import Purpose, Stream

ENSEMBLE_SEED = 1
FEWEST = 10
"""Patients below which a member says nothing about a figure."""
FEWEST_MEMBERS = 10
"""Members (or replicates) below which there is no 5th to 95th percentile.

The least and the largest of n draws hold (n - 1) / (n + 1) of what is drawn on average: a third
with two, four fifths with ten. With fewer the range would look much surer than it is.
"""
QUANTILES = (5.0, 95.0)


@dataclass(frozen=True, eq=False)
class Members:
    """The member of the ensemble that each patient belongs to, shape (n,).

    ``shares`` says for some numbers (``OWNER:NAME``) where in its range each patient's lies, from 0
    to 1, shape (n,), in place of the member's draw; ``values`` gives the number itself. ``draws``
    are the draws of members that a calibration tries, where they are not those that are kept.
    """

    ids: NDArray[np.int64]
    shares: Mapping[str, Array] = field(default_factory=dict)
    values: Mapping[str, Array] = field(default_factory=dict)
    draws: NDArray[np.int64] | None = None

    def take(self, rows: NDArray[np.int64]) -> Members:
        """Those of some patients."""

        def cut(told: Mapping[str, Array]) -> dict[str, Array]:
            return {name: array[rows] for name, array in told.items()}

        draws = None if self.draws is None else self.draws[rows]
        return Members(self.ids[rows], cut(self.shares), cut(self.values), draws)

    def beside(self, other: Members) -> Members:
        """These and others; what only some are told is left out."""

        def put(a: Mapping[str, Array], b: Mapping[str, Array]) -> dict[str, Array]:
            return {name: np.concatenate([a[name], b[name]]) for name in a if name in b}

        ids = np.concatenate([self.ids, other.ids])
        draws = None
        if self.draws is not None and other.draws is not None:
            draws = np.concatenate([self.draws, other.draws])
        shares, values = put(self.shares, other.shares), put(self.values, other.values)
        return Members(ids, shares, values, draws)


class Ensemble(FactModel):
    """The members that a calibration kept: the number of the draw of each.

    What was not calibrated takes its value from that draw of its range.
    """

    draws: tuple[int, ...] = Field(min_length=1)


@cache
def ensemble() -> Ensemble:
    """The ensemble that comes with her2sim."""
    path = files("her2sim.biology").joinpath("ensemble.toml")
    return Ensemble.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


def require_members(number: int) -> int:
    """Refuse more members than there are.

    Raises
    ------
    DataError
        With how many there are.
    """
    most = len(ensemble().draws)
    if not 1 <= number <= most:
        raise DataError(f"{number} members: the ensemble has {most}; use 1 to {most}")
    return number


def spread(values: Array, of: str = "members") -> tuple[float | None, float | None, str]:
    """5th and 95th percentile of known values; with too few, None and what they would need."""
    if values.size < FEWEST_MEMBERS:
        return None, None, f"{FEWEST_MEMBERS} {of}; {values.size} here"
    low, high = np.percentile(values, QUANTILES, method="nearest")
    return float(low), float(high), ""


def member_value(name: str, quantity: UncertainQuantity, members: Members) -> Array:
    """Value of a number for the member of each patient; ``name`` decides the draw."""
    if name in members.values:
        return members.values[name]
    values = np.full(members.ids.shape, quantity.value)
    if quantity.members and name not in members.shares:
        if members.draws is not None:
            return values
        return np.array([quantity.value, *quantity.members])[members.ids]
    if quantity.low is None or quantity.high is None:
        return values
    into, back = _SCALES[quantity.drawn_on]
    low, high = into(quantity.low), into(quantity.high)
    if name in members.shares:
        told: Array = back(low + members.shares[name] * (high - low))
        return told
    kept = np.array([0, *ensemble().draws])
    draws = kept[members.ids] if members.draws is None else members.draws
    share = Stream(ENSEMBLE_SEED, 0, draws, Purpose.ENSEMBLE).uniform(name)
    drawn: Array = np.where(members.ids == 0, values, back(low + share * (high - low)))
    return drawn


def patient_value(
    name: str, quantity: UncertainQuantity, cohort: Cohort, members: Members
) -> Array:
    """Value of a parameter for each patient: that of its member, and how it differs from others."""
    typical = member_value(name, quantity, members)
    if quantity.spread is None:
        return typical
    score = cohort.stream(Purpose.BIOLOGY).normal(name)
    into, back = _SCALES[quantity.drawn_on]
    drawn: Array = back(into(typical) + _spread(name, quantity, members) * score)
    return drawn


def _spread(name: str, quantity: UncertainQuantity, members: Members) -> Array:
    """SD between patients for the member of each; told or calibrated as ``NAME.spread``."""
    told = f"{name}.spread"
    if told in members.values:
        return members.values[told]
    if quantity.spread_members and members.draws is None:
        return np.array([quantity.spread, *quantity.spread_members])[members.ids]
    return np.full(members.ids.shape, quantity.spread)


def patient_values(
    owner: str,
    quantities: Mapping[str, UncertainQuantity],
    cohort: Cohort,
    members: Members,
) -> dict[str, Array]:
    """All parameters of a fact file for each patient; ``owner`` keeps equal names apart."""
    return {
        name: patient_value(f"{owner}:{name}", quantity, cohort, members)
        for name, quantity in quantities.items()
    }


def onto_scale(quantity: UncertainQuantity, values: Array) -> Array:
    """Values of a number on the scale on which it is drawn."""
    found: Array = _SCALES[quantity.drawn_on][0](values)
    return found


def from_scale(quantity: UncertainQuantity, values: Array) -> Array:
    """Values of a number from the scale on which it is drawn."""
    found: Array = _SCALES[quantity.drawn_on][1](values)
    return found


_SCALES = {
    "log": (np.log, np.exp),
    "logit": (logit, expit),
    "linear": (lambda x: x, lambda x: x),
}
