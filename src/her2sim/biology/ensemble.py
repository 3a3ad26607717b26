"""Members of an ensemble: what is not known takes a value from its range, the same for a member.

Member 0 has the values of the fact files. Clinical anchors do not identify one set of numbers, so
a result is shown for many members.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from her2sim.facts import UncertainQuantity
from her2sim.patients.cohort import Cohort
from her2sim.random import Purpose, normals, uniforms

Array = NDArray[np.float64]
ENSEMBLE_SEED = 1


@dataclass(frozen=True, eq=False)
class Members:
    """The member of the ensemble that each patient belongs to, shape (n,).

    ``shares`` says for some numbers (``OWNER:NAME``) where in its range each patient's lies, from 0
    to 1, shape (n,), in place of the member's draw.
    """

    ids: NDArray[np.int64]
    shares: Mapping[str, Array] = field(default_factory=dict)

    def take(self, rows: NDArray[np.int64]) -> Members:
        """Those of some patients."""
        return Members(self.ids[rows], {name: share[rows] for name, share in self.shares.items()})


def member_value(name: str, quantity: UncertainQuantity, members: Members) -> Array:
    """Value of a number for the member of each patient; ``name`` decides the draw."""
    values = np.full(members.ids.shape, quantity.value)
    if quantity.low is None or quantity.high is None:
        return values
    into, back = _SCALES[quantity.drawn_on]
    low, high = into(quantity.low), into(quantity.high)
    if name in members.shares:
        told: Array = back(low + members.shares[name] * (high - low))
        return told
    share = uniforms(ENSEMBLE_SEED, 0, members.ids, Purpose.ENSEMBLE, name)
    drawn: Array = np.where(members.ids == 0, values, back(low + share * (high - low)))
    return drawn


def patient_value(
    name: str, quantity: UncertainQuantity, cohort: Cohort, members: Members
) -> Array:
    """Value of a parameter for each patient: that of its member, and how it differs from others."""
    typical = member_value(name, quantity, members)
    if quantity.spread is None:
        return typical
    score = normals(cohort.seed, cohort.replicate, cohort.numbers, Purpose.BIOLOGY, name)
    into, back = _SCALES[quantity.drawn_on]
    drawn: Array = back(into(typical) + quantity.spread * score)
    return drawn


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


_SCALES = {
    "log": (np.log, np.exp),
    "logit": (logit, expit),
    "linear": (lambda x: x, lambda x: x),
}
