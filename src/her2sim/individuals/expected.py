"""Before anything is fitted: whether what was measured is what the model expects of such patients.

The measurements of each subject are simulated for many members of the population, residual error
included. All of a subject are compared at once, by their distance from the middle in the spread
that the simulated ones have on the logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from her2sim.arrays import Array, Mask, Positions
from her2sim.individuals.map_estimates import Measurements, Predictor, uniform_points
from her2sim.individuals.residual_error import TINY

UNUSUAL = 0.01
"""Share of patients like this one below which what was measured is told to be unusual."""
SLIPS = (1000.0, 0.001)
"""Factors that a wrong unit brings."""
MOST, FEWEST, RUNS = 4096, 256, 2**20
AT_ONCE = 2**18
"""Simulated patients: most and fewest of each subject, of all together, and in memory at once."""
FLOOR = 1e-3
"""Share of the median at which simulated measurements are cut, as logarithms of zero are none."""


@dataclass(frozen=True, eq=False)
class Expected:
    """What a model expects of each measurement, and how unusual they are together.

    ``low``, ``median`` and ``high`` (one entry a measurement) are percentiles 5, 50 and 95 of what
    would be measured; ``percent_below`` is the share of that below the measurement. ``share``
    (n_subjects,) is that of patients who would be at least as far off; ``slip`` (n_subjects,) the
    factor of a wrong unit that would explain all of it, 1 if there is none.
    """

    low: Array
    median: Array
    high: Array
    percent_below: Array
    share: Array
    slip: Array

    @property
    def is_unusual(self) -> Mask:
        """Whether a subject is outside what 99 % of such patients would show."""
        return np.asarray(self.share < UNUSUAL)


def expected(predictor: Predictor, measured: Measurements, omega: Array, seed: int = 1) -> Expected:
    """Compare all subjects with the population."""
    n, k, m = measured.n_subjects, omega.shape[0], measured.value.size
    times = np.bincount(measured.subject, minlength=n)
    many = max(FEWEST, min(MOST, 2 ** int(np.log2(max(RUNS / max(n, 1), 1)))))
    most = int(times.max(initial=0))
    scores = ndtri(uniform_points(many, k + max(most, 1), seed))
    effects = np.linalg.cholesky(omega) @ scores[:, :k].T
    low, median, high, below = (np.full(m, np.nan) for _ in range(4))
    found = Expected(low, median, high, below, np.ones(n), np.ones(n))
    for count in np.unique(times[times > 0]):
        noise = scores[:, k : k + count]
        alike = np.flatnonzero(times == count)
        for chosen in np.array_split(alike, -(-alike.size * many // AT_ONCE)):
            rows, _ = measured.rows_of(chosen)
            own = rows.reshape(chosen.size, 1, count).repeat(many, axis=1)
            predicted = predictor.levels(np.tile(effects, chosen.size), np.repeat(chosen, many))
            scatter = measured.scatter.take(own.ravel())
            simulated = scatter.observed(predicted, np.tile(noise, (chosen.size, 1)).ravel())
            for subject, values in zip(chosen, simulated.reshape(own.shape), strict=True):
                mine = measured.rows_of(np.array([subject]))[0]
                _compare(found, measured, int(subject), mine, values)
    return found


def _compare(
    found: Expected, measured: Measurements, subject: int, rows: Positions, simulated: Array
) -> None:
    """Write what is found of one subject; ``simulated`` has shape (many, its measurements)."""
    value = measured.value[rows]
    found.low[rows], found.median[rows], found.high[rows] = np.percentile(
        simulated, (5, 50, 95), axis=0
    )
    found.percent_below[rows] = 100 * (simulated < value).mean(axis=0)
    seen = ~measured.is_below[rows]
    if not seen.all():  # below the limit of quantification in all of these
        below = simulated[:, ~seen] < value[~seen]
        found.share[subject] = float(below.all(axis=1).mean())
    if not seen.any():
        return
    floor = np.maximum(FLOOR * found.median[rows][seen], TINY)
    logs = np.log(np.maximum(simulated[:, seen], floor))
    middle, apart = logs.mean(axis=0), logs - logs.mean(axis=0)
    inverse = np.linalg.pinv(apart.T @ apart / len(logs), hermitian=True)
    distance = np.einsum("mi,ij,mj->m", apart, inverse, apart)

    def share(factor: float) -> float:
        own = np.log(np.maximum(factor * value[seen], floor)) - middle
        return float((distance >= own @ inverse @ own).mean())

    found.share[subject] = min(found.share[subject], share(1.0))
    if found.share[subject] < UNUSUAL:
        slips = [factor for factor in SLIPS if share(factor) >= UNUSUAL]
        found.slip[subject] = slips[0] if slips else 1.0
