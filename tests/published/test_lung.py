"""Interstitial lung disease under T-DXd against pooled figures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from her2sim.biology.virtual_cohort import draw_virtual_cohort
from her2sim.patients.population import load_population
from her2sim.pk.combination import load_combination
from her2sim.pk.exposure_run import cohort_chunks
from her2sim.protocol.plan import DrugPlan, Protocol
from her2sim.random import Purpose, uniforms
from her2sim.units import DAY_PER_MONTH
from her2sim.virtual_patient.composition import virtual_patient
from her2sim.virtual_patient.run import planned_record, run_virtual_patient

TREATED_MONTHS = 9.0
"""Median time on treatment at 5.4 mg/kg: 8 in DESTINY-Breast04, longer in -01 and -03."""
END_DAY = 728.0


def onset_month(regimen: str, population: str) -> tuple[NDArray[np.float64], int]:
    """Onsets of those who get it before they stop treatment for another reason."""
    n = 4000
    cohort = next(cohort_chunks(load_population(population), n, 9, n))
    whole = virtual_patient(load_combination(regimen).treatments, organs=("lung",))
    plans = tuple(DrugPlan(d.treatment.drug.id, d.treatment.regimen) for d in whole.drugs)
    record = planned_record(whole, cohort, Protocol(plans, "metastatic", END_DAY))

    def level(name: str) -> NDArray[np.float64]:
        drawn = uniforms(cohort.seed, 0, cohort.numbers, Purpose.HAZARDS, name)
        return np.asarray(-np.log(drawn))

    watched = whole.model.watched
    levels = np.array([level(name) for name in watched])
    course = run_virtual_patient(
        whole, draw_virtual_cohort(cohort), record, END_DAY, np.empty(0), hazard_level=levels
    )
    stopped = level("stops") * TREATED_MONTHS * DAY_PER_MONTH / np.log(2)
    day = course.event_day[watched.index("lung_hazard")]
    return day[day <= stopped] / DAY_PER_MONTH, n


def test_incidence_and_onset_at_the_usual_dose() -> None:
    """Pooled 5.4 mg/kg: 12 % of any grade; onset after a median of 5 months, 87 % in a year."""
    onset, n = onset_month("T-DXd", "mbc")
    assert 0.10 <= onset.size / n <= 0.14
    assert 4 <= np.median(onset) <= 6
    assert 0.80 <= (onset <= 12).mean() <= 0.92


def test_a_higher_dose_has_more_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    usual, n = onset_month("T-DXd", "mbc")
    higher, _ = onset_month("trastuzumab-deruxtecan-gastric", "agc")
    with capsys.disabled():
        print(f"\nILD: {usual.size / n:.3f} at 5.4, {higher.size / n:.3f} at 6.4 mg/kg (gastric)")
    assert higher.size > usual.size
