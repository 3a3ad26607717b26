"""Concentrations of a population over time: median, 5th and 95th percentile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array
from her2sim.patients.cohort import Cohort
from her2sim.patients.population import Population
from her2sim.pk.exposure_run import cohort_chunks, simulate
from her2sim.pk.treatment import Treatment

BAND_PATIENTS = 2_000


POINTS_PER_CYCLE = 168


@dataclass(frozen=True)
class Bands:
    """Median, 5th and 95th percentile of a concentration over time, shape (n_times,) each."""

    title: str
    time_day: Array
    median: Array
    p5: Array
    p95: Array
    unit: str
    n_patients: int


def concentration_bands(
    treatment: Treatment, population: Population | Cohort, patients: int, seed: int, n_cycles: int
) -> Bands:
    """Concentration bands of (at most 2,000 of) the patients over the first cycles."""
    n = min(patients, BAND_PATIENTS)
    cycle_day = treatment.regimen.cycle_day
    regular = np.linspace(0, n_cycles * cycle_day, n_cycles * POINTS_PER_CYCLE + 1)
    ends = [dose.end_day for dose in treatment.regimen.doses(n_cycles) if dose.duration_min]
    times = np.unique(np.concatenate([regular, ends]))
    (cohort,) = cohort_chunks(population, n, seed, chunk=n)
    values = simulate(treatment, cohort, n_cycles, grid_day=times).grid
    p5, median, p95 = np.quantile(values, [0.05, 0.5, 0.95], axis=0)
    title = f"{treatment.drug.id} {treatment.regimen.name}, {cohort.name}"
    return Bands(title, times, median, p5, p95, treatment.pk.concentration_unit, n)
