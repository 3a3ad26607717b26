"""How good predictions are: errors, intervals and their scores, beside guesses without a model.

Source
------
Gneiting and Raftery 2007 (interval score), doi 10.1198/016214506000001437.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import norm, t

from her2sim.arrays import Array, Mask

LEVEL = 0.9
"""Share of figures that an interval shall hold."""
WIDEST = 2.0
FEWEST_ALIKE = 3
"""Figures of other trials below which their spread says nothing."""
FEWEST_OF_A_SPREAD = 2
"""Figures below which there is no spread at all."""


@dataclass(frozen=True, eq=False)
class PredictionInterval:
    """Predictions and their 90 % intervals, shape (n,) each."""

    middle: Array
    low: Array
    high: Array

    def holds(self, value: Array) -> Mask:
        """Which intervals hold what was seen."""
        found: Mask = (self.low <= value) & (value <= self.high)
        return found

    def score(self, value: Array) -> Array:
        """Interval scores, the smaller the better: width, and a penalty for what lies outside."""
        outside = np.maximum(self.low - value, 0.0) + np.maximum(value - self.high, 0.0)
        found: Array = self.high - self.low + 2 / (1 - LEVEL) * outside
        return found


def normal_interval(middle: Array, variance: Array) -> PredictionInterval:
    """Intervals of normal distributions."""
    half = norm.ppf(0.5 + LEVEL / 2) * np.sqrt(variance)
    return PredictionInterval(middle, middle - half, middle + half)


def spread_between_trials(error: Array, variance: Array) -> float:
    """SD between trials that errors have beyond their known variances (maximum likelihood)."""
    if error.size < FEWEST_ALIKE:
        return float("nan")

    def cost(sd: float) -> float:
        total = variance + sd**2
        return float(np.sum(np.log(total) + error**2 / total))

    return float(minimize_scalar(cost, bounds=(0.0, WIDEST), method="bounded").x)


def guess(
    value: Array, trial: Sequence[str], alike: Sequence[Sequence[str]] = ()
) -> PredictionInterval:
    """Each figure guessed from those of other trials, in the smallest group that has enough.

    Parameters
    ----------
    value : figures, shape (n,)
    trial : the trial of each
    alike : groups of each figure, the smallest first; all figures are the last
    """
    names = np.array(trial)
    rows = []
    for k in range(value.size):
        others = names != names[k]
        for group in (*(np.array(g) for g in alike), np.full(value.size, "")):
            chosen = others & (group == group[k])
            if chosen.sum() >= FEWEST_ALIKE:
                break
        known = value[chosen]
        if known.size < FEWEST_OF_A_SPREAD:  # a guess without a range
            rows.append((known.mean() if known.size else np.nan, -np.inf, np.inf))
            continue
        half = t.ppf(0.5 + LEVEL / 2, known.size - 1) * known.std(ddof=1)
        half *= np.sqrt(1 + 1 / known.size)
        rows.append((known.mean(), known.mean() - half, known.mean() + half))
    middle, low, high = np.array(rows).T
    return PredictionInterval(middle, low, high)


def by_trial(
    values: Array, trial: Sequence[str], n: int = 2000, seed: int = 1
) -> tuple[float, float]:
    """The 90 % interval of a mean, by a bootstrap over trials."""
    names = np.array(trial)
    each = [values[names == name] for name in dict.fromkeys(trial)]
    sums, sizes = np.array([v.sum() for v in each]), np.array([v.size for v in each])
    drawn = np.random.default_rng(seed).integers(0, len(each), (n, len(each)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.05, 0.95])
    return float(low), float(high)
