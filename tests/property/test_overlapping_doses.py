"""Doses add up wherever they come from: plan, dosing record, whole patient, visits, event table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from her2sim.biology.virtual_cohort import draw_virtual_cohort
from her2sim.drugs.drug import LabelledDose
from her2sim.engine.schedule import Action
from her2sim.patients.cohort import Cohort
from her2sim.patients.population import load_population
from her2sim.pk.exposure_run import cohort_chunks, simulate
from her2sim.pk.record_run import exposure_of_record
from her2sim.pk.treatment import Treatment, load_treatment
from her2sim.protocol.readings import Visit
from her2sim.protocol.recorder import TreatmentRecorder
from her2sim.regimens.dose import ROUTES
from her2sim.regimens.dose_rows import At, infusion_blocks
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.studies.dataset import run_events
from her2sim.virtual_patient.assessments import SimulatedAssessments
from her2sim.virtual_patient.cohort_state import CohortState
from her2sim.virtual_patient.composition import virtual_patient
from her2sim.virtual_patient.dosing import dose_schedule
from her2sim.virtual_patient.instruments import AssessmentPlan, Instruments
from her2sim.virtual_patient.run import run_virtual_patient

IV = ROUTES.index("iv")
END_DAY = 84.0


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return next(cohort_chunks(load_population("mbc"), 3, 2, 3))


def record_of_doses(*doses: tuple[int, float, float, float], drug: int = 0) -> DosingRecord:
    """Doses as patient, day, mg, minutes."""
    patient, day, mg, minutes = (np.array(column) for column in zip(*doses, strict=True))
    n = patient.size
    zeros = np.zeros(n, dtype=np.int64)
    return DosingRecord(
        patient.astype(np.int64), zeros + drug, day.astype(float), mg.astype(float),
        minutes.astype(float), zeros, zeros + 1, zeros + IV, zeros + 1, np.zeros(n),
    )  # fmt: skip


def auc_of(cohort: Cohort, record: DosingRecord, drug: str = "pembrolizumab") -> np.ndarray:
    """AUC of a drug with linear elimination."""
    treatment = load_treatment(drug, "q3w")
    return exposure_of_record(treatment, cohort, record, 0, [END_DAY]).metric("auc")[:, 0]


@pytest.mark.parametrize("second_day", [0.0, 0.02, 0.5, 0.9, 1.0, 3.0])
def test_two_infusions_of_a_ledger_give_twice_one(cohort: Cohort, second_day: float) -> None:
    first, second = (0, 0.0, 100.0, 1440.0), (0, second_day, 100.0, 1440.0)
    alone = [auc_of(cohort, record_of_doses(dose))[0] for dose in (first, second)]
    both = auc_of(cohort, record_of_doses(first, second))[0]
    # Superposition of a linear model, to the tolerance of the solver.
    assert both == pytest.approx(sum(alone), rel=1e-6)


def test_neighbours_of_overlapping_infusions_keep_their_bits(cohort: Cohort) -> None:
    own = [(1, 0.0, 100.0, 90.0), (1, 21.0, 100.0, 30.0)]
    crowd = [(0, 0.0, 100.0, 1440.0), (0, 0.5, 100.0, 1440.0)]
    alone = auc_of(cohort, record_of_doses(*own))
    assert auc_of(cohort, record_of_doses(*crowd, *own))[1] == alone[1]


def test_random_overlapping_infusions_enter_in_full() -> None:
    """The sum of rate x time is what was given, and no rate is left at the end."""
    rng = np.random.default_rng(5)
    patient = np.sort(rng.integers(0, 40, 400))
    start = rng.uniform(0, 20, 400)
    lasts, amount = rng.choice([0.02, 0.5, 4.0], 400), rng.uniform(1, 500, 400)
    blocks = infusion_blocks(patient, start, start + lasts, amount / lasts, 0)
    rows: list[tuple[int, float, int, float]] = []
    for who, day, at, action, _, value in blocks:
        assert action is Action.INFUSION
        n = np.size(who)
        columns = (np.broadcast_to(np.asarray(c, dtype=float), n) for c in (who, day, at, value))
        rows += list(zip(*columns, strict=True))
    for one in np.unique(patient):
        own = sorted(row[1:] for row in rows if row[0] == one)
        entered = sum(a[2] * (b[0] - a[0]) for a, b in zip(own, own[1:], strict=False))
        assert entered == pytest.approx(amount[patient == one].sum(), rel=1e-9)
        assert own[-1][1:] == (At.END, 0.0)


def long_infusions() -> Treatment:
    """A daily infusion that lasts a day and a half."""
    treatment = load_treatment("pembrolizumab", "q3w")
    phase = treatment.regimen.phases[0]
    long = LabelledDose(amount=100.0, unit="mg", duration_min=2160)
    phase = replace(phase, interval_min=1440, maintenance=long, loading=None, n_doses=5)
    return replace(treatment, regimen=replace(treatment.regimen, phases=(phase,)))


def test_plan_and_ledger_agree_on_infusions_longer_than_their_interval(cohort: Cohort) -> None:
    planned = simulate(long_infusions(), cohort, [END_DAY])
    record = record_of_doses(*((0, float(k), 100.0, 2160.0) for k in range(5)))
    realised = auc_of(cohort, record)[0]
    assert planned.metric("auc")[0, 0] == pytest.approx(realised, rel=1e-9)


def test_an_event_table_agrees_with_the_ledger(cohort: Cohort, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    rows = [f"1,{24 * k},1,100,{100 / 36},.,1" for k in range(5)] + ["1,480,0,.,.,.,1"]
    path.write_text("ID,TIME,EVID,AMT,RATE,DV,CMT\n" + "\n".join(rows) + "\n")
    names = load_treatment("pembrolizumab", "q3w").pk.needed_covariates()
    own = {name: cohort.covariate(name)[0] for name in names}
    course = run_events(
        path, drug="pembrolizumab", structure=None, settings=(), typical=False,
        constants=[f"{name}={value}" for name, value in own.items()], ignore=(), time_unit="h",
        carry="nocb", lag_column=None, f_column=None, rate_column=None, duration_column=None,
        acts_on="central", seed=cohort.seed,
    )[1]  # fmt: skip
    record = record_of_doses(*((0, float(k), 100.0, 2160.0) for k in range(5)))
    treatment = load_treatment("pembrolizumab", "q3w")
    grid = exposure_of_record(treatment, cohort, record, 0, [END_DAY], np.array([20.0])).grid
    assert course.individual_prediction[0] == pytest.approx(grid[0, 0], rel=1e-6)


def test_a_whole_patient_has_the_levels_of_the_ledger(cohort: Cohort) -> None:
    treatment = load_treatment("trastuzumab", "q3w")
    whole, people = virtual_patient([treatment]), draw_virtual_cohort(cohort)
    doses = [(0, 0.0, 300.0, 2880.0), (0, 1.0, 300.0, 2880.0), (0, 1.5, 300.0, 90.0)]
    record, grid = record_of_doses(*doses), np.array([1.2, 2.5, 10.0])
    found = run_virtual_patient(whole, people, record, 21.0, grid).output("conc_trastuzumab")
    wanted = exposure_of_record(treatment, cohort, record, 0, [21.0], grid).grid
    # The whole patient is integrated at 1e-6.
    assert found[0] == pytest.approx(wanted[0], rel=1e-4)


def test_an_infusion_that_runs_on_over_a_visit_is_not_lost(cohort: Cohort) -> None:
    """Visits on days 1 and 2 while two infusions of two days run."""
    treatment = load_treatment("trastuzumab", "q3w")
    whole, people = virtual_patient([treatment]), draw_virtual_cohort(cohort)
    state, recorder, who = CohortState(whole, people), TreatmentRecorder(), np.arange(3)
    readings = SimulatedAssessments(state, Instruments(state, AssessmentPlan(scan_sd=0.0)))
    since = np.full(3, -np.inf)
    for day in (0.0, 1.0, 2.0, 7.0, 21.0):
        readings.arrive(Visit(day, who, since), recorder)
        if day < 2:
            recorder.dose(
                who, drug=0, day=day, dose_mg=300.0, duration_min=2880.0, level=0, why=1,
                route=IV, number=1, every_day=0.0,
            )  # fmt: skip
        since = np.full(3, day)
    record = recorder.record()
    again = run_virtual_patient(whole, people, record, 21.0, np.empty(0))
    k = whole.model.index("states", "central_trastuzumab")
    assert state.states[k] == pytest.approx(again.states[k], rel=1e-4)
    schedule = dose_schedule(whole, people, record, np.full(3, 21.0), np.empty(0))
    assert schedule.n_patients == 3
