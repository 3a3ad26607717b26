"""What the engine refuses, and how a failure is told."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.engine.advance import advance, compile_kernel
from her2sim.engine.functions import exp
from her2sim.engine.model import Part, Symbol, compose
from her2sim.engine.schedule import Action, check_schedule, schedule_from_rows, shared_schedule
from her2sim.engine.trajectories import Reductions, Request, Status, Tolerance
from her2sim.errors import DataError, SolverError
from tests.problems import trastuzumab_model, trastuzumab_year


def explosion():
    """d x/dt = k x^2: infinite at time 1/(k x0)."""

    def grow(x, k):
        return Part(rates={"x": k * x * x}, outputs={"y": x})

    register = {
        "x": Symbol("x", "state", "1", "a number"),
        "k": Symbol("k", "parameter", "1/day", "rate"),
        "y": Symbol("y", "output", "1", "the number"),
    }
    return compose("explosion", [grow], register)


def test_one_patient_fails_and_the_others_finish() -> None:
    model = explosion()
    rows = [(0.0, Action.BOLUS, 0, 1.0), (2.0, Action.READING, 0, 0.0)]
    rates = np.array([[0.1, 1.0, 0.2]])  # the second explodes on day 1
    schedule = shared_schedule(rows, 3)
    found = advance(model, Request(rates, schedule, grid_day=np.array([0.0, 0.5, 1.5])))
    assert found.failures().tolist() == [1]
    assert found.status[1] in (Status.STEP_TOO_SMALL, Status.NOT_FINITE)
    exact = 1 / (1 - rates[0, [0, 2]] * 2.0)
    assert found.readings[[0, 2], 0, 0] == pytest.approx(exact, rel=1e-6)
    assert np.isnan(found.readings[1]).all()
    assert np.isfinite(found.grid[1, 1]).all()
    assert np.isnan(found.grid[1, 2]).all()
    with pytest.raises(SolverError, match=r"1 of 3 patients failed; patient 2 .* on day 1 ") as e:
        found.require_finished(model, schedule)
    assert "x " in str(e.value)
    assert "last dose on day 0" in str(e.value)


@pytest.mark.parametrize("is_stiff", [False, True])
def test_a_step_into_nowhere_is_made_shorter(is_stiff: bool) -> None:
    """After a long step a rate sets in: in a step as long, infinity is taken from infinity."""

    def shrink(x, k):
        return Part(rates={"x": k * (exp(-x) - exp(x))}, outputs={"y": 1.0 * x})

    register = {
        "x": Symbol("x", "state", "1", "a number"),
        "k": Symbol("k", "parameter", "1/day", "rate"),
        "y": Symbol("y", "output", "1", "the number"),
    }
    model = compose("shrinking", [shrink], register, is_stiff=is_stiff)
    rows = [(50.0, Action.PARAMETER, 0, 3.0), (51.0, Action.STOP, 0, 0.0)]
    start = np.full((1, 2), 5.0)
    found = advance(model, Request(np.zeros((1, 2)), schedule_from_rows([rows] * 2), None, start))
    found.require_finished(model, schedule_from_rows([rows] * 2))
    # tanh(x/2) falls by e^-2kt.
    exact = 2 * np.arctanh(np.tanh(2.5) * np.exp(-6.0))
    assert found.states[0] == pytest.approx(exact, rel=1e-5)
    assert found.n_steps.max() < 200


def test_patients_beyond_what_fits_at_once_are_run_in_parts() -> None:
    """Each patient has rows of its own: those of other parts do not count as out of order."""
    model = explosion()
    rows = [[(0.0, Action.BOLUS, 0, 0.1 * k), (1.0, Action.STOP, 0, 0.0)] for k in range(1, 8)]
    request = Request(np.full((1, 7), 0.5), schedule_from_rows(rows))
    whole = advance(model, request).states
    parts = [advance(model, request.part(a, min(a + 3, 7))).states for a in range(0, 7, 3)]
    assert np.concatenate(parts, axis=1).tobytes() == whole.tobytes()


def test_the_number_of_steps_is_bounded() -> None:
    found = advance(trastuzumab_model(), trastuzumab_year(3), Tolerance(max_steps=50))
    assert (found.status == Status.TOO_MANY_STEPS).all()
    assert (found.n_steps == 50).all()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(1.0, Action.STOP, 0, 0.0), (0.5, Action.STOP, 0, 0.0)], "time goes backwards"),
        ([(0.0, Action.BOLUS, 9, 1.0)], "target that the model does not have"),
        ([(0.0, Action.BOLUS, 0, float("nan"))], "not a finite number"),
        ([(0.0, Action.INFUSION, 1, 1.0)], "does not infuse"),
        ([], "no rows"),
    ],
)
def test_impossible_schedules_are_refused(rows, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_schedule(schedule_from_rows([rows]), 3, 6, [0])


def test_wrong_shapes_and_numbers_are_refused() -> None:
    request = trastuzumab_year(2)
    model = trastuzumab_model()
    broken = request.parameters.copy()
    broken[1, 1] = np.nan
    with pytest.raises(DataError, match="parameter q of patient 2 is not a finite number"):
        advance(model, Request(broken, request.schedule, request.scale))
    with pytest.raises(DataError, match="has the parameters vc, q, vp, cl, vmax, km"):
        advance(model, Request(request.parameters[:3], request.schedule))
    with pytest.raises(DataError, match=r"relative tolerance 0\.5"):
        Tolerance(relative=0.5)


def test_a_kernel_that_reduces_too_little_is_refused() -> None:
    model, request = trastuzumab_model(), trastuzumab_year(2, 3)
    kernel = compile_kernel(model, Reductions.NONE)
    with pytest.raises(DataError, match="compiled for NONE; the request needs CYCLES"):
        advance(model, request, kernel=kernel)


def test_nobody_to_treat_is_no_error() -> None:
    found = advance(trastuzumab_model(), trastuzumab_year(0))
    assert found.grid.shape == (0, 379, 1)
