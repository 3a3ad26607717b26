"""Sets of numbers that fit about as well as the best: members of the ensemble.

Each member fits figures and priors that are perturbed by their errors (randomised maximum
likelihood), by steps with the slopes of the best fit, around which they are drawn: what the best
fit misses, members miss on average.

Source
------
Oliver, He and Reynolds 1996 (5th European Conference on the Mathematics of Oil Recovery).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array, Mask, Positions
from her2sim.calibration.evidence import Evidence
from her2sim.calibration.map_fit import MapFit, Misses
from her2sim.calibration.plan import FARTHEST

CORRECTIONS, KEPT_CORRECTIONS = 1, 2
"""Steps of each member after the first; where members keep other numbers of metastatic breast
cancer, their own make up for these."""


@dataclass(frozen=True, eq=False)
class DrawnMembers:
    """Members: sets (n_parameters, n), and their draws of what is not calibrated (n,)."""

    sets: Array
    draws: Positions


def draw_members(
    evidence: Evidence,
    fit: MapFit,
    n: int,
    seed: int,
    used: Mask | None = None,
    corrections: int = CORRECTIONS,
) -> DrawnMembers:
    """Members around a fit to the anchors that are used.

    Parameters
    ----------
    evidence, fit : anchors, and the best fit
    n, seed : how many, and of the perturbations
    used : anchors that count, all if not given
    corrections : steps after the first, which is that of a linear model
    """
    random, misses = np.random.default_rng(seed), Misses(evidence, used)
    of_misses = misses.slopes(fit.predicted, fit.slopes)
    posterior = np.linalg.inv(of_misses.T @ of_misses + np.eye(fit.at.size))
    figures = _paired(random, misses.used.sum(), n)
    priors = _paired(random, fit.at.size, n)
    best = misses(fit.predicted[:, None])
    sets = np.tile(fit.at[:, None], n)
    draws = np.arange(1, n + 1)
    predicted = np.tile(fit.predicted[:, None], n)
    for turn in range(1 + corrections):
        if turn:
            predicted = evidence.predict(sets, draws=draws)
        gap = misses(predicted) - best - figures
        step = -posterior @ (of_misses.T @ gap + sets - fit.at[:, None] - priors)
        sets = np.clip(sets + np.clip(step, -FARTHEST, FARTHEST), -FARTHEST, FARTHEST)
    return DrawnMembers(sets, draws)


def _paired(random: np.random.Generator, n_rows: int, n: int) -> Array:
    """Normal draws (n_rows, n) whose second half mirrors the first."""
    half = random.standard_normal((n_rows, (n + 1) // 2))
    return np.concatenate([half, -half], axis=1)[:, :n]
