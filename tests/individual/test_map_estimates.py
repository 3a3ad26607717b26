"""The most likely random effects of subjects, against a general optimiser and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from her2sim.errors import DataError
from her2sim.individual.map_estimates import FitStatus, Measurements, map_estimates
from her2sim.individual.residual_error import ResidualError

OMEGA = np.array([[0.09, 0.03], [0.03, 0.16]])
DOSE, CLEARANCE, VOLUME = 100.0, 2.0, 10.0
TIMES = np.array([0.5, 2.0, 6.0, 12.0])
N = 40


def one_compartment(subject: np.ndarray, time: np.ndarray):
    """Levels after a bolus, with their slopes by the random effects of clearance and volume."""

    def predict(effects: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        clearance = CLEARANCE * np.exp(effects[0][subject])
        volume = VOLUME * np.exp(effects[1][subject])
        rate = clearance / volume
        level = DOSE / volume * np.exp(-rate * time)
        return level, np.array([-rate * time * level, (rate * time - 1) * level])

    return predict


def subjects(error: ResidualError, limit: float | None = None):
    """Forty subjects who are measured four times."""
    random = np.random.default_rng(4)
    subject, time = np.repeat(np.arange(N), TIMES.size), np.tile(TIMES, N)
    effects = np.linalg.cholesky(OMEGA) @ random.standard_normal((2, N))
    predict = one_compartment(subject, time)
    level, _ = predict(effects)
    sd = np.sqrt(error.variance(level)[0])
    noise = sd * random.standard_normal(level.size)
    value = level * np.exp(noise) if error.is_log else np.maximum(level + noise, 0.01)
    is_below = np.zeros(value.size, dtype=bool) if limit is None else value < limit
    value = value if limit is None else np.maximum(value, limit)
    return predict, Measurements(subject, value, is_below, N)


def objective_of(k: int, effects, predict, measured: Measurements, error: ResidualError) -> float:
    """The objective of one subject, written out anew."""
    whole = np.zeros((2, N))
    whole[:, k] = effects
    level, _ = predict(whole)
    own = measured.subject == k
    f, y, below = level[own], measured.value[own], measured.is_below[own]
    v = error.variance(f)[0]
    gap = (np.log(y) - np.log(f)) if error.is_log else y - f
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
    found = map_estimates(predict, measured, error, OMEGA)
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
    measured = Measurements(nothing, np.array([]), np.array([], dtype=bool), 3)
    predict = one_compartment(nothing, np.array([]))
    found = map_estimates(predict, measured, ResidualError(proportional_sd=0.1), OMEGA)
    assert np.abs(found.effects).max() < 1e-12
    assert found.covariance == pytest.approx(np.broadcast_to(OMEGA, (3, 2, 2)))


def test_more_data_leave_less_of_the_prior() -> None:
    """The covariance shrinks, and a flattened prior moves further from the population."""
    error = ResidualError(proportional_sd=0.2)
    predict, measured = subjects(error)
    found = map_estimates(predict, measured, error, OMEGA)
    assert (np.einsum("nii->ni", found.covariance) < np.diag(OMEGA)).all()
    flat = map_estimates(predict, measured, error, OMEGA, prior_weight=0.1)
    assert np.abs(flat.effects).mean() > np.abs(found.effects).mean()


@pytest.mark.parametrize("told", [{}, {"log_sd": 0.1, "additive_sd": 1.0}, {"log_sd": -0.1}])
def test_a_residual_error_that_cannot_be_is_refused(told: dict[str, float]) -> None:
    with pytest.raises(DataError, match="residual error"):
        ResidualError(**told)
