"""Beyond the mode: random effects of subjects drawn from their posterior distribution.

Importance sampling in rounds. Points are drawn from a mixture: the population, so that nothing
which it holds possible is missed, and normal distributions around the mode, later around points
that count, each with the shape that the measurements have there. They are weighed by the posterior;
the rounds end when enough points count. What is returned was resampled.

Source
------
Cappe, Guillin, Marin and Robert 2004, doi 10.1198/106186004X12803 (population Monte Carlo).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, ndtri

from her2sim.arrays import Array, Mask, Positions
from her2sim.individuals.map_estimates import MapEstimates, Objective, uniform_points

POINTS = 2**12
MOST_ROUNDS = 8
FREEDOM = 6
"""Degrees of freedom of the proposals, whose tails must be wider than those of the posterior."""
OF_POPULATION = 0.2
"""Share of the points that are drawn from the population."""
KERNELS = 64
WIDER, NARROWER = 1.2, 0.5
"""Factors of the covariance of the first proposal, and of those around points."""
ENOUGH = 0.35
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


@dataclass(frozen=True, eq=False)
class _Proposals:
    """Centres (n, m, k) and roots of covariances (n, m, k, k) of t distributions, of equal share
    but for the last, which is the population.
    """

    centre: Array
    root: Array

    def shares(self) -> Array:
        """Share of the points from each, shape (m,)."""
        m = self.centre.shape[1]
        return np.append(np.full(m - 1, (1 - OF_POPULATION) / (m - 1)), OF_POPULATION)

    def points(self, uniform: Array) -> Array:
        """Points, shape (n, points, k), from uniform numbers in k + 2 columns."""
        k = self.centre.shape[2]
        which = np.searchsorted(np.cumsum(self.shares())[:-1], uniform[:, k + 1], side="right")
        radius = np.sqrt(FREEDOM / chdtri(FREEDOM, 1 - uniform[:, k]))
        t = ndtri(uniform[:, :k]) * radius[:, None]
        moved = np.einsum("npij,pj->npi", self.root[:, which], t)
        return np.asarray(self.centre[:, which] + moved)

    def log_density(self, points: Array) -> Array:
        """Logarithm of the density but for a constant, shape (n, points)."""
        k, found = points.shape[2], None
        for m, share in enumerate(self.shares()):
            root = self.root[:, m]
            inverse = np.linalg.inv(root)
            apart = np.einsum("nij,npj->npi", inverse, points - self.centre[:, None, m])
            log_det = np.log(np.einsum("nii->ni", root)).sum(axis=1)[:, None]
            own = np.log1p((apart**2).sum(axis=2) / FREEDOM)
            own = np.log(share) - 0.5 * (FREEDOM + k) * own - log_det
            found = own if found is None else np.logaddexp(found, own)
        assert found is not None
        return np.asarray(found)


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
    points : points of a round
    seed : of the points, which are the same for all subjects
    """
    k, n = estimates.effects.shape
    uniform = uniform_points(points, k + 2, seed)
    found = Posterior(np.empty((k, n, n_draws)), np.empty((k, n)), np.empty((k, n)), np.zeros(n))
    left = np.arange(n)
    centre, covariance = estimates.effects.T[:, None], WIDER * estimates.covariance[:, None]
    for _ in range(MOST_ROUNDS):
        proposals = _with_population(centre, covariance, asked)
        draws = proposals.points(uniform)
        weight = _weights(asked, left, draws, proposals.log_density(draws))
        effective = 1 / (weight**2).sum(axis=1)
        better = effective > found.effective[left]
        _keep(found, left[better], draws[better], weight[better], effective[better])
        open_ = effective < ENOUGH * points
        left, draws, weight = left[open_], draws[open_], weight[open_]
        if not left.size:
            break
        chosen = _resampled(weight, KERNELS)
        centre = np.take_along_axis(draws, chosen[:, :, None], axis=1)
        covariance = NARROWER * _shape_at(asked, left, centre)
    return found


def _keep(found: Posterior, kept: Positions, draws: Array, weight: Array, effective: Array) -> None:
    """Write what was found of some subjects."""
    found.effective[kept] = effective
    mean = np.einsum("sp,spk->sk", weight, draws)
    found.mean[:, kept] = mean.T
    second = np.einsum("sp,spk->sk", weight, (draws - mean[:, None, :]) ** 2)
    found.sd[:, kept] = np.sqrt(second).T
    chosen = _resampled(weight, found.draws.shape[2])
    picked = np.take_along_axis(draws, chosen[:, :, None], axis=1)
    found.draws[:, kept] = picked.transpose(2, 0, 1)


def _with_population(centre: Array, covariance: Array, asked: Objective) -> _Proposals:
    n, _, k = centre.shape
    prior = np.linalg.cholesky(np.linalg.inv(asked.inverse))
    last = np.broadcast_to(prior, (n, 1, k, k))
    root = np.concatenate([np.linalg.cholesky(covariance), last], axis=1)
    return _Proposals(np.concatenate([centre, np.zeros((n, 1, k))], axis=1), root)


def _shape_at(asked: Objective, subjects: Positions, centre: Array) -> Array:
    """Covariance that the measurements and the population leave around points (n, m, k)."""
    n, m, k = centre.shape
    matrix = asked(centre.reshape(n * m, k).T, np.repeat(subjects, m))[2]
    return np.asarray(np.linalg.inv(matrix).reshape(n, m, k, k), dtype=np.float64)


def _weights(asked: Objective, subjects: Positions, draws: Array, log_density: Array) -> Array:
    """Weights of points, which add up to one for each subject."""
    n, points, k = draws.shape
    objective = asked.value(draws.reshape(n * points, k).T, np.repeat(subjects, points))
    log_weight = -0.5 * objective.reshape(n, points) - log_density
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _resampled(weight: Array, n_draws: int) -> Positions:
    """Places of equally likely points, shape (n, n_draws): as many of each as its weight says."""
    at = (np.arange(n_draws) + 0.5) / n_draws
    places = [np.searchsorted(upper, at * upper[-1]) for upper in np.cumsum(weight, axis=1)]
    return np.array(places, dtype=np.int64).reshape(weight.shape[0], n_draws)
