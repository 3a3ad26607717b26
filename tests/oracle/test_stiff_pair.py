"""The stiff pair against SciPy, against the explicit pair, and by its own order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from her2sim.drugs.drug import load_pk
from her2sim.drugs.pk import reference_covariates
from her2sim.engine.advance import advance, compile_kernel
from her2sim.engine.codegen.rosenbrock import COUPLING, GAMMA, NODES, STAGES, TIME, elimination
from her2sim.engine.model import Model, Part, Symbol, compose
from her2sim.engine.schedule import Action, schedule_from_rows
from her2sim.engine.trajectories import Reductions, Request, Tolerance
from her2sim.models.structures import structure
from her2sim.pk.treatment import load_treatment
from tests.problems import random_parameters, trastuzumab_model

PACLITAXEL = load_treatment("paclitaxel", "qw").typical(
    reference_covariates(load_pk("paclitaxel")), 1
)
RATES = (0.04, 1e4, 3e7)


def robertson(a, b, c, k1, k2, k3):
    """Three reactions whose rates are nine orders of magnitude apart (Robertson 1966)."""
    one, two, three = k1 * a, k2 * b * c, k3 * b * b
    return Part({"a": two - one, "b": one - two - three, "c": three}, {"shown": 1.0 * a})


def robertson_model() -> Model:
    entries = [Symbol(n, "state", "1", n) for n in "abc"]
    entries += [Symbol(f"k{i}", "parameter", "1/day", "rate") for i in (1, 2, 3)]
    entries += [Symbol("shown", "output", "1", "a")]
    symbols = {entry.name: entry for entry in entries}
    return compose("robertson", [robertson], symbols, is_stiff=True)


def request(grid: np.ndarray, n: int = 1) -> Request:
    schedule = schedule_from_rows([[(float(grid[-1]), Action.STOP, 0, 0.0)]] * n)
    parameters = np.repeat(np.array(RATES)[:, None], n, axis=1)
    states = np.zeros((3, n))
    states[0] = 1.0
    return Request(parameters, schedule, None, states, grid)


def test_robertson_against_scipy() -> None:
    grid = np.geomspace(0.01, 1e5, 60)
    found = advance(robertson_model(), request(grid), Tolerance(1e-7, 1e-12))

    def rates(_t, y):
        one, two, three = RATES[0] * y[0], RATES[1] * y[1] * y[2], RATES[2] * y[1] ** 2
        return [two - one, one - two - three, three]

    wanted = solve_ivp(
        rates, (0, 1e5), [1.0, 0.0, 0.0], "Radau", t_eval=grid, rtol=1e-10, atol=1e-14
    )
    # Between steps the curve is of fourth order.
    assert found.grid[0, :, 0] == pytest.approx(wanted.y[0], rel=1e-5)
    assert found.states[:, 0] == pytest.approx(wanted.y[:, -1], rel=1e-5)
    assert found.n_steps[0] < 500  # an explicit method needs a hundred million


def test_errors_follow_the_tolerance_and_steps_its_fifth_root() -> None:
    model = replace(trastuzumab_model(), is_stiff=True)
    rows = [(0.0, Action.BOLUS, model.index("states", "central"), 400.0)]
    schedule = schedule_from_rows([[*rows, (120.0, Action.STOP, 0, 0.0)]])
    asked = Request(random_parameters(model, 1), schedule)
    tight = advance(model, asked, Tolerance(1e-12, 1e-14)).states[:, 0]
    errors, steps = [], []
    for relative in (1e-5, 1e-7, 1e-9):
        found = advance(model, asked, Tolerance(relative, relative / 100))
        errors.append(np.abs(found.states[:, 0] / tight - 1).max())
        steps.append(found.n_steps[0])
    # A tolerance is of one step; over many, errors add up.
    assert all(e < 30 * r for e, r in zip(errors, (1e-5, 1e-7, 1e-9), strict=True))
    assert steps[2] / steps[1] == pytest.approx(100 ** (1 / 5), rel=0.2)


def test_any_number_of_lanes_and_neighbours() -> None:
    model, grid = robertson_model(), np.array([1.0, 50.0])
    one = advance(model, request(grid), kernel=compile_kernel(model, Reductions.NONE, 1))
    many = advance(model, request(grid, 9), kernel=compile_kernel(model, Reductions.NONE, 8))
    for place in (0, 8):
        assert many.states[:, place].tobytes() == one.states[:, 0].tobytes()
        assert many.grid[place].tobytes() == one.grid[0].tobytes()


def test_paclitaxel_against_the_explicit_pair() -> None:
    """Peaks, troughs and areas of random patients, with far fewer steps."""
    model = structure("three_compartment_saturable").model
    explicit = replace(model, is_stiff=False)
    central = model.index("states", "central")
    rows = []
    for k in range(3):
        rows += [(7.0 * k, Action.INFUSION, central, 140.0 * 24)]
        rows += [(7.0 * k + 1 / 24, Action.INFUSION, central, 0.0)]
        rows += [(7.0 * (k + 1), Action.CYCLE, k, 0.0)]
    n = 40
    parameters = np.array([PACLITAXEL[p] for p in model.parameters])
    parameters = parameters * np.exp(
        0.2 * np.random.default_rng(1).normal(size=(len(parameters), n))
    )
    asked = Request(parameters, schedule_from_rows([rows] * n), level=0.05)
    stiff = advance(model, asked)
    other = advance(explicit, asked, Tolerance(1e-9, 1e-11))
    assert stiff.cycles == pytest.approx(other.cycles, rel=1e-6, abs=1e-9)
    assert stiff.n_steps.mean() < 0.2 * other.n_steps.mean()


def test_the_coefficients_are_consistent() -> None:
    """Row sums of the method are its nodes and weights of time (Hairer and Wanner IV.7)."""
    n = len(NODES)
    a, c = np.zeros((n, n)), np.zeros((n, n))
    for i in range(n):
        a[i, :i], c[i, :i] = STAGES[i], COUPLING[i]
    whole = np.linalg.inv(np.eye(n) / GAMMA - c)  # gamma_ij of the method itself
    alpha = a @ whole
    assert alpha.sum(axis=1) == pytest.approx(NODES, abs=1e-12)
    assert whole.sum(axis=1) == pytest.approx(TIME, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_elimination_solves_sparse_systems(seed: int) -> None:
    """Following its lists alone, without any pivot, gives the solution."""
    rng = np.random.default_rng(seed)
    n = 12
    matrix = np.diag(rng.uniform(3, 9, n))
    for _ in range(25):
        i, j = rng.integers(n, size=2)
        matrix[i, j] += rng.normal() / 2
    wanted = rng.normal(size=n)
    right = matrix @ wanted
    filled = {(int(i), int(j)) for i, j in np.argwhere(matrix)}
    order, lower, upper = elimination(range(n), filled)
    work, found = matrix.copy(), right.copy()
    for pivot in order:
        for row in lower[pivot]:
            factor = work[row, pivot] / work[pivot, pivot]
            found[row] -= factor * found[pivot]
            for column in upper[pivot]:
                work[row, column] -= factor * work[pivot, column]
    for pivot in reversed(order):
        total = found[pivot] - sum(work[pivot, j] * found[j] for j in upper[pivot])
        found[pivot] = total / work[pivot, pivot]
    assert found == pytest.approx(wanted, rel=1e-9)
