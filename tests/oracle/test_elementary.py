"""Exponential, logarithm and power of the generated code against decimal arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext

import numpy as np
import pytest

from her2sim.engine.advance import advance, compile_kernel
from her2sim.engine.codegen.machine import this_machine
from her2sim.engine.functions import exp, log, maximum, power, sqrt
from her2sim.engine.model import Model, Part, Symbol, compose
from her2sim.engine.schedule import Action, shared_schedule
from her2sim.engine.trajectories import Reductions, Request
from her2sim.errors import UnitError

ULPS = 2  # what the engine promises


def model_of(value: Callable) -> Model:
    """A model whose output is a function of two states that do not change."""

    def component(x, y, k):
        return Part(rates={"x": k * x, "y": k * y}, outputs={"value": value(x, y)})

    register = {
        "x": Symbol("x", "state", "1", "first"),
        "y": Symbol("y", "state", "1", "second"),
        "k": Symbol("k", "parameter", "1/day", "rate, zero here"),
        "value": Symbol("value", "output", "1", "the function"),
    }
    return compose("function", [component], register)


def values(function: Callable, x: np.ndarray, y: np.ndarray, lanes: int | None = None):
    model = model_of(function)
    kernel = compile_kernel(model, Reductions.NONE, lanes)
    schedule = shared_schedule([(0.0, Action.READING, 0, 0.0)], x.size)
    request = Request(np.zeros((1, x.size)), schedule, states=np.array([x, y]))
    return advance(model, request, kernel=kernel).readings[:, 0, 0]


def ulps_off(found: np.ndarray, exact: Callable[[int], Decimal]) -> float:
    with localcontext() as context:
        context.prec = 50
        return max(
            float(abs(Decimal(float(v)) - exact(i)) / Decimal(math.ulp(float(v))))
            for i, v in enumerate(found)
        )


def points(low: float, high: float, n: int = 1500, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, n)


@pytest.mark.parametrize(("low", "high"), [(-700, 709), (-1, 1), (-1e-8, 1e-8)])
def test_exp_is_right_to_two_units_in_the_last_place(low: float, high: float) -> None:
    x = points(low, high)
    found = values(lambda x, y: exp(x) + 0.0 * y, x, x)
    assert ulps_off(found, lambda i: Decimal(float(x[i])).exp()) <= ULPS


@pytest.mark.parametrize(("low", "high"), [(-300, 300), (-0.5, 0.5), (-1e-6, 1e-6)])
def test_log_is_right_to_two_units_in_the_last_place(low: float, high: float) -> None:
    x = np.power(10.0, points(low, high))
    found = values(lambda x, y: log(x) + 0.0 * y, x, x)
    assert ulps_off(found, lambda i: Decimal(float(x[i])).ln()) <= ULPS


@pytest.mark.parametrize("largest", [1.0, 5.0, 50.0])
def test_power_is_right_to_two_units_in_the_last_place(largest: float) -> None:
    x, y = np.exp(points(-3, 3)), points(-largest, largest, seed=2)
    found = values(power, x, y)
    assert ulps_off(found, lambda i: Decimal(float(x[i])) ** Decimal(float(y[i]))) <= ULPS


@pytest.mark.parametrize("function", [exp, log, sqrt])
def test_bits_do_not_depend_on_the_lanes(function: Callable) -> None:
    x = np.abs(points(0.01, 50, 97))

    def alone(x, y):
        return function(x) + 0.0 * y

    one = values(alone, x, x, lanes=1)
    for lanes in (2, 4, this_machine().vector * 2):
        assert (values(alone, x, x, lanes) == one).all()


def test_ends_of_the_range() -> None:
    nothing = np.zeros(3)
    big = np.array([-1e9, 0.0, 1e9])
    assert values(lambda x, y: exp(x) + 0.0 * y, big, nothing).tolist() == [0.0, 1.0, math.inf]
    low = values(lambda x, y: log(x) + 0.0 * y, np.array([-1.0, 0.0, 1.0]), nothing)
    assert math.isnan(low[0])
    assert low[1:].tolist() == [-math.inf, 0.0]
    zero = values(power, nothing, np.array([2.0, 0.0, -2.0]))
    assert zero.tolist() == [0.0, 1.0, math.inf]
    larger = values(maximum, np.array([1.0, 3.0, math.nan]), np.array([2.0, 2.0, 2.0]))
    assert larger[:2].tolist() == [2.0, 3.0]
    assert math.isnan(larger[2])


def test_an_exponent_with_a_unit_is_refused() -> None:
    def grow(x, k):
        return Part(rates={"x": k * x}, outputs={"value": exp(k)})

    register = {
        "x": Symbol("x", "state", "1", "first"),
        "k": Symbol("k", "parameter", "1/day", "rate"),
        "value": Symbol("value", "output", "1", "the function"),
    }
    with pytest.raises(UnitError, match="cannot add"):
        compose("wrong", [grow], register)
