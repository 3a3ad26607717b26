"""Draws of the posterior, against the posterior integrated on a grid."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.individuals.map_estimates import Measurements, Objective, map_estimates
from her2sim.individuals.posterior import posterior
from her2sim.individuals.residual_error import ResidualError, Scatter
from tests.individuals.test_map_estimates import OMEGA, N, OneCompartment, subjects

GRID = 401


def on_a_grid(asked: Objective, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and SD of the random effects of a subject by integration."""
    sd = np.sqrt(np.diag(OMEGA))
    a, b = (np.linspace(-6 * s, 6 * s, GRID) for s in sd)
    points = np.array([axis.ravel() for axis in np.meshgrid(a, b, indexing="ij")])
    value = asked.value(points, np.full(points.shape[1], k))
    weight = np.exp(-0.5 * (value - value.min()))
    weight /= weight.sum()
    mean = points @ weight
    return mean, np.sqrt((points - mean[:, None]) ** 2 @ weight)


@pytest.mark.parametrize(
    ("error", "times"),
    [
        (ResidualError(proportional_sd=0.2), [0.5, 2.0, 6.0, 12.0]),
        (ResidualError(additive_sd=0.3), [2.0, 6.0]),
        (ResidualError(log_sd=0.05), [6.0]),  # a narrow, bent ridge
    ],
)
def test_means_and_sds_are_those_of_the_integral(error: ResidualError, times: list[float]) -> None:
    """0.06 SDs are three standard errors of 2,500 effective points; SDs are right to 5 %."""
    predictor, measured = subjects(error, times=np.array(times))
    asked = Objective(predictor, measured, OMEGA)
    found = posterior(asked, map_estimates(asked), points=2**13)
    assert found.is_settled.all()
    for k in range(0, N, 5):
        mean, sd = on_a_grid(asked, k)
        assert found.mean[:, k] == pytest.approx(mean, abs=0.06 * sd.max())
        assert (np.abs(found.mean[:, k] - mean) < 0.06 * sd).all()
        assert found.sd[:, k] == pytest.approx(sd, rel=0.05)
        draws = found.draws[:, k]
        assert (np.abs(draws.mean(axis=1) - mean) < 0.12 * sd).all()
        assert draws.std(axis=1) == pytest.approx(sd, rel=0.12)


def test_nothing_measured_is_the_population() -> None:
    nothing = np.array([], dtype=np.int64)
    scatter = Scatter.of([ResidualError(proportional_sd=0.1)], nothing)
    measured = Measurements(nothing, np.array([]), np.array([], dtype=bool), 2, scatter)
    asked = Objective(OneCompartment(nothing, np.array([])), measured, OMEGA)
    found = posterior(asked, map_estimates(asked))
    assert found.sd == pytest.approx(np.sqrt(np.diag(OMEGA))[:, None].repeat(2, 1), rel=0.06)
    assert found.mean == pytest.approx(np.zeros((2, 2)), abs=0.03)


def test_the_seed_decides_and_company_does_not() -> None:
    predictor, measured = subjects(ResidualError(proportional_sd=0.2))
    asked = Objective(predictor, measured, OMEGA)
    modes = map_estimates(asked)
    first, again = (posterior(asked, modes, seed=3) for _ in range(2))
    other = posterior(asked, modes, seed=4)
    assert (first.draws == again.draws).all()
    assert (first.draws != other.draws).any()
