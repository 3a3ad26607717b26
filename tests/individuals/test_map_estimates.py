"""The most likely random effects of subjects, against a general optimiser and closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from her2sim.errors import DataError
from her2sim.individuals.map_estimates import (
    FitStatus,
    Measurements,
    Objective,
    map_estimates,
    rows_of,
)
from her2sim.individuals.residual_error import ResidualError, Scatter

OMEGA = np.array([[0.09, 0.03], [0.03, 0.16]])
DOSE, CLEARANCE, VOLUME = 100.0, 2.0, 10.0
TIMES = np.array([0.5, 2.0, 6.0, 12.0])
N = 40


class OneCompartment:
    """Levels after a bolus, with their slopes by the random effects of clearance and volume."""

    def __init__(self, subject: np.ndarray, time: np.ndarray) -> None:
        self.subject, self.time = subject, time

    def slopes(self, effects: np.ndarray, subjects: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows, place = rows_of(self.subject, subjects)
        clearance = CLEARANCE * np.exp(effects[0][place])
        volume = VOLUME * np.exp(effects[1][place])
        rate, time = clearance / volume, self.time[rows]
        level = DOSE / volume * np.exp(-rate * time)
        return level, np.array([-rate * time * level, (rate * time - 1) * level])

    def levels(self, effects: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        return self.slopes(effects, subjects)[0]


def subjects(error: ResidualError, limit: float | None = None, times: np.ndarray = TIMES):
    """Forty subjects who are measured some times."""
    random = np.random.default_rng(4)
    subject, time = np.repeat(np.arange(N), times.size), np.tile(times, N)
    effects = np.linalg.cholesky(OMEGA) @ random.standard_normal((2, N))
    predictor = OneCompartment(subject, time)
    level = predictor.levels(effects, np.arange(N))
    scatter = Scatter.of([error], np.zeros(level.size, dtype=np.int64))
    value = np.maximum(scatter.observed(level, random.standard_normal(level.size)), 0.01)
    is_below = np.zeros(value.size, dtype=bool) if limit is None else value < limit
    value = value if limit is None else np.maximum(value, limit)
    return predictor, Measurements(subject, value, is_below, N, scatter)


def objective_of(k: int, effects, predictor, measured: Measurements, error: ResidualError) -> float:
    """The objective of one subject, written out anew."""
    own = measured.subject == k
    f = predictor.levels(np.asarray(effects)[:, None], np.array([k]))
    y, below = measured.value[own], measured.is_below[own]
    v = error.proportional_sd**2 * f**2 + error.additive_sd**2
    gap = y - f
    if error.log_sd:
        v, gap = np.full(f.size, error.log_sd**2), np.log(y) - np.log(f)
    terms = np.where(below, -2 * norm.logcdf(gap / np.sqrt(v)), np.log(v) + gap**2 / v)
    return float(terms.sum() + effects @ np.linalg.solve(OMEGA, effects))


ERRORS = [
    ResidualError(proportional_sd=0.2), ResidualError(additive_sd=0.3), ResidualError(log_sd=0.25),
    ResidualError(proportional_sd=0.15, additive_sd=0.2),
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("limit", [None, 1.5])
def test_modes_are_those_of_a_general_optimiser(error: ResidualError, limit: float | None) -> None:
    """Also where levels below a limit are known by that only."""
    predict, measured = subjects(error, limit)
    found = map_estimates(Objective(predict, measured, OMEGA))
    assert (found.status == FitStatus.FOUND).all()
    for k in range(N):
        best = min(
            (
                minimize(
                    lambda e, k=k: objective_of(k, e, predict, measured, error), start,
                    method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 4000},
                )
                for start in (np.zeros(2), np.array([0.3, -0.3]))
            ),
            key=lambda one: one.fun,
        )  # fmt: skip
        own = objective_of(k, found.effects[:, k], predict, measured, error)
        assert own == pytest.approx(found.objective[k], abs=1e-8)
        assert own <= best.fun + 1e-6


def test_without_data_the_prior_comes_back() -> None:
    """Nobody measured: effects of zero, and the covariance of the population."""
    nothing = np.array([], dtype=np.int64)
    scatter = Scatter.of([ResidualError(proportional_sd=0.1)], nothing)
    measured = Measurements(nothing, np.array([]), np.array([], dtype=bool), 3, scatter)
    found = map_estimates(Objective(OneCompartment(nothing, np.array([])), measured, OMEGA))
    assert (found.status == FitStatus.NOTHING_MEASURED).all()
    assert np.abs(found.effects).max() < 1e-12
    assert found.covariance == pytest.approx(np.broadcast_to(OMEGA, (3, 2, 2)))


def test_more_data_leave_less_of_the_prior() -> None:
    """The covariance shrinks, and a flattened prior moves further from the population."""
    predict, measured = subjects(ResidualError(proportional_sd=0.2))
    found = map_estimates(Objective(predict, measured, OMEGA))
    assert (np.einsum("nii->ni", found.covariance) < np.diag(OMEGA)).all()
    flat = map_estimates(Objective(predict, measured, OMEGA, prior_weight=0.1))
    assert np.abs(flat.effects).mean() > np.abs(found.effects).mean()


def test_the_best_of_several_starts_is_found() -> None:
    """Levels far above what the middle of the population predicts leave a flat objective there."""
    predict, measured = subjects(ResidualError(proportional_sd=0.05), times=np.array([4.0, 8.0]))
    apart = replace(measured, value=measured.value * 0.1)
    found = map_estimates(Objective(predict, apart, OMEGA))
    for k in range(N):
        value = np.array(
            [
                objective_of(k, np.array([a, b]), predict, apart, ResidualError(0.0, 0.05))
                for a in np.linspace(-1.5, 1.5, 21)
                for b in np.linspace(-1.5, 1.5, 21)
            ]
        )
        assert found.objective[k] <= value.min() + 1e-6


def test_a_subject_does_not_depend_on_the_others() -> None:
    predict, measured = subjects(ResidualError(proportional_sd=0.2))
    whole = map_estimates(Objective(predict, measured, OMEGA))
    rows = measured.subject == 7
    alone = Measurements(
        measured.subject[rows] * 0, measured.value[rows], measured.is_below[rows], 1,
        measured.scatter.take(np.flatnonzero(rows)),
    )  # fmt: skip
    own = OneCompartment(predict.subject[rows] * 0, predict.time[rows])
    found = map_estimates(Objective(own, alone, OMEGA))
    assert found.effects[:, 0] == pytest.approx(whole.effects[:, 7], abs=1e-12)


@pytest.mark.parametrize("told", [{}, {"log_sd": 0.1, "additive_sd": 1.0}, {"log_sd": -0.1}])
def test_a_residual_error_that_cannot_be_is_refused(told: dict[str, float]) -> None:
    with pytest.raises(DataError, match="residual error"):
        ResidualError(**told)
