"""The most likely random effects of subjects, from what was measured of them.

All subjects are fitted at once, each with its own damping: steps are those of Fisher scoring, whose
matrix is the one of NONMEM's first-order conditional estimation with interaction.

Source
------
Kang, Bae, Yim and Lee 2012, doi 10.4196/kjpp.2012.16.2.97 (objective).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri

from her2sim.arrays import Array, Mask, Positions
from her2sim.individuals.residual_error import Scatter
from her2sim.random import Purpose, Stream

MOST_STEPS, SCORING_STEPS = 150, 20
"""Steps of a fit, and how many of them are of Fisher scoring; later ones are Newton's."""
STEP = 1e-3
"""Step of differences, in SDs of the population."""
DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-2, 1e-8, 1e8
ENOUGH = 1e-6
"""Largest step, in SDs of the population, after which a subject is done."""
NOTHING_LEFT = 1e-9
"""What a full step would gain of the objective, below which a subject is done."""
UNSEEN = 1e-6
"""Gain below which a step that did not help ends a fit: it is within the error of the solver."""
LARGEST = 2.0
"""Largest step, in SDs of the population."""
LOOKED_AT = 64
"""Points of the population, the best of which begins the third fit."""


class FitStatus(IntEnum):
    """How the fit of a subject ended."""

    FOUND = 0
    NOT_ENDED = 1
    NOTHING_MEASURED = 2


class Predictor(Protocol):
    """Predictions of what was measured, for some subjects (by position; one may come again).

    ``effects`` has one column for each of ``subjects``; predictions are those of
    ``Measurements.rows_of(subjects)``.
    """

    def levels(self, effects: Array, subjects: Positions) -> Array:
        """Predictions."""

    def slopes(self, effects: Array, subjects: Positions) -> tuple[Array, Array]:
        """Predictions, and their slopes by the random effects, shape (n_effects, n)."""


def rows_of(subject: Positions, subjects: Positions) -> tuple[Positions, Positions]:
    """Entries of some subjects one after the other, and the place in ``subjects``.

    ``subject`` has the subject of each entry, in order.
    """
    first = np.searchsorted(subject, subjects, side="left")
    number = np.searchsorted(subject, subjects, side="right") - first
    place = np.repeat(np.arange(subjects.size), number)
    within = np.arange(place.size) - np.repeat(np.cumsum(number) - number, number)
    return first[place] + within, place


@dataclass(frozen=True, eq=False)
class Measurements:
    """Measurements of some subjects, one entry each, in order of the subjects.

    ``value`` is on the scale of the predictions; where ``is_below`` it is the limit below which
    nothing could be told. ``scatter`` has their residual errors.
    """

    subject: Positions
    value: Array
    is_below: Mask
    n_subjects: int
    scatter: Scatter

    def rows_of(self, subjects: Positions) -> tuple[Positions, Positions]:
        """Measurements of some subjects one after the other, and the place in ``subjects``."""
        return rows_of(self.subject, subjects)


@dataclass(frozen=True, eq=False)
class MapEstimates:
    """Modes of subjects.

    ``effects`` has shape (n_effects, n_subjects); ``objective`` (n_subjects,) is -2 log of the
    likelihood and the prior but for constants; ``covariance`` (n_subjects, n_effects, n_effects)
    that of the normal distribution at the mode; ``marginal`` (n_subjects,) the objective with the
    random effects integrated out (FOCE with interaction), on the scale of what was measured.
    """

    effects: Array
    objective: Array
    covariance: Array
    marginal: Array
    status: NDArray[np.int64]


