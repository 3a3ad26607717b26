"""The range of what may be seen of a figure: members, trials, and the sample of a published one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from her2sim.arrays import Array
from her2sim.studies.trial.beside import Beside, from_scale, into_scale
from her2sim.trials.endpoints import ArmOutcomes
from her2sim.trials.figure_errors import (
    kind_of,
    median_chance,
    outcome_sampling,
    predictive_range,
    ratio_chance,
    ratio_sampling,
    share_chance,
)
from her2sim.trials.member_estimates import whom
from her2sim.trials.trial import Comparison, Outcome

Arms = Mapping[str, ArmOutcomes]


def seen_range(
    beside: Beside, arms: Arms, row: Outcome | Comparison, values: Array
) -> tuple[float, float]:
    """The 90 % range of what may be seen of a figure, from its values in the members."""
    kind, trial = kind_of(row), beside.trial
    at = into_scale(kind, values)
    if isinstance(row, Comparison):
        n = [_per_member(arms[name], row) for name in (row.arm, row.versus)]
        chance, is_published = ratio_chance(*n), row.hazard_ratio is not None
        sampling = ratio_sampling(trial, row) if is_published else 0.0
    else:
        n_own, is_published = _per_member(arms[row.arm], row), row.value is not None
        middle = float(np.clip(np.median(values) / 100, 0.01, 0.99)) if kind != "median" else 0.5
        chance = median_chance(n_own) if kind == "median" else share_chance(n_own, middle)
        sampling = outcome_sampling(trial, row) if is_published else 0.0
    noise = float(np.hypot(beside.between(row), sampling))
    low, high = from_scale(kind, np.array(predictive_range(at, chance, noise)))
    return float(low), float(high)


def _per_member(arm: ArmOutcomes, row: Outcome | Comparison) -> float:
    """Patients of a member whom a figure rests on, on average."""
    return max(1.0, np.count_nonzero(whom(arm, row)) / np.unique(arm.member).size)
