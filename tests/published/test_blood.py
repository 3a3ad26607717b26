"""Blood counts against published nadirs and grades."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from her2sim.biology.virtual_cohort import VirtualCohort, draw_virtual_cohort
from her2sim.drugs.toxicity import load_toxicity
from her2sim.patients.population import load_population
from her2sim.pk.combination import load_combination
from her2sim.pk.exposure_run import cohort_chunks
from her2sim.protocol.plan import DrugPlan, Protocol
from her2sim.virtual_patient.composition import VirtualPatient, virtual_patient
from her2sim.virtual_patient.run import planned_record, run_virtual_patient

Array = NDArray[np.float64]


def counts(regimen: str, line: str, n: int, end_day: float) -> tuple[Array, VirtualCohort]:
    """Counts day by day."""
    whole: VirtualPatient = virtual_patient(load_combination(regimen).treatments, organs=("blood",))
    cohort = next(cohort_chunks(load_population("mbc"), n, 8, n))
    plans = tuple(DrugPlan(d.treatment.drug.id, d.treatment.regimen) for d in whole.drugs)
    people = draw_virtual_cohort(cohort)
    record = planned_record(whole, cohort, Protocol(plans, "metastatic", end_day))
    course = run_virtual_patient(whole, people, record, end_day, np.arange(0.0, end_day + 1))
    return course.output(f"count_{line}"), people


@pytest.fixture(scope="module")
def platelets() -> Array:
    return counts("T-DM1", "platelets", 3000, 378.0)[0]


def test_first_nadir_of_platelets_under_t_dm1(platelets: Array) -> None:
    first = platelets[:, :22]
    assert np.median(first.min(axis=1)) == pytest.approx(116, rel=0.20)
    assert 7 <= np.median(first.argmin(axis=1)) <= 10


def test_grades_of_platelets_under_t_dm1(platelets: Array) -> None:
    """EMILIA, laboratory: 83 % of any grade, 17 % of grade 3 or 4.

    The median time on treatment was 7.6 months. Tests are weekly, and patients stop at random;
    doses are not held here, so a little more falls.
    """
    drawn = np.random.default_rng(5).exponential(7.6 * 30.4 / np.log(2), len(platelets))
    day = np.arange(platelets.shape[1])
    is_tested = (day % 7 == 0) & (day <= np.maximum(drawn, 21)[:, None])
    lowest = np.where(is_tested, platelets, np.inf).min(axis=1)
    assert (lowest < 50).mean() == pytest.approx(0.17, abs=0.04)
    assert (lowest < 150).mean() == pytest.approx(0.83, abs=0.05)


def test_platelets_drift_down_in_46_percent(platelets: Array) -> None:
    """In those the highest count of a late cycle is a tenth or more below that of the first."""
    late, first = platelets[:, 336:357].max(axis=1), platelets[:, :22].max(axis=1)
    share = load_toxicity("T-DM1").blood["platelets"].lasting_share
    assert share is not None
    assert share.value == 0.46
    assert (late < 0.90 * first).mean() == pytest.approx(share.value, abs=0.05)


def test_grades_of_neutrophils_under_t_dxd() -> None:
    neutrophils, _ = counts("T-DXd", "neutrophils", 3000, 252.0)
    assert (neutrophils.min(axis=1) < 1.0).mean() == pytest.approx(0.16, abs=0.03)


def test_nadir_of_neutrophils_under_docetaxel() -> None:
    """Typical run of the same set with other levels (Bruno 1996): 0.761 on day 9.5 at 75 mg/m2."""
    neutrophils, people = counts("docetaxel", "neutrophils", 2000, 21.0)
    assert people.cohort.n_patients == 2000
    assert np.median(neutrophils.min(axis=1)) == pytest.approx(0.761, rel=0.15)
    assert np.median(neutrophils.argmin(axis=1)) == pytest.approx(9.5, abs=1.0)


@pytest.mark.parametrize(("regimen", "nadir", "day"), [("q3w", 1.318, 10.4), ("qw", 2.789, 9.6)])
def test_nadir_of_neutrophils_under_a_dose_of_paclitaxel(
    regimen: str, nadir: float, day: float
) -> None:
    """Typical runs of the same set with levels of unbound drug: 175 and 80 mg/m2."""
    neutrophils, _ = counts(f"paclitaxel/{regimen}*1", "neutrophils", 1500, 21.0)
    # Other levels (Crombag 2019, total drug): a fifth of the nadir.
    assert np.median(neutrophils.min(axis=1)) == pytest.approx(nadir, rel=0.20)
    assert np.median(neutrophils.argmin(axis=1)) == pytest.approx(day, abs=1.5)


def test_fever_in_grade_4_neutropenia() -> None:
    """Quartino 2012: 26 of 140 patients with grade 4 in the first course of docetaxel."""
    whole = virtual_patient(load_combination("docetaxel*1").treatments, organs=("blood",))
    cohort = next(cohort_chunks(load_population("mbc"), 2000, 8, 2000))
    plans = tuple(DrugPlan(d.treatment.drug.id, d.treatment.regimen) for d in whole.drugs)
    record = planned_record(whole, cohort, Protocol(plans, "metastatic", 21.0))
    course = run_virtual_patient(
        whole, draw_virtual_cohort(cohort), record, 21.0, np.arange(0.0, 21.1, 0.25)
    )
    is_grade_4 = course.output("count_neutrophils").min(axis=1) < 0.5
    hazard = course.states[whole.model.index("states", "febrile_neutropenia")]
    assert is_grade_4.sum() > 400
    # 95 % interval of 26 of 140: 12 to 26 %.
    assert (1 - np.exp(-hazard[is_grade_4])).mean() == pytest.approx(26 / 140, abs=0.02)
