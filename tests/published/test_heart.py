"""The LVEF of de Vries Schultink 2018, and the share of scans that cross a threshold by chance."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from her2sim.biology.heart import CardiacProfile, heart_number
from her2sim.biology.virtual_cohort import VirtualCohort, draw_virtual_cohort
from her2sim.engine.advance import advance
from her2sim.engine.trajectories import Request
from her2sim.patients.cohort import Cohort
from her2sim.patients.population import load_population
from her2sim.pk.combination import load_combination
from her2sim.pk.exposure_run import cohort_chunks
from her2sim.protocol.decisions import Decision
from her2sim.protocol.label import load_label
from her2sim.protocol.plan import DrugPlan, Protocol
from her2sim.protocol.visits import run_protocol
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.virtual_patient.assessments import SimulatedAssessments
from her2sim.virtual_patient.cohort_state import CohortState
from her2sim.virtual_patient.composition import VirtualPatient, virtual_patient
from her2sim.virtual_patient.dosing import dose_schedule
from her2sim.virtual_patient.instruments import AssessmentPlan, Instruments
from her2sim.virtual_patient.run import TOLERANCE, planned_record

Array = NDArray[np.float64]
YEAR_DAY = 378.0
SCANS_DAY = (91.0, 182.0, 273.0, 364.0)
PATIENTS = 6000


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return next(cohort_chunks(load_population("ebc"), PATIENTS, 5, PATIENTS))


@pytest.fixture(scope="module")
def whole() -> VirtualPatient:
    return virtual_patient(load_combination("trastuzumab").treatments, organs=("heart",))


def plan(whole: VirtualPatient, end_day: float, label: bool = False) -> Protocol:
    plans = tuple(
        DrugPlan(
            d.treatment.drug.id,
            d.treatment.regimen,
            load_label(d.treatment.drug.id, "us") if label else None,
        )
        for d in whole.drugs
    )
    return Protocol(plans, "early", end_day)


def true_lvef(
    whole: VirtualPatient,
    people: VirtualCohort,
    record: DosingRecord,
    end_day: float,
    grid: Array,
) -> Array:
    """LVEF under the driver of the paper: typical levels of Bruno 2005 at 70 kg, 8 then 6 mg/kg."""
    parameters = whole.parameters(people)
    driver = {"cl": 0.225, "vc": 2.95, "q": 0.4838, "vp": 4.7901, "vmax": 0.0}
    for name, value in driver.items():
        parameters[whole.model.index("parameters", f"{name}_trastuzumab")] = value
    n = people.cohort.n_patients
    schedule = dose_schedule(whole, people, record, np.full(n, end_day), np.empty(0))
    weight = people.cohort.covariate("weight_kg")
    scale = whole.scale(people.cohort) * 70.0 / weight  # the record has the patient's own weight
    request = Request(parameters, schedule, scale, whole.start(people), grid)
    found = advance(whole.model, request, TOLERANCE)
    return found.grid[:, :, whole.model.index("outputs", "lvef")]


@pytest.fixture(scope="module")
def published(cohort: Cohort, whole: VirtualPatient) -> Array:
    """LVEF at the start and at four scans, troponin maximum 18 ng/L."""
    people = draw_virtual_cohort(cohort, None, CardiacProfile(True, troponin_ng_per_l=18.0))
    record = planned_record(whole, cohort, plan(whole, YEAR_DAY))
    return true_lvef(whole, people, record, YEAR_DAY, np.array([0.0, *SCANS_DAY]))


def test_typical_fall_is_that_of_the_model(published: Array) -> None:
    # Its own typical run: 57.65 % at the lowest from 59.9 %, 0.2 for other scan days.
    assert np.median(published[:, 0]) == pytest.approx(59.9, abs=0.3)
    assert np.median(published.min(axis=1)) == pytest.approx(57.65, abs=0.3)


def test_most_declines_of_the_paper_are_error_of_the_scan(published: Array) -> None:
    """Below 45 or 15 points down, unconfirmed: 18 % in the paper, 1 to 2 % are true."""
    error = np.random.default_rng(3).standard_normal(published.shape)
    observed = published * (1 + heart_number("residual") * error)

    def declined(lvef: Array) -> float:
        later = lvef[:, 1:]
        return float(((later < 45) | (lvef[:, :1] - later >= 15)).any(axis=1).mean())

    assert 0.010 <= declined(published) <= 0.020
    assert 0.12 <= declined(observed) <= 0.18


def scans_without_drug(
    known: CardiacProfile, method: str, entry: float, n_scans: int, cohort: Cohort
) -> Array:
    """Measured LVEF of patients without any drug, at the start and at some scans."""
    start = draw_virtual_cohort(cohort, None, known).hearts.parameters["lvef_start"]
    error = np.random.default_rng(7).standard_normal((start.size, 1 + n_scans))
    scans: Array = start[:, None] + heart_number(f"scan_{method}") * error
    return scans[scans[:, 0] >= entry]


def test_scans_without_a_drug_fall_as_often_as_in_the_trials() -> None:
    """HERA's observation arm (echo) and AC then T of B-31 and N9831 (MUGA), US label."""
    n = 40_000
    cohort = next(cohort_chunks(load_population("ebc"), n, 6, n))
    hera = CardiacProfile(True, lvef_median_percent=63, lvef_least_percent=55)
    scans = scans_without_drug(hera, "echo", 55, 3, cohort)
    points = (scans[:, :1] - scans[:, 1:]).max(axis=1)
    # Tolerances are the 95 % intervals of the published figures, of 1708 and 1170 patients.
    assert ((points >= 10) & (points < 20)).mean() == pytest.approx(0.119, abs=0.015)
    assert (scans[:, 1:] < 50).any(axis=1).mean() == pytest.approx(0.027, abs=0.008)
    scans = scans_without_drug(CardiacProfile(lvef_least_percent=50), "muga", 50, 5, cohort)
    falls = (scans[:, 1:] < 50) & (scans[:, :1] - scans[:, 1:] >= 10)
    assert falls.any(axis=1).mean() == pytest.approx(0.070, abs=0.015)


