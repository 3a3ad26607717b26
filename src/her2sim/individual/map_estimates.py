"""The most likely random effects of subjects, from what was measured of them.

All subjects are fitted at once, each with its own damping: steps are those of Fisher scoring, whose
matrix is the one of NONMEM's first-order conditional estimation with interaction.

Source
------
Kang, Bae, Yim and Lee 2012, doi 10.4196/kjpp.2012.16.2.97 (objective).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from her2sim.arrays import Array, Mask, Positions
from her2sim.individual.residual_error import ResidualError

Predict = Callable[[Array], tuple[Array, Array]]
"""From random effects (n_effects, n_subjects) to predictions (n,) and slopes (n_effects, n)."""
MOST_STEPS = 80
DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-2, 1e-8, 1e8
ENOUGH = 1e-9
"""Largest step, in SDs of the population, after which a subject is done."""
LARGEST = 2.0
"""Largest step, in SDs of the population."""
STARTS = (0.0, 0.7, -0.7)
"""Where fits begin, in SDs of the population; the second and third are tried beside the first."""


class FitStatus(IntEnum):
    """How the fit of a subject ended."""

    FOUND = 0
    NOT_ENDED = 1


@dataclass(frozen=True, eq=False)
class Measurements:
    """Measurements of some subjects, one entry each.

    ``value`` is on the scale of the predictions; where ``is_below`` it is the limit below which
    nothing could be told.
    """

    subject: Positions
    value: Array
    is_below: Mask
    n_subjects: int


@dataclass(frozen=True, eq=False)
class MapEstimates:
    """Modes of subjects.

    ``effects`` has shape (n_effects, n_subjects); ``objective`` (n_subjects,) is -2 log of the
    likelihood and the prior but for constants; ``covariance`` (n_subjects, n_effects, n_effects)
    that of the normal distribution at the mode; ``marginal`` (n_subjects,) the objective with the
    random effects integrated out (FOCE with interaction), for comparing models.
    """

    effects: Array
    objective: Array
    covariance: Array
    marginal: Array
    status: NDArray[np.int64]


class Objective:
    """The objective of all subjects, with its slopes and the matrix of Fisher scoring."""

    def __init__(
        self, predict: Predict, measured: Measurements, error: ResidualError, omega: Array,
        prior_weight: float = 1.0,
    ) -> None:  # fmt: skip
        self.predict, self.measured, self.error = predict, measured, error
        self.inverse = prior_weight * np.linalg.inv(omega)

    def __call__(self, effects: Array) -> tuple[Array, Array, Array]:
        """Objective (n,), half its gradient (n, k), and half the expected Hessian (n, k, k)."""
        measured, error = self.measured, self.error
        predicted, slopes = self.predict(effects)
        moved = slopes * error.slope(predicted)
        gap = error.scaled(measured.value) - error.scaled(predicted)
        variance, by_prediction = error.variance(predicted)
        of_variance = by_prediction * slopes / variance
        seen = np.log(variance) + gap**2 / variance
        sd = np.sqrt(variance)
        below = -2 * log_ndtr(gap / sd)
        terms = np.where(measured.is_below, below, seen)
        ratio = np.exp(-0.5 * (gap / sd) ** 2 - log_ndtr(gap / sd)) / np.sqrt(2 * np.pi)
        by_gap = -moved / sd - 0.5 * gap / sd * of_variance
        gradient = np.where(
            measured.is_below, -ratio * by_gap,
            0.5 * of_variance * (1 - gap**2 / variance) - gap * moved / variance,
        )  # fmt: skip
        weight = np.where(measured.is_below, ratio * (ratio + gap / sd), 0.0)
        n, k = measured.n_subjects, effects.shape[0]
        matrix = np.empty((n, k, k))
        for i in range(k):
            for j in range(k):
                own = moved[i] * moved[j] / variance + 0.5 * of_variance[i] * of_variance[j]
                own = np.where(measured.is_below, weight * by_gap[i] * by_gap[j], own)
                matrix[:, i, j] = self._sum(own)
        objective = self._sum(terms) + np.einsum("in,ij,jn->n", effects, self.inverse, effects)
        half = np.array([self._sum(row) for row in gradient]) + self.inverse @ effects
        return objective, half.T, matrix + self.inverse

    def _sum(self, values: Array) -> Array:
        found = np.bincount(self.measured.subject, values, self.measured.n_subjects)
        return found.astype(np.float64)


def map_estimates(
    predict: Predict,
    measured: Measurements,
    error: ResidualError,
    omega: Array,
    prior_weight: float = 1.0,
) -> MapEstimates:
    """The most likely random effects of each subject.

    Parameters
    ----------
    predict : of all subjects at once
    measured : what was measured
    error : of the measurements
    omega : covariance of the random effects in the population, shape (k, k)
    prior_weight : 1; less trusts the population less (a flattened prior)
    """
    asked = Objective(predict, measured, error, omega, prior_weight)
    sd = np.sqrt(np.diag(omega))[:, None]
    found: tuple[Array, Array, Mask] | None = None
    for start in STARTS:
        begun = np.broadcast_to(start * sd, (sd.size, measured.n_subjects)).copy()
        effects, objective, ended = _descended(asked, begun, sd[:, 0])
        if found is None:
            found = effects, objective, ended
            continue
        better = objective < found[1] - 1e-9
        found = (
            np.where(better, effects, found[0]), np.where(better, objective, found[1]),
            np.where(better, ended, found[2]),
        )  # fmt: skip
    assert found is not None
    effects, objective, ended = found
    _, _, matrix = asked(effects)
    _, of_omega = np.linalg.slogdet(omega)
    marginal = objective + of_omega + np.linalg.slogdet(matrix)[1]
    covariance = np.linalg.inv(matrix).astype(np.float64)
    return MapEstimates(
        effects, objective, covariance, marginal,
        np.where(ended, FitStatus.FOUND, FitStatus.NOT_ENDED),
    )  # fmt: skip


def _descended(asked: Objective, effects: Array, sd: Array) -> tuple[Array, Array, Mask]:
    """Effects from a start, their objective, and who is done."""
    n = effects.shape[1]
    damping, done = np.full(n, DAMPING), np.zeros(n, dtype=bool)
    objective, half, matrix = asked(effects)
    for _ in range(MOST_STEPS):
        diagonal = np.einsum("nii->ni", matrix)
        damped = matrix + damping[:, None, None] * diagonal[:, :, None] * np.eye(sd.size)
        step = -np.linalg.solve(damped, half[:, :, None])[:, :, 0]
        step = np.clip(step, -LARGEST * sd, LARGEST * sd).T
        step[:, done] = 0.0
        tried = effects + step
        new, new_half, new_matrix = asked(tried)
        better = (new <= objective) & ~done
        small = (np.abs(step) / sd[:, None]).max(axis=0) < ENOUGH
        effects = np.where(better, tried, effects)
        objective = np.where(better, new, objective)
        half = np.where(better[:, None], new_half, half)
        matrix = np.where(better[:, None, None], new_matrix, matrix)
        damping = np.clip(np.where(better, damping / 10, damping * 10), LEAST_DAMPING, MOST_DAMPING)
        done |= small | (damping >= MOST_DAMPING)
        if done.all():
            break
    return effects, objective, done
