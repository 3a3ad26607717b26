"""First crossings against closed-form exponential and Weibull event times, and the reference."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.engine.advance import advance
from her2sim.engine.functions import power
from her2sim.engine.model import Model, Part, Symbol, compose
from her2sim.engine.reference import solve_reference
from her2sim.engine.schedule import Action, shared_schedule
from her2sim.engine.trajectories import Request
from her2sim.errors import DataError

END_DAY = 400.0
DENSE = 2e-6  # relative; dense output is of fourth order at steps chosen for 1e-7

REGISTER = {
    "clock": Symbol("clock", "state", "1", "time in days"),
    "hazard": Symbol("hazard", "state", "1", "cumulative hazard"),
    "rate": Symbol("rate", "parameter", "1/day", "scale"),
    "shape": Symbol("shape", "parameter", "1", "shape of the Weibull"),
    "per_day": Symbol("per_day", "parameter", "1/day", "one"),
    "survival": Symbol("survival", "output", "1", "cumulative hazard"),
}


def exponential(hazard, rate):
    return Part(rates={"hazard": rate}, outputs={"survival": hazard})


def weibull(hazard, clock, rate, shape, per_day):
    steepness = shape * rate * power(rate / per_day * clock, shape - 1.0)
    return Part(rates={"hazard": steepness, "clock": per_day}, outputs={"survival": hazard})


def hazard_model(component) -> Model:
    return compose("hazard", [component], REGISTER, watched=("hazard",))


def request(model: Model, values: dict[str, np.ndarray], level: np.ndarray) -> Request:
    n = level.size
    rows = [(0.0, Action.STOP, 0, 0.0), (150.0, Action.STOP, 0, 0.0), (END_DAY, Action.STOP, 0, 0)]
    parameters = np.array([values[name] for name in model.parameters])
    return Request(parameters, shared_schedule(rows, n), watch_level=level[None, :])


def draws(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(4)
    return random.uniform(1e-3, 3e-2, n), random.uniform(0.7, 3.0, n), random.exponential(1.0, n)


def test_exponential_times() -> None:
    rate, _, level = draws(500)
    found = advance(
        hazard_model(exponential), request(hazard_model(exponential), {"rate": rate}, level)
    )
    exact = level / rate
    expected = np.where(exact <= END_DAY, exact, np.inf)
    assert found.crossing_day[0] == pytest.approx(expected, rel=1e-9)
    assert np.isinf(expected).sum() > 20


def test_weibull_times() -> None:
    rate, shape, level = draws(500)
    shape = 1.0 + shape  # rates at the start are finite
    model = hazard_model(weibull)
    values = {"rate": rate, "shape": shape, "per_day": np.ones(500)}
    found = advance(model, request(model, values, level))
    exact = level ** (1 / shape) / rate
    expected = np.where(exact <= END_DAY, exact, np.inf)
    assert found.crossing_day[0] == pytest.approx(expected, rel=DENSE)


def test_the_reference_finds_the_same() -> None:
    rate, shape, level = (values[:20] for values in draws(500))
    model = hazard_model(weibull)
    asked = request(model, {"rate": rate, "shape": 1 + shape, "per_day": np.ones(20)}, level)
    found, slow = advance(model, asked), solve_reference(model, asked)
    assert found.crossing_day == pytest.approx(slow.crossing_day, rel=DENSE)


def test_a_level_below_the_start_is_crossed_at_the_start() -> None:
    model = hazard_model(exponential)
    one = request(model, {"rate": np.array([0.1, 0.1])}, np.array([-1.0, 1.0]))
    assert advance(model, one).crossing_day[0] == pytest.approx([0.0, 10.0])


def test_levels_of_the_wrong_shape_are_refused() -> None:
    model = hazard_model(exponential)
    wrong = request(model, {"rate": np.array([0.1, 0.1])}, np.array([1.0, 1.0]))
    object.__setattr__(wrong, "watch_level", np.ones((2, 2)))
    with pytest.raises(DataError, match="watched are: hazard"):
        advance(model, wrong)
