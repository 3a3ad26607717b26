"""Beyond the mode: random effects of subjects drawn from their posterior distribution.

Importance sampling in rounds: points of a scrambled Sobol sequence are drawn from a t distribution
around the mode, weighed by the posterior, and drawn again from one with the moments found, until
enough of them count. What is returned was resampled by weight.

Source
------
Cappe, Guillin, Marin and Robert 2004, doi 10.1198/106186004X12803 (population Monte Carlo).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from her2sim.arrays import Array, Mask, Positions
from her2sim.individual.map_estimates import MapEstimates, Objective

POINTS = 2**11
MOST_ROUNDS = 6
FREEDOM = 6
"""Degrees of freedom of the proposals, whose tails must be wider than those of the posterior."""
WIDER = 1.2
"""Factor of the covariance of a proposal."""
ENOUGH = 0.4
"""Effective share of points with which the rounds end."""
SETTLED = 400
"""Effective points below which a posterior is told not to have settled."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """Random effects from the posterior of each subject.

    ``draws`` has shape (n_effects, n_subjects, n_draws), equally likely; ``mean`` and ``sd``
    (n_effects, n_subjects) are from all points by weight; ``effective`` (n_subjects,) is how many
    independent draws the points are worth.
    """

    draws: Array
    mean: Array
    sd: Array
    effective: Array

    @property
    def is_settled(self) -> Mask:
        """Whether enough points count, shape (n_subjects,)."""
        return np.asarray(self.effective >= SETTLED)


def posterior(
    asked: Objective, estimates: MapEstimates, n_draws: int = 1000, points: int = POINTS,
    seed: int = 1,
) -> Posterior:  # fmt: skip
    """Draw random effects of all subjects.

    Parameters
    ----------
    asked : what was measured, and the prior
    estimates : modes
    n_draws : draws that are returned of each subject
    points : points of a round, a power of two
    seed : of the sequence, which is the same for all subjects
    """
    k, n = estimates.effects.shape
    uniform = _uniform(points, k + 1, seed)
    found = Posterior(np.empty((k, n, n_draws)), np.empty((k, n)), np.empty((k, n)), np.zeros(n))
    centre, covariance = estimates.effects.T.copy(), estimates.covariance.copy()
    left = np.arange(n)
    for _ in range(MOST_ROUNDS):
        draws, weight = _round(asked, left, centre[left], WIDER * covariance[left], uniform)
        effective = 1 / (weight**2).sum(axis=1)
        mean = np.einsum("sp,spk->sk", weight, draws)
        apart = draws - mean[:, None, :]
        second = np.einsum("sp,spi,spj->sij", weight, apart, apart)
        better = effective > found.effective[left]
        kept = left[better]
        found.effective[kept] = effective[better]
        found.mean[:, kept] = mean[better].T
        found.sd[:, kept] = np.sqrt(np.einsum("sii->is", second[better]))
        chosen = _resampled(weight[better], n_draws)
        picked = np.take_along_axis(draws[better], chosen[:, :, None], axis=1)
        found.draws[:, kept] = picked.transpose(2, 0, 1)
        can_move = effective > 2 * k  # fewer points tell nothing of the moments
        centre[left[can_move]], covariance[left[can_move]] = mean[can_move], second[can_move]
        covariance[left[~can_move]] *= 2
        left = left[found.effective[left] < ENOUGH * points]
        if not left.size:
            break
    return found


def _uniform(points: int, columns: int, seed: int) -> Array:
    """Points in the unit cube, none on its edge."""
    from scipy.stats import qmc

    drawn = qmc.Sobol(columns, scramble=True, rng=seed).random(points)
    return np.clip(drawn, 1e-9, 1 - 1e-9)


def _round(
    asked: Objective, subjects: Positions, centre: Array, covariance: Array, uniform: Array
) -> tuple[Array, Array]:
    """Points of some subjects, shape (n, points, k), and their weights."""
    n, k = centre.shape
    points = uniform.shape[0]
    normal = ndtri(uniform[:, :k])
    radius = np.sqrt(FREEDOM / chi_square(uniform[:, k]))
    t = normal * radius[:, None]
    root = np.linalg.cholesky(covariance)
    draws = centre[:, None, :] + np.einsum("sij,pj->spi", root, t)
    log_density = -0.5 * (FREEDOM + k) * np.log1p((t**2).sum(axis=1) / FREEDOM)
    flat = draws.reshape(n * points, k).T
    objective = asked.value(flat, np.repeat(subjects, points)).reshape(n, points)
    log_weight = -0.5 * objective - log_density
    log_weight -= log_weight.max(axis=1, keepdims=True)
    weight = np.exp(log_weight)
    return draws, weight / weight.sum(axis=1, keepdims=True)


def _resampled(weight: Array, n_draws: int) -> Positions:
    """Places of equally likely points, shape (n, n_draws): as many of each as its weight says."""
    upper = np.cumsum(weight, axis=1)
    at = (np.arange(n_draws) + 0.5) / n_draws
    places = [np.searchsorted(row, at * row[-1]) for row in upper]
    return np.array(places, dtype=np.int64).reshape(weight.shape[0], n_draws)


def chi_square(uniform: Array) -> Array:
    """Quantiles of the chi-square distribution of the proposals."""
    from scipy.special import chdtri

    return np.asarray(chdtri(FREEDOM, 1 - uniform))
