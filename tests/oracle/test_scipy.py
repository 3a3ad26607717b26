"""The compiled engine against SciPy: equations written twice, and every reduction."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from her2sim.engine.advance import advance
from her2sim.engine.reference import solve_reference
from her2sim.engine.schedule import Action, schedule_from_rows
from her2sim.engine.trajectories import Request, Tolerance
from her2sim.models.structures import STRUCTURES
from tests.problems import (
    TYPICAL,
    random_parameters,
    random_weights,
    trastuzumab_model,
    trastuzumab_year,
)

# The default tolerance promises 1e-5 for the worst of all patients and days (see the engine's
# description); the oracle's own error is below 1e-9.
WORST = 1e-5


def year_by_hand(parameters: dict[str, float], weight_kg: float) -> np.ndarray:
    """Problem A of one patient, written without her2sim; daily concentrations."""
    p, days, y, found = parameters, np.arange(379.0), np.zeros(2), np.zeros(379)

    def rhs(_t, y, rate):
        conc = y[0] / p["vc"]
        net = p["q"] * conc - p["q"] / p["vp"] * y[1]
        return [rate - net - p["cl"] * conc - p["vmax"] * conc / (p["km"] + conc), net]

    for k in range(18):
        start, length = 21.0 * k, (90 if k == 0 else 30) / 1440
        dose = (8.0 if k == 0 else 6.0) * weight_kg
        for a, b, rate in (
            (start, start + length, dose / length),
            (start + length, start + 21, 0.0),
        ):
            inside = np.flatnonzero((days > a) & (days <= b))
            times = (
                np.append(days[inside], b)
                if not inside.size or days[inside][-1] != b
                else days[inside]
            )
            solved = solve_ivp(
                rhs, (a, b), y, "DOP853", t_eval=times, args=(rate,), rtol=1e-11, atol=1e-11
            )
            found[inside] = solved.y[0, : inside.size] / p["vc"]
            y = solved.y[:, -1]
    return found


def test_200_random_patients_of_problem_a() -> None:
    model, request = trastuzumab_model(), trastuzumab_year(200)
    found = advance(model, request).grid[:, :, 0]
    weights = random_weights(200)
    exact = np.array(
        [
            year_by_hand(dict(zip(model.parameters, request.parameters[:, i], strict=True)), w)
            for i, w in enumerate(weights)
        ]
    )
    error = np.abs(found - exact)[:, 1:] / exact[:, 1:]
    assert error.max() < WORST


def random_request(name: str, level: float | None) -> Request:
    """Patients with boluses, overlapping infusions and readings at random times."""
    rng = np.random.default_rng(5)
    model = STRUCTURES[name].model
    targets = [model.index("states", s) for s in STRUCTURES[name].dosed.values()]
    patients = []
    for _ in range(6):
        times = np.sort(rng.uniform(0, 60, 14))
        rows = []
        for k, t in enumerate(times):
            action = rng.choice([Action.BOLUS, Action.INFUSION, Action.READING, Action.CYCLE])
            target = int(rng.choice(targets))
            if action == Action.READING:
                target = sum(r[1] == Action.READING for r in rows)
            elif action == Action.CYCLE:
                target = sum(r[1] == Action.CYCLE for r in rows)
            value = float(rng.choice([0.0, 300.0, 900.0])) if k % 2 else 500.0
            rows.append((float(t), Action(action), target, value))
        rows.append((63.0, Action.CYCLE, sum(r[1] == Action.CYCLE for r in rows), 0.0))
        patients.append(rows)
    known = TYPICAL | {"v": 3.0}
    spread = np.exp(0.3 * rng.standard_normal((len(model.parameters), 6)))
    parameters = np.array([known[p] for p in model.parameters])[:, None] * spread
    return Request(
        parameters, schedule_from_rows(patients), grid_day=np.linspace(0, 63, 40), level=level
    )


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_structure_and_every_reduction(name: str) -> None:
    model = STRUCTURES[name].model
    request = random_request(name, level=60.0)
    found = advance(model, request, Tolerance(1e-9, 1e-8))
    exact = solve_reference(model, request)
    # The interpolant is of fourth order: with steps for 1e-9 its own error stays below 1e-7.
    assert found.grid == pytest.approx(exact.grid, rel=1e-6, abs=1e-7)
    assert found.readings == pytest.approx(exact.readings, rel=1e-7, abs=1e-8, nan_ok=True)
    assert found.cycles == pytest.approx(exact.cycles, rel=1e-6, abs=1e-6, nan_ok=True)
    assert found.states == pytest.approx(exact.states, rel=1e-7, abs=1e-7)


def test_the_error_follows_the_tolerance() -> None:
    model, request = trastuzumab_model(), trastuzumab_year(50, n_cycles=6)
    exact = advance(model, request, Tolerance(1e-13, 1e-12)).grid[:, 1:]
    errors = [
        np.max(np.abs(advance(model, request, Tolerance(r, 10 * r)).grid[:, 1:] / exact - 1))
        for r in (1e-5, 1e-8, 1e-11)
    ]
    # Three decades of tolerance buy about three decades of accuracy; half of that is asked for.
    assert errors[1] < errors[0] / 30
    assert errors[2] < errors[1] / 30


def test_generated_and_plain_equations_agree() -> None:
    model = trastuzumab_model()
    parameters = random_parameters(model, 5)
    states = np.abs(np.random.default_rng(2).normal(200, 50, (3, 5)))
    outputs = model.outputs_of(states, parameters)
    assert outputs[0] == pytest.approx(states[0] / parameters[model.parameters.index("vc")])
