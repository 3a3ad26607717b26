"""A few patients that stand for many: chosen so that their characteristics are spread evenly.

Source
------
Chen, Welling and Smola 2010 (kernel herding), arXiv:1203.3472.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from her2sim.arrays import Array, Positions

PAIRS = 1.0
"""Weight of pairs of characteristics over single ones."""


def even_sample(features: Array, n: int) -> Positions:
    """Positions of n of some patients whose characteristics are spread as those of all.

    Parameters
    ----------
    features : characteristics of all patients, shape (n_features, n_all); only ranks count
    n : how many are wanted, fewer than all
    """
    varied = np.ptp(features, axis=1) > 0
    ranks = np.array([rankdata(row) for row in features[varied]]) - 0.5
    kernel = _kernel(ranks / features.shape[1])
    towards = kernel.mean(axis=1)
    left = np.ones(features.shape[1], dtype=bool)
    sum_chosen = np.zeros(features.shape[1])
    chosen = []
    for number in range(n):
        gain = np.where(left, towards - sum_chosen / (number + 1), -np.inf)
        best = int(np.argmax(gain))
        chosen.append(best)
        left[best] = False
        sum_chosen += kernel[best]
    return np.sort(np.array(chosen, dtype=np.int64))


def _kernel(levels: Array) -> Array:
    """How alike patients are in single characteristics and in pairs, shape (n_all, n_all)."""
    single = np.zeros((levels.shape[1], levels.shape[1]))
    for row in levels:
        distance = np.abs(row[:, None] - row[None])
        # The covariance of a Brownian bridge, without a preferred origin.
        single += 0.5 - distance * (1.0 - distance) - 1.0 / 3.0
    single /= levels.shape[0]
    found: Array = single + PAIRS * levels.shape[0] * single**2
    return found
