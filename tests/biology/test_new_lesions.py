"""Lesions elsewhere: they follow the volume, the pace, and the growth of some weeks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from her2sim.biology.ensemble import Members
from her2sim.biology.tumour_profile import TumourProfile
from her2sim.biology.virtual_cohort import VirtualCohort, draw_virtual_cohort
from her2sim.patients.population import load_population
from her2sim.pk.combination import load_combination
from her2sim.pk.exposure_run import cohort_chunks
from her2sim.protocol.plan import DrugPlan, Protocol
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.virtual_patient.composition import VirtualPatient, virtual_patient
from her2sim.virtual_patient.run import planned_record, run_virtual_patient

N = 200
CYCLE_DAY = 21.0
END_DAY = 18 * CYCLE_DAY


def people(**numbers: float) -> VirtualCohort:
    """Patients of a population, all with some numbers."""
    cohort = next(cohort_chunks(load_population("mbc"), N, 5, N))
    values = {name.replace("__", ":"): np.full(N, value) for name, value in numbers.items()}
    members = Members(np.zeros(N, dtype=np.int64), {}, values)
    return draw_virtual_cohort(cohort, TumourProfile(), members=members)


def new_lesions(whole: VirtualPatient, who: VirtualCohort, record: DosingRecord) -> np.ndarray:
    """Cumulative hazard of progression elsewhere of each patient."""
    found = run_virtual_patient(whole, who, record, END_DAY, np.array([END_DAY]))
    return found.states[whole.model.index("states", "elsewhere")]


def weekly() -> tuple[VirtualPatient, DosingRecord]:
    """A cytotoxic drug every week, as planned."""
    whole = virtual_patient(load_combination("paclitaxel/qw").treatments)
    (drug,) = whole.drugs
    plans = (DrugPlan(drug.treatment.drug.id, drug.treatment.regimen),)
    return whole, planned_record(whole, people().cohort, Protocol(plans, "metastatic", END_DAY))


def in_peaks_over_steady(kill: float, memory_day: float) -> float:
    """New lesions under three doses at once every third week over those of one each week."""
    whole, steady = weekly()
    second = np.round(steady.day / 7.0).astype(int) % 3 == 1  # as early as one each week
    peaks = replace(steady.take(second), dose_mg=3.0 * steady.dose_mg[second])
    numbers = {
        "paclitaxel__chemo_kill": kill, "paclitaxel__chemo_kill.spread": 0.3,
        "paclitaxel__waning": 1e-6, "paclitaxel__schedule_qw": 1.0, "tumour__growth": 0.0035,
        "tumour__growth.spread": 1.0, "tumour__kill_with_growth": 0.6,
        "tumour__new_lesions.spread": 1.6,
    }  # fmt: skip
    who = people(**numbers)
    parameters = {**who.tumours.parameters, "growth_memory": np.full(N, memory_day)}
    who = replace(who, tumours=replace(who.tumours, parameters=parameters))
    found = [new_lesions(whole, who, record).mean() for record in (steady, peaks)]
    return float(found[1] / found[0])


@pytest.mark.parametrize("kill", [0.002, 0.003, 0.004, 0.006])
def test_a_kill_in_peaks_gives_the_same_new_lesions_as_a_steady_one(kill: float) -> None:
    """Threefold for one week of three: the weeks between must not count as growth.

    Kills about as large as growth: of a tumour that melts away at once, the first weeks decide.
    """
    assert in_peaks_over_steady(kill, 21.0) == pytest.approx(1.0, abs=0.05)


def test_the_growth_of_a_moment_would_not() -> None:
    """Why growth is averaged: at no hazard the clip makes of a swing of growth new lesions."""
    assert in_peaks_over_steady(0.004, 1.0) > 1.15


def test_they_follow_the_volume_and_the_mean_growth() -> None:
    """The hazard, integrated from the volume and the growth of the same run."""
    whole, record = weekly()
    who, step = people(), 0.0625
    grid = np.arange(0.0, END_DAY + step, step)
    found = run_virtual_patient(whole, who, record, END_DAY, grid)
    numbers = who.tumours.parameters
    mean, left = numbers["growth"].copy(), np.exp(-step / numbers["growth_memory"])
    hazard = np.empty((N, grid.size))
    gain = found.output("gain")
    for k in range(grid.size):
        hazard[:, k] = np.maximum(1.0 + mean / numbers["growth_scale"], 0.0)
        after = gain[:, min(k + 1, grid.size - 1)]  # the first reading is before the first dose
        mean = after + (mean - after) * left
    hazard *= found.output("volume") * numbers["new_lesions"][:, None]
    expected = step * (hazard[:, :-1] + hazard[:, 1:]).sum(axis=1) / 2
    # Steps of 90 minutes of what changes in weeks, with jumps where a drug begins.
    assert new_lesions(whole, who, record) == pytest.approx(expected, rel=0.02, abs=2e-3)


def test_they_are_in_proportion_to_their_rate() -> None:
    whole, record = weekly()
    one, two = (
        new_lesions(whole, people(tumour__new_lesions=rate), record) for rate in (0.002, 0.004)
    )
    # The tolerance of the solver; patients with hardly any progression have a larger share of it.
    assert two == pytest.approx(2.0 * one, rel=1e-3, abs=1e-3)