class Objective:
    """The objective of subjects, with its slopes and the matrix of Fisher scoring."""

    def __init__(
        self, predictor: Predictor, measured: Measurements, omega: Array, prior_weight: float = 1.0
    ) -> None:
        self.predictor, self.measured, self.omega = predictor, measured, omega
        self.inverse = prior_weight * np.linalg.inv(omega)

    def on_logarithms(self) -> Objective:
        """The same with errors on the logarithm.

        A proportional error makes predictions far above a measurement all equally unlikely, and a
        fit that begins there finds no way down; logarithms always show one.
        """
        scatter = self.measured.scatter.on_logarithm(self.measured.value)
        found = Objective(self.predictor, replace(self.measured, scatter=scatter), self.omega)
        found.inverse = self.inverse
        return found

    def value(self, effects: Array, subjects: Positions) -> Array:
        """The objective alone, one entry for each of ``subjects``."""
        rows, place = self.measured.rows_of(subjects)
        predicted = self.predictor.levels(effects, subjects)
        terms = _terms(self.measured, rows, predicted)[0]
        prior = np.einsum("in,ij,jn->n", effects, self.inverse, effects)
        return _or_never(np.bincount(place, terms, subjects.size) + prior)

    def __call__(self, effects: Array, subjects: Positions) -> tuple[Array, Array, Array]:
        """Objective (n,), half its gradient (n, k), and half the expected Hessian (n, k, k)."""
        rows, place = self.measured.rows_of(subjects)
        predicted, slopes = self.predictor.slopes(effects, subjects)
        terms, gap, sd, variance, by_prediction = _terms(self.measured, rows, predicted)
        scatter, is_below = self.measured.scatter.take(rows), self.measured.is_below[rows]
        moved = slopes * scatter.slope(predicted)
        of_variance = by_prediction * slopes / variance
        ratio = np.exp(-0.5 * (gap / sd) ** 2 - log_ndtr(gap / sd)) / np.sqrt(2 * np.pi)
        by_gap = -moved / sd - 0.5 * gap / sd * of_variance
        gradient = np.where(
            is_below, -ratio * by_gap,
            0.5 * of_variance * (1 - gap**2 / variance) - gap * moved / variance,
        )  # fmt: skip
        weight = np.where(is_below, ratio * (ratio + gap / sd), 0.0)
        n, k = subjects.size, effects.shape[0]
        matrix = np.empty((n, k, k))
        for i in range(k):
            for j in range(i + 1):
                own = moved[i] * moved[j] / variance + 0.5 * of_variance[i] * of_variance[j]
                own = np.where(is_below, weight * by_gap[i] * by_gap[j], own)
                matrix[:, i, j] = matrix[:, j, i] = np.bincount(place, own, n)
        prior = np.einsum("in,ij,jn->n", effects, self.inverse, effects)
        half = np.array([np.bincount(place, row, n) for row in gradient]).reshape(k, n)
        half = half + self.inverse @ effects
        value = _or_never(np.bincount(place, terms, n) + prior)
        return value, np.nan_to_num(half.T), np.nan_to_num(matrix) + self.inverse


def _or_never(value: Array) -> Array:
    """An objective that is no number belongs to effects that cannot be."""
    return np.where(np.isnan(value), np.inf, value)


