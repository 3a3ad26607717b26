"""The dose of a drug in all, with the one that is due, by body surface."""

from __future__ import annotations

import numpy as np

from her2sim.arrays import Array, Positions
from her2sim.protocol.plan import DrugPlan

CUMULATIVE = "cumulative_mg_per_m2"
DIGITS = 6
"""So many decimals: sums of equal doses are equal."""


def is_counted(plan: DrugPlan) -> bool:
    """Whether a rule of the drug's label looks at its dose in all."""
    rules = plan.label.rule if plan.label is not None else ()
    return any(CUMULATIVE in rule.variables() for rule in rules)


def with_dose_due(plan: DrugPlan, given_mg_per_m2: Array, level: Positions) -> Array:
    """The dose in all if the next one were given, in mg/m2.

    Parameters
    ----------
    plan : the drug; NaN for one that is not dosed by body surface
    given_mg_per_m2 : what was given so far, shape (n,)
    level : dose level of each patient, shape (n,)
    """
    full = plan.phase.maintenance
    if full.unit != "mg/m2":
        return np.full(given_mg_per_m2.shape, np.nan)
    total: Array = np.round(given_mg_per_m2 + full.amount * plan.level_factor(level), DIGITS)
    return total
