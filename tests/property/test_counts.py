"""Counts of blood cells never fall below zero, and their nadirs are right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from her2sim.biology.virtual_cohort import draw_virtual_cohort
from her2sim.engine.advance import advance
from her2sim.engine.trajectories import Request, Tolerance
from her2sim.patients.cohort import draw_cohort
from her2sim.patients.population import load_population
from her2sim.pk.combination import load_combination
from her2sim.protocol.plan import DrugPlan, Protocol
from her2sim.virtual_patient.composition import VirtualPatient, virtual_patient
from her2sim.virtual_patient.dosing import dose_schedule
from her2sim.virtual_patient.drugs import ORGANS
from her2sim.virtual_patient.run import TOLERANCE, planned_record

WEEKS = 12
CHUNK = 10_000


def asked(regimen: str, first: int, last: int, every_day: float) -> tuple[VirtualPatient, Request]:
    """Patients under a regimen with nothing held, and days on which counts are read."""
    treatments = load_combination(regimen).treatments
    cohort = draw_cohort(load_population("mbc"), np.arange(first, last), 3)
    people = draw_virtual_cohort(cohort)
    whole = virtual_patient(treatments, (), ORGANS)
    plans = tuple(DrugPlan(t.drug.id, t.regimen) for t in treatments)
    record = planned_record(whole, cohort, Protocol(plans, "metastatic", 7.0 * WEEKS))
    ends = np.full(cohort.n_patients, 7.0 * WEEKS)
    schedule = dose_schedule(whole, people, record, ends, np.empty(0))
    grid = np.arange(every_day, 7.0 * WEEKS, every_day)
    request = Request(
        whole.parameters(people), schedule, whole.scale(cohort), whole.start(people), grid
    )
    return whole, request


def counts(whole: VirtualPatient, request: Request, tolerance: Tolerance, line: str) -> np.ndarray:
    found = advance(whole.model, request, tolerance)
    found.require_finished(whole.model, request.schedule)
    return found.grid[:, :, whole.model.index("outputs", f"count_{line}")]


def test_no_count_of_100_000_patients_is_below_zero() -> None:
    """Docetaxel at full dose whatever the counts: 45 of 10,000 were below zero once."""
    lowest = np.inf
    for first in range(0, 100_000, CHUNK):
        whole, request = asked("thp", first, first + CHUNK, 2.0)
        lowest = min(lowest, float(counts(whole, request, TOLERANCE, "neutrophils").min()))
    assert 0 < lowest < 0.05


@pytest.mark.parametrize(
    ("regimen", "line"),
    [
        ("thp", "neutrophils"),
        ("ac-thp", "neutrophils"),
        ("trastuzumab-emtansine-alone", "platelets"),
    ],
)
def test_nadirs_are_those_of_a_tight_tolerance(regimen: str, line: str) -> None:
    """Paclitaxel by the stiff pair here, by the explicit one there."""
    whole, request = asked(regimen, 0, 2000, 0.5)
    usual = counts(whole, request, TOLERANCE, line).min(axis=1)
    explicit = replace(whole, model=replace(whole.model, is_stiff=False, coarse=()))
    tight = counts(explicit, request, Tolerance(1e-9, 1e-11), line).min(axis=1)
    assert np.quantile(np.abs(usual / tight - 1), 0.999) < 0.005
