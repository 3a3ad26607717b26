"""Exact linear blocks against the solver that integrates the same equations step by step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from her2sim.drugs.pk import reference_covariates
from her2sim.engine.advance import advance, compile_kernel
from her2sim.engine.linear_blocks import linear_blocks, modal_arrays
from her2sim.engine.reference import solve_reference
from her2sim.engine.schedule import Action, shared_schedule
from her2sim.engine.trajectories import Reductions, Request, Tolerance
from her2sim.models.structures import STRUCTURES
from her2sim.pk.treatment import load_treatment
from tests.problems import TYPICAL

EXACT = [name for name, s in STRUCTURES.items() if linear_blocks(s.model, frozenset())]


@pytest.mark.parametrize("name", EXACT)
def test_modes_rebuild_the_equations(name: str) -> None:
    model, rng = STRUCTURES[name].model, np.random.default_rng(1)
    spread = np.exp(0.5 * rng.standard_normal((len(model.parameters), 20)))
    known = TYPICAL | {"v": 3.0}
    parameters = np.array([known[p] for p in model.parameters])[:, None] * spread
    for block in linear_blocks(model, frozenset()):
        k = len(block.core)
        numbers = modal_arrays(block, model, parameters)
        rate, modes = numbers[:k], numbers[2 * k : 2 * k + k * k].reshape(k, k, -1)
        inverse = numbers[2 * k + k * k : 2 * k + 2 * k * k].reshape(k, k, -1)
        rebuilt = np.einsum("sin,in,itn->stn", modes, rate, inverse)
        for column, state in enumerate(block.core):
            values = dict(zip(model.parameters, parameters, strict=True))
            values |= {s: np.zeros(20) for s in model.states}
            values[model.states[state]] = np.ones(20)
            rates = model.rates(values)[0]
            wanted = np.array([np.broadcast_to(rates[s], 20) for s in block.core])
            assert rebuilt[:, column] == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("drug", "regimen", "n_cycles", "cycle_day"),
    [
        ("tucatinib", "bid", 6, None),
        ("lapatinib", "qd", 4, None),
        ("capecitabine", "bid", 2, 21.0),  # one-way flows, and a week of rest
        ("capecitabine", "bid", 60, 0.5),
        ("docetaxel", "q3w", 2, None),
        ("pertuzumab", "q3w", 4, None),
        ("pertuzumab:wang2021", "q3w-sc", 4, None),
        ("trastuzumab-emtansine", "q3w", 3, None),  # with its payload
        ("trastuzumab-deruxtecan", "q3w", 4, None),  # release changes with the cycle
    ],
)
def test_every_reduction_agrees_with_the_solver(drug, regimen, n_cycles, cycle_day) -> None:
    treatment = load_treatment(drug, regimen)
    model = treatment.pk.structural.model
    covariates = reference_covariates(
        treatment.pk, {"weight_kg": 70.0, "bsa_m2": 1.8, "tumour_type": "breast"}
    )
    typical = treatment.typical(covariates, 1)
    parameters = np.array([typical[name] for name in model.parameters])
    ends = n_cycles if cycle_day is None else [cycle_day * (k + 1) for k in range(n_cycles)]
    schedule = shared_schedule(treatment.rows(ends), 1)
    scale = treatment.scale(covariates, typical, 1)
    grid = np.linspace(0, schedule.time_day[-1], 200)
    level = 0.3 if drug == "capecitabine" else 0.05
    request = Request(parameters, schedule, scale, grid_day=grid, level=level)
    everything = frozenset(model.parameters)
    solver = compile_kernel(model, Reductions.TIME_ABOVE, varying=everything)
    exact = advance(model, request)
    stepwise = advance(model, request, Tolerance(1e-11, 1e-13), kernel=solver)
    # Amounts below 1e-9 of a dose are zero for the solver, and exact here.
    smallest = 1e-9 * exact.cycles[..., 1].max()
    assert exact.cycles == pytest.approx(stepwise.cycles, rel=1e-7, abs=smallest)
    assert exact.grid == pytest.approx(stepwise.grid, rel=1e-7, abs=smallest)
    assert exact.n_steps[0] < stepwise.n_steps[0]
    # Without a level, steps that cannot hold the peak of a cycle are not searched for one.
    peaks = advance(model, replace(request, level=None)).cycles[..., 1]
    assert peaks == pytest.approx(stepwise.cycles[..., 1], rel=1e-7, abs=smallest)


def test_a_peak_under_other_parameters_is_not_passed_over() -> None:
    """Less in the body may be a higher concentration when the volume has changed within a cycle."""
    model = STRUCTURES["one_compartment_oral"].model
    at = {name: k for k, name in enumerate(model.parameters)}
    depot = model.index("states", "depot")
    rows = [
        (0.0, Action.BOLUS, depot, 10.0),
        (1.0, Action.BOLUS, depot, 100.0),
        (10.0, Action.PARAMETER, at["v"], 2.0),
        (10.0, Action.BOLUS, depot, 60.0),
        (15.0, Action.CYCLE, 0, 0.0),
    ]
    parameters = np.zeros((len(model.parameters), 1))
    for name, value in {"ka": 3.0, "cl": 8.0, "v": 10.0}.items():
        parameters[at[name]] = value
    request = Request(parameters, shared_schedule(rows, 1))
    found, slow = advance(model, request), solve_reference(model, request)
    assert found.cycles[0, 0] == pytest.approx(slow.cycles[0, 0], rel=1e-6, nan_ok=True)


@pytest.mark.parametrize(
    ("mg", "day", "parameters"),
    [
        (
            3500.0, 0.94231154,
            (61.496, 28052.6, 144.833, 297.292, 337.977, 155.967, 483.960, 1.2346, 0.7879, 0.4963,
             1.22871),
        ),
        (
            1000.0, 1.76291692,
            (193.9576, 42912.84, 53.1974, 1257.1177, 178.4374, 159.7585, 188.0854, 1.50607,
             0.207465, 0.138371, 1.06294),
        ),
    ],
)  # fmt: skip
def test_a_peak_behind_a_bend_of_the_other_kind(
    mg: float, day: float, parameters: tuple[float, ...]
) -> None:
    """The last of a chain rises in a curve first: no tangent bounds the piece with its peak."""
    model = STRUCTURES["capecitabine_cascade"].model
    names = (
        "v", "cl", "ka", "cl_dfcr", "k_dfur", "k_fu", "k_fu_out", "mass_dfcr", "mass_dfur",
        "mass_fu", "v_metabolite",
    )  # fmt: skip
    known = dict(zip(names, parameters, strict=True))
    values = np.array([[known[name]] for name in model.parameters])
    rows = [(0.0, Action.BOLUS, model.index("states", "depot"), mg), (day, Action.CYCLE, 0, 0.0)]
    grid = np.linspace(0.0, day / 4, 200_001)
    found = advance(model, Request(values, shared_schedule(rows, 1), grid_day=grid))
    shown = [model.index("outputs", a.concentration) for a in model.analytes]
    assert found.cycles[0, 0, :, 1] == pytest.approx(found.grid[0][:, shown].max(axis=0), rel=1e-6)
