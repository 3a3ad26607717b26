"""The set of numbers that fits best: Levenberg and Marquardt with priors.

Slopes cost most: they are worked out anew in some steps only, and mended in between by what the
tried sets show.

Source
------
Marquardt 1963, doi 10.1137/0111030; Broyden 1965, doi 10.2307/2003941; Huber 1964 for far misses,
doi 10.1214/aoms/1177703732.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, rel_entr

from her2sim.arrays import Array, Mask
from her2sim.calibration.evidence import Evidence
from her2sim.calibration.plan import FARTHEST

Note = Callable[[str], None]
STEP = 0.3
"""Step of the slopes, in standard deviations of a prior."""
DAMPINGS = (1 / 8, 1.0, 8.0, 64.0)
"""Dampings tried at once, over the last one."""
LONGEST = 1.0
"""Largest change of a parameter in one step, in standard deviations of its prior."""
FAR = 3.0
"""Misses beyond which a figure pulls no more than in proportion, in its errors."""
ENOUGH = 0.5
"""Gain of the cost below which slopes are renewed, or a fit ends."""


@dataclass(frozen=True, eq=False)
class MapFit:
    """A fit: the set (n_parameters,), its cost, what it predicts, and slopes near it.

    ``predicted`` has shape (n_anchors,), ``slopes`` (n_anchors, n_parameters).
    """

    at: Array
    cost: float
    predicted: Array
    slopes: Array


class Misses:
    """Misses of the anchors that are used, in their errors; far ones count less (Huber).

    Shares of few patients count by their binomial likelihood: as the root of the deviance, which
    the spread between trials makes smaller.
    """

    def __init__(self, evidence: Evidence, used: Mask | None = None) -> None:
        anchors = evidence.anchors
        self.value = np.array([a.value for a in anchors])
        self.sd = np.array([a.sd for a in anchors])
        self.used = np.ones(len(anchors), dtype=bool) if used is None else used
        counted = np.array([a.counted for a in anchors])
        self.counts = np.flatnonzero(np.isfinite(counted))
        few = [anchors[k] for k in self.counts]
        self.n = counted[self.counts, None]
        self.share = np.array([[a.published / 100] for a in few]).reshape(-1, 1)
        self.kept = np.array([[a.sampling / a.sd] for a in few]).reshape(-1, 1)

    def plain(self, predicted: Array) -> Array:
        """Of predictions (n_anchors, n_sets) without bending, shape (n_used, n_sets)."""
        misses = (predicted - self.value[:, None]) / self.sd[:, None]
        misses[self.counts] = self._deviance(predicted[self.counts])[0]
        found: Array = misses[self.used]
        return found

    def _deviance(self, predicted: Array) -> tuple[Array, Array]:
        """Signed roots of the deviance of counts, and their slopes by the logit."""
        chance = expit(predicted)
        twice = 2 * self.n * rel_entr(self.share, chance)
        twice = twice + 2 * self.n * rel_entr(1 - self.share, 1 - chance)
        root = np.sign(chance - self.share) * np.sqrt(np.maximum(twice, 0.0))
        near = np.abs(root) < 1e-6
        steep = np.where(
            near, np.sqrt(self.n * chance * (1 - chance)),
            self.n * (chance - self.share) / np.where(near, 1.0, root),
        )  # fmt: skip
        return self.kept * root, self.kept * steep

    def __call__(self, predicted: Array) -> Array:
        """Of predictions (n_anchors, n_sets), shape (n_used, n_sets)."""
        plain = self.plain(predicted)
        size = np.abs(plain)
        far = np.sqrt(np.maximum(2 * FAR * size - FAR**2, 0.0))
        found: Array = np.where(size > FAR, np.sign(plain) * far, plain)
        return found

    def slopes(self, predicted: Array, slopes: Array) -> Array:
        """Slopes of the misses (n_used, n_parameters) from those of all predictions."""
        size = np.abs(self.plain(predicted[:, None])[:, 0])
        bent = FAR / np.sqrt(np.maximum(2 * FAR * size - FAR**2, FAR**2))
        steep = 1 / self.sd
        steep[self.counts] = self._deviance(predicted[self.counts, None])[1][:, 0]
        found: Array = (bent * steep[self.used])[:, None] * slopes[self.used]
        return found

    def cost(self, predicted: Array, sets: Array) -> Array:
        """Sum of squares of misses and of the distance from the priors, of each set."""
        found: Array = (self(predicted) ** 2).sum(axis=0) + (sets**2).sum(axis=0)
        return found


def slopes_at(evidence: Evidence, at: Array, free: Mask) -> tuple[Array, Array]:
    """Slopes of the predictions at a set, (n_anchors, n_parameters), and the predictions there."""
    moved = STEP * np.eye(at.size)[:, free]
    sets = at[:, None] + np.concatenate([moved, -moved, np.zeros((at.size, 1))], axis=1)
    predicted = evidence.predict(sets)
    n = int(free.sum())
    slopes = np.zeros((predicted.shape[0], at.size))
    slopes[:, free] = (predicted[:, :n] - predicted[:, n : 2 * n]) / (2 * STEP)
    return slopes, predicted[:, -1]


def fit_map(
    evidence: Evidence,
    start: Array,
    *,
    used: Mask | None = None,
    free: Mask | None = None,
    slopes: Array | None = None,
    renewals: int = 4,
    most_steps: int = 16,
    note: Note = lambda text: None,
) -> MapFit:
    """The set of numbers with the least cost, from a start.

    Parameters
    ----------
    evidence : anchors and patients
    start : shape (n_parameters,), on the common scale
    used : anchors that count, all if not given
    free : parameters that move, all if not given
    slopes : of the predictions, near the start if known, shape (n_anchors, n_parameters)
    renewals : how often slopes are worked out at most
    most_steps : steps at most
    note : told how far it is
    """
    misses = Misses(evidence, used)
    free = np.ones(start.size, dtype=bool) if free is None else free
    at, damping = start.copy(), 1.0
    predicted = evidence.predict(at[:, None])[:, 0] if slopes is not None else np.empty(0)
    is_new = False
    for number in range(most_steps):
        if slopes is None:
            slopes, predicted = slopes_at(evidence, at, free)
            renewals, is_new = renewals - 1, True
        cost = float(misses.cost(predicted[:, None], at[:, None])[0])
        tries = _tries(misses, at, predicted, slopes, free, damping)
        found = evidence.predict(tries)
        tried = misses.cost(found, tries)
        best = int(np.argmin(tried))
        gain = cost - float(tried[best])
        damping = float(np.clip(damping * DAMPINGS[best], 1e-2, 1e2))
        for k in np.argsort(-tried):  # the best last
            slopes = _mended(slopes, tries[:, k] - at, found[:, k] - predicted)
        if gain > 0:
            at, predicted = tries[:, best], found[:, best]
        note(f"step {number + 1}: cost {min(cost, float(tried[best])):.1f}, damping {damping:.3g}")
        if gain < ENOUGH:
            if is_new or renewals <= 0 or number + 1 == most_steps:
                break
            slopes = None
        is_new = False
    assert slopes is not None
    cost = float(misses.cost(predicted[:, None], at[:, None])[0])
    return MapFit(at, cost, predicted, slopes)


def _mended(slopes: Array, moved: Array, changed: Array) -> Array:
    """Slopes that tell what a move changed (Broyden)."""
    length = float(moved @ moved)
    if length < 1e-6:
        return slopes
    found: Array = slopes + np.outer((changed - slopes @ moved) / length, moved)
    return found


def _tries(
    misses: Misses, at: Array, predicted: Array, slopes: Array, free: Mask, damping: float
) -> Array:
    """Sets to try next, one a damping, shape (n_parameters, n_dampings)."""
    of_misses = misses.slopes(predicted, slopes)[:, free]
    gap = misses(predicted[:, None])[:, 0]
    matrix = of_misses.T @ of_misses + np.eye(int(free.sum()))
    towards = of_misses.T @ gap + at[free]
    found = np.tile(at[:, None], len(DAMPINGS))
    for k, factor in enumerate(DAMPINGS):
        damped = matrix + damping * factor * np.diag(np.diag(matrix))
        step = np.clip(-np.linalg.solve(damped, towards), -LONGEST, LONGEST)
        found[free, k] = np.clip(at[free] + step, -FARTHEST, FARTHEST)
    return found