def test_four_fifths_of_the_fall_are_back_half_a_year_after_the_last_cycle(
    cohort: Cohort, whole: VirtualPatient
) -> None:
    """HERA: 59 of 73 recovered; a half-life of 68 days gives 77 % in the paper's typical run."""
    people = draw_virtual_cohort(cohort, None, CardiacProfile(True, troponin_ng_per_l=18.0))
    record = planned_record(whole, cohort, plan(whole, YEAR_DAY))
    later = YEAR_DAY + 180.0
    lvef = true_lvef(whole, people, record, later, np.array([0.0, YEAR_DAY, later]))
    back = (lvef[:, 2] - lvef[:, 1]) / (lvef[:, 0] - lvef[:, 1])
    assert np.median(back) == pytest.approx(0.77, abs=0.04)


def test_holds_without_any_fall_with_and_without_confirmation(cohort: Cohort, capsys) -> None:
    """An antibody without an effect on the heart: every hold is an error of the scan."""
    few = cohort.part(0, 2000)
    whole = virtual_patient(load_combination("trastuzumab").treatments, organs=("heart",))
    people = draw_virtual_cohort(few, None, CardiacProfile())
    people.hearts.parameters["heart_half"][:] = 1e12
    rates = {}
    for is_confirmed in (False, True):
        protocol = plan(whole, YEAR_DAY, label=True)
        protocol = Protocol(protocol.plans, "early", YEAR_DAY, is_confirmed_by_repeat=is_confirmed)
        state = CohortState(whole, people)
        instruments = Instruments(state, AssessmentPlan(heart_number("scan_echo")))
        readings = SimulatedAssessments(state, instruments)
        log = run_protocol(protocol, few, readings).log
        held = np.unique(log.patient[log.decision == Decision.HOLD])
        rates[is_confirmed] = held.size / few.n_patients
    with capsys.disabled():
        print(f"\nholds without a fall: {rates[False]:.3f}, confirmed {rates[True]:.3f}")
    assert 0.01 < rates[False] < 0.2
    assert rates[True] < 0.35 * rates[False]
