"""A patient's bits depend on nothing but the patient."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.engine.advance import Kernel, advance, compile_kernel
from her2sim.engine.codegen.kernel import kernel_ir
from her2sim.engine.codegen.machine import LoadedCode, Machine, compile_object, this_machine
from her2sim.engine.schedule import shared_schedule
from her2sim.engine.trajectories import Reductions, Request, Trajectories
from her2sim.models.structures import structure
from her2sim.patients.population import load_population
from her2sim.pk.exposure_run import cohort_chunks, replay, simulate
from her2sim.pk.treatment import load_treatment
from tests.problems import (
    random_parameters,
    random_weights,
    trastuzumab_model,
    trastuzumab_rows,
    trastuzumab_year,
)

LEVEL = 40.0


def same_bits(a: Trajectories, b: Trajectories) -> bool:
    pairs = ((a.grid, b.grid), (a.cycles, b.cycles), (a.states, b.states), (a.n_steps, b.n_steps))
    return all(x.tobytes() == y.tobytes() for x, y in pairs)


@pytest.fixture(scope="module")
def one_lane() -> Trajectories:
    model = trastuzumab_model()
    kernel = compile_kernel(model, Reductions.TIME_ABOVE, lanes=1)
    return advance(model, trastuzumab_year(300, 6, level=LEVEL), threads=1, kernel=kernel)


@pytest.mark.parametrize("lanes", [2, 4, 8, 16, 32])
def test_any_number_of_lanes(one_lane: Trajectories, lanes: int) -> None:
    model = trastuzumab_model()
    kernel = compile_kernel(model, Reductions.TIME_ABOVE, lanes=lanes)
    found = advance(model, trastuzumab_year(300, 6, level=LEVEL), threads=1, kernel=kernel)
    assert same_bits(found, one_lane)


@pytest.mark.skipif(not this_machine().triple.startswith("x86_64"), reason="names x86-64 CPUs")
@pytest.mark.parametrize(("cpu", "lanes"), [("x86-64-v3", 16), ("x86-64-v2", 2), ("x86-64", 1)])
def test_code_for_an_older_cpu(one_lane: Trajectories, cpu: str, lanes: int) -> None:
    """Fused multiply-adds are written out, so even a CPU without them gives the same bits."""
    model, older = trastuzumab_model(), Machine(this_machine().triple, cpu, "", lanes)
    code = compile_object(kernel_ir(model, lanes, Reductions.TIME_ABOVE), older)
    kernel = Kernel(model, lanes, Reductions.TIME_ABOVE, LoadedCode(code, older))
    found = advance(model, trastuzumab_year(300, 6, level=LEVEL), threads=1, kernel=kernel)
    assert same_bits(found, one_lane)


def test_a_second_thread() -> None:
    model, request = trastuzumab_model(), trastuzumab_year(1200, 3)
    assert same_bits(advance(model, request, threads=1), advance(model, request, threads=2))


def test_any_order_and_neighbours() -> None:
    model, n = trastuzumab_model(), 97
    order = np.random.default_rng(3).permutation(n)
    parameters, weights = random_parameters(model, n), random_weights(n)
    schedule = shared_schedule(trastuzumab_rows(model, 4), n)
    central = model.index("states", "central")

    def cycles(rows: np.ndarray) -> np.ndarray:
        scale = np.ones((len(model.states), rows.size))
        scale[central] = weights[rows]
        part = schedule.part(0, rows.size)
        return advance(model, Request(parameters[:, rows], part, scale)).cycles

    everyone = cycles(np.arange(n))
    assert cycles(order).tobytes() == everyone[order].tobytes()
    assert cycles(np.array([41])).tobytes() == everyone[[41]].tobytes()


def test_a_structure_with_absorption_too() -> None:
    model = structure("two_compartment_absorption_michaelis_menten").model
    treatment = load_treatment("trastuzumab-sc", "q3w")
    schedule = shared_schedule(treatment.rows(4), 40)
    request = Request(random_parameters(model, 40), schedule)
    one, eight = (advance(model, request, kernel=compile_kernel(model, lanes=n)) for n in (1, 8))
    assert same_bits(one, eight)


@pytest.mark.parametrize("drug", ["trastuzumab", "trastuzumab-sc", "pertuzumab"])
def test_chunk_cohort_size_and_replay(drug: str) -> None:
    treatment, people = load_treatment(drug, "q3w"), load_population("ebc")

    def cycles(n: int, chunk: int) -> np.ndarray:
        parts = [simulate(treatment, c, 3).cycles for c in cohort_chunks(people, n, 7, chunk)]
        return np.concatenate(parts)

    whole = cycles(500, 500)
    assert cycles(500, 33).tobytes() == whole.tobytes()
    assert cycles(120, 50).tobytes() == whole[:120].tobytes()
    again = replay(treatment, people, seed=7, patient=77, n_cycles=3)
    assert again.cycles.tobytes() == whole[[76]].tobytes()


def test_many_patients_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The conjugate's payload changes with the cycle: its modal numbers are kept for each."""
    treatment = load_treatment("trastuzumab-deruxtecan", "q3w")
    (cohort,) = cohort_chunks(load_population("mbc"), 100, 1, 100)
    whole = simulate(treatment, cohort, 4, grid_day=np.linspace(0, 84, 30))
    monkeypatch.setattr("her2sim.engine.epochs.LARGEST_BYTES", 60_000)
    parts = simulate(treatment, cohort, 4, grid_day=np.linspace(0, 84, 30))
    assert parts.cycles.tobytes() == whole.cycles.tobytes()
    assert parts.grid.tobytes() == whole.grid.tobytes()
