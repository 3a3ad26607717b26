"""Clones of hidden spread: extinction, growth without drugs, and the day they are found."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from her2sim.arrays import Array
from her2sim.biology.early_disease import LOG_UNIT, early_number
from her2sim.early.clones import NOTHING, Clones
from her2sim.models.lesion import SLOWEST_GROWTH

FOREVER = 1e6


def clones(now: list[list[float]], least: list[list[float]], fate: float) -> Clones:
    """Clones of patients (columns) with a state, the least of it so far, and a fate."""
    start = np.array(now, dtype=np.float64)
    drawn = np.full(start.shape, fate)
    return Clones(start, np.array(least, dtype=np.float64), drawn, np.full(start.shape[1], np.inf))


def test_a_clone_that_died_out_never_grows_again() -> None:
    """Half a cell on average was left: with this fate none was, however many there would be now."""
    some = clones([[10.0], [NOTHING], [NOTHING]], [[np.log(0.5)], [NOTHING], [NOTHING]], fate=0.5)
    assert not some.is_alive.any()
    some.grow(np.array([0.05]), 0.0, FOREVER)
    assert np.isinf(some.found).all()
    lucky = clones([[10.0], [NOTHING], [NOTHING]], [[np.log(0.5)], [NOTHING], [NOTHING]], fate=0.9)
    lucky.grow(np.array([0.05]), 0.0, FOREVER)
    assert np.isfinite(lucky.found).all()


@pytest.mark.parametrize("course", [[-3.0, 12.0], [-3.0, 25.0]])
def test_a_clone_that_died_out_does_not_come_back_in_a_course(course: list[float]) -> None:
    """Also while it is integrated: cells of the model after extinction are nobody's cells."""
    some = clones([[5.0], [NOTHING], [NOTHING]], [[5.0], [NOTHING], [NOTHING]], fate=0.5)
    path = np.full((3, 2, 1), NOTHING)
    path[0, :, 0] = course
    some.move(np.array([14.0, 28.0]), path)
    assert not some.is_alive[0, 0]
    assert np.isinf(some.found[0])


def test_survivors_are_at_least_one_cell() -> None:
    """Of those in whom 0.01 cells were left on average, the few survivors had one."""
    some = clones(
        [[np.log(0.01)], [NOTHING], [NOTHING]], [[np.log(0.01)], [0.0], [0.0]], fate=0.995
    )
    assert some.living()[0] == pytest.approx(0.0, abs=0.01)  # ln of one cell


def test_share_that_dies_out_is_that_of_a_poisson_number() -> None:
    """exp(-n) of the fates of n cells; 4,000 fates know it within two points."""
    fates = (np.arange(4000) + 0.5) / 4000
    least = np.full((3, 4000), NOTHING)
    least[0] = np.log(1.5)
    some = Clones(least.copy(), least.copy(), np.tile(fates, (3, 1)), np.full(4000, np.inf))
    assert 1 - some.is_alive[0].mean() == pytest.approx(np.exp(-1.5), abs=1e-3)


def gompertz(_: float, log_cells: Array, rate: float) -> Array:
    """The law of growth of the lesion model, in absolute numbers of cells."""
    room = 1 - (log_cells - LOG_UNIT) / (early_number("log_largest_cells") - LOG_UNIT)
    return rate * np.maximum(room, SLOWEST_GROWTH)


@pytest.mark.parametrize(("start", "rate"), [(0.0, 0.008), (12.0, 0.004), (18.0, 0.02)])
def test_growth_without_drugs_is_that_of_the_equation(start: float, rate: float) -> None:
    """Closed form against the equation integrated by SciPy, and the day on which it is found."""
    some = clones([[start], [NOTHING], [NOTHING]], [[20.0], [NOTHING], [NOTHING]], fate=0.5)
    some.grow(np.array([rate]), 0.0, 400.0)

    def reaches(day: float, y: Array, _: float) -> float:
        return float(y[0] - early_number("log_detected_cells"))

    reaches.direction = 1.0  # type: ignore[attr-defined]
    solved = solve_ivp(
        gompertz, (0, 4000), [start], args=(rate,), events=[reaches], rtol=1e-9, atol=1e-9,
        t_eval=[400.0],
    )  # fmt: skip
    assert some.now[0, 0] == pytest.approx(solved.y[0, 0], abs=1e-6)
    again = clones([[start], [NOTHING], [NOTHING]], [[20.0], [NOTHING], [NOTHING]], fate=0.5)
    again.grow(np.array([rate]), 0.0, FOREVER)
    assert again.found[0] == pytest.approx(solved.t_events[0][0], rel=1e-6)


def test_growth_in_two_steps_is_growth_in_one() -> None:
    """Where a course is cut changes nothing."""
    one = clones([[3.0], [1.0], [NOTHING]], [[20.0], [20.0], [NOTHING]], fate=0.5)
    two = clones([[3.0], [1.0], [NOTHING]], [[20.0], [20.0], [NOTHING]], fate=0.5)
    rate = np.array([0.006])
    one.grow(rate, 0.0, 3000.0)
    two.grow(rate, 0.0, 111.0)
    two.grow(rate, 111.0, 3000.0)
    assert two.now == pytest.approx(one.now, abs=1e-9)
    assert two.found == pytest.approx(one.found, abs=1e-6)


def test_day_between_two_looks_is_interpolated() -> None:
    """Cells go from 19 to 21 in 14 days: 20 is in the middle."""
    some = clones([[19.0], [NOTHING], [NOTHING]], [[19.0], [NOTHING], [NOTHING]], fate=0.5)
    path = np.full((3, 2, 1), NOTHING)
    path[0, :, 0] = [19.0, 21.0]
    some.move(np.array([0.0, 14.0]), path)
    assert some.found[0] == pytest.approx(7.0)