def _terms(
    measured: Measurements, rows: Positions, predicted: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """-2 log likelihood of measurements; and gap, SD, variance and its slope by the prediction."""
    scatter = measured.scatter.take(rows)
    gap = scatter.scaled(measured.value[rows]) - scatter.scaled(predicted)
    variance, by_prediction = scatter.variance(predicted)
    sd = np.sqrt(variance)
    seen = np.log(variance) + gap**2 / variance
    terms = np.where(measured.is_below[rows], -2 * log_ndtr(gap / sd), seen)
    return terms, gap, sd, variance, by_prediction


def map_estimates(asked: Objective) -> MapEstimates:
    """The most likely random effects of each subject; the prior where nothing was measured.

    Each subject is fitted from three starts: the middle of the population, and where fits of the
    logarithms end that begin there and at the best of 64 points. The best is taken.
    """
    n, sd = asked.measured.n_subjects, np.sqrt(np.diag(asked.omega))
    everyone, on_log = np.arange(n), asked.on_logarithms()
    middle = np.zeros((sd.size, n))
    begun = np.concatenate([middle, _best_of_population(on_log, everyone)], axis=1)
    begun = np.concatenate([middle, _descended(on_log, begun, np.tile(everyone, 2))[0]], axis=1)
    tried, value, done = _descended(asked, begun, np.tile(everyone, 3))
    best = value.reshape(3, n).argmin(axis=0) * n + everyone
    effects, objective, ended = tried[:, best], value[best], done[best]
    _, _, matrix = asked(effects, everyone)
    of_omega = np.linalg.slogdet(asked.omega)[1]
    marginal = objective + of_omega + np.linalg.slogdet(matrix)[1] + _of_scale(asked.measured)
    status = np.where(ended, FitStatus.FOUND, FitStatus.NOT_ENDED)
    is_measured = np.isin(everyone, asked.measured.subject)
    return MapEstimates(
        effects, objective, np.linalg.inv(matrix).astype(np.float64), marginal,
        np.where(is_measured, status, FitStatus.NOTHING_MEASURED),
    )  # fmt: skip


def _curvature(asked: Objective, effects: Array, subjects: Positions, scoring: Array) -> Array:
    """Half the Hessian by differences of the exact gradient; scoring's where it is not convex."""
    k, n = effects.shape
    sd = np.sqrt(np.diag(asked.omega))
    moves = STEP * np.diag(sd)
    both = np.concatenate(
        [effects + sign * moves[:, [j]] for j in range(k) for sign in (1, -1)], axis=1
    )
    half = asked(both, np.tile(subjects, 2 * k))[1].reshape(k, 2, n, k)
    found = ((half[:, 0] - half[:, 1]) / (2 * STEP * sd)[:, None, None]).transpose(1, 0, 2)
    found = 0.5 * (found + found.transpose(0, 2, 1))
    is_convex = np.linalg.eigvalsh(found)[:, 0] > 0
    return np.where(is_convex[:, None, None], found, scoring)


def _of_scale(measured: Measurements) -> Array:
    """-2 log of what logarithms do to densities, which makes models of either scale comparable."""
    on_log = measured.scatter.is_log & ~measured.is_below
    terms = np.where(on_log, 2 * np.log(np.where(on_log, measured.value, 1.0)), 0.0)
    return np.asarray(np.bincount(measured.subject, terms, measured.n_subjects))


def _best_of_population(asked: Objective, subjects: Positions) -> Array:
    """For each subject that of some points of the population at which the objective is lowest."""
    k, n = asked.omega.shape[0], subjects.size
    points = np.linalg.cholesky(asked.omega) @ ndtri(uniform_points(LOOKED_AT, k)).T
    many = np.repeat(subjects, LOOKED_AT)
    value = asked.value(np.tile(points, n), many).reshape(n, LOOKED_AT)
    return np.asarray(points[:, value.argmin(axis=1)])


def uniform_points(points: int, columns: int, seed: int = 1) -> Array:
    """Points in the unit cube, shape (points, columns)."""
    stream = Stream(seed, 0, np.arange(1, points + 1), Purpose.POSTERIOR)
    return np.stack([stream.uniform(f"column:{k}") for k in range(columns)], axis=1)


def _descended(asked: Objective, start: Array, subjects: Positions) -> tuple[Array, Array, Mask]:
    """Effects from starts, one for each of ``subjects``, their objective, and which have ended.

    Only those that have not are computed on.
    """
    effects, n, sd = start.copy(), start.shape[1], np.sqrt(np.diag(asked.omega))
    damping, is_done = np.full(n, DAMPING), np.zeros(n, dtype=bool)
    objective, half, matrix = asked(effects, subjects)
    for step_number in range(MOST_STEPS):
        left = np.flatnonzero(~is_done)
        if not left.size:
            break
        own, slope = matrix[left], half[left]
        if step_number >= SCORING_STEPS:  # what is left is bent: scoring goes to and fro there
            own = _curvature(asked, effects[:, left], subjects[left], own)
        diagonal = np.einsum("nii->ni", own)
        damped = own + damping[left, None, None] * diagonal[:, :, None] * np.eye(sd.size)
        step = -np.linalg.solve(damped, slope[:, :, None])[:, :, 0]
        gain = -np.einsum("ni,ni->n", slope, step)
        step = np.clip(step, -LARGEST * sd, LARGEST * sd).T
        new, new_half, new_matrix = asked(effects[:, left] + step, subjects[left])
        better = new <= objective[left]
        kept = left[better]
        effects[:, kept] += step[:, better]
        objective[kept], half[kept] = new[better], new_half[better]
        matrix[kept] = new_matrix[better]
        changed = np.where(better, damping[left] / 10, damping[left] * 10)
        damping[left] = np.clip(changed, LEAST_DAMPING, MOST_DAMPING)
        small = (np.abs(step) / sd[:, None]).max(axis=0) < ENOUGH
        nothing = (gain < NOTHING_LEFT) & (damping[left] <= 1)
        is_done[left] = small | nothing | (~better & (gain < UNSEEN))
    return effects, objective, is_done
