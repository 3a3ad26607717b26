"""Exposure of all drugs of a regimen in a population."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from her2sim.arrays import Progress
from her2sim.notice import NOTICE
from her2sim.patients.cohort import Cohort
from her2sim.patients.population import Population
from her2sim.pk.combination import CYCLE_DAY, Combination, simulate_together
from her2sim.pk.exposure_run import CHUNK, cohort_chunks, run_manifest
from her2sim.pk.treatment import Treatment
from her2sim.regimens.dose import MINUTES_PER_DAY
from her2sim.store.spool import Spool
from her2sim.studies.bands import BAND_PATIENTS, Bands
from her2sim.studies.exposure import (
    notes,
)
from her2sim.studies.exposure_chunks import ExposureChunks, column_statistics
from her2sim.studies.metrics import (
    EXPOSURE_METRICS,
    Statistics,
    analyte_names,
    metric_unit,
)

if TYPE_CHECKING:
    import polars as pl

CYCLES_DRAWN = 3
POINTS_PER_DAY = 24


@dataclass(frozen=True)
class DrugExposure:
    """A metric of a drug in a cycle of three weeks, over the patients."""

    drug: str
    analyte: str
    cycle: int
    metric: str
    unit: str
    statistics: Statistics


@dataclass(frozen=True)
class TogetherReport:
    """Predicted exposures of all drugs of a regimen."""

    combination: Combination
    population: str
    patients: int
    seed: int
    n_cycles: int
    exposures: tuple[DrugExposure, ...]
    notes: tuple[str, ...]

    def shown(self) -> Iterator[DrugExposure]:
        """Rows of the first and the last cycle in which each drug is given."""
        for treatment in self.combination.treatments:
            ends = given_cycles(treatment, self.n_cycles)
            for row in self.exposures:
                if row.drug == treatment.drug.id and row.cycle in ends:
                    yield row

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        return {
            "regimen": self.combination.name,
            "title": self.combination.title,
            "drugs": [
                {
                    "drug": t.drug.id,
                    "model": t.pk.model,
                    "model_status": t.pk.status,
                    "regimen": t.regimen.title,
                    "doses": len(doses_given(t, self.n_cycles)),
                    "interactions": [f"{row.kind} {row.name}" for row in t.interactions],
                }
                for t in self.combination.treatments
            ],
            "population": self.population,
            "patients": self.patients,
            "seed": self.seed,
            "cycles": self.n_cycles,
            "cycle_day": CYCLE_DAY,
            "notice": NOTICE,
            "notes": list(self.notes),
            "exposures": self._exposure_rows(),
        }

    def frame(self) -> pl.DataFrame:
        """Predicted exposures as a table."""
        import polars as pl

        return pl.DataFrame(self._exposure_rows())

    def _exposure_rows(self) -> list[dict[str, Any]]:
        rows = [dict(vars(row)) for row in self.exposures]
        return [row | vars(row.pop("statistics")) for row in rows]


def doses_given(treatment: Treatment, n_cycles: int) -> list[float]:
    """Days of the doses of a drug within some cycles."""
    doses = treatment.regimen.doses_before(round(n_cycles * CYCLE_DAY * MINUTES_PER_DAY))
    return [dose.time_day for dose in doses]


def given_cycles(treatment: Treatment, n_cycles: int) -> tuple[int, ...]:
    """The first and the last cycle in which a drug is given; none if it comes later."""
    cycles = {int(day // CYCLE_DAY) + 1 for day in doses_given(treatment, n_cycles)}
    return tuple(sorted({min(cycles), max(cycles)})) if cycles else ()


def exposure_together(
    combination: Combination,
    population: Population | Cohort,
    patients: int,
    seed: int,
    n_cycles: int,
    *,
    output: Path | None = None,
    restart: bool = False,
    progress: Progress | None = None,
    chunk: int = CHUNK,
    threads: int | None = None,
) -> TogetherReport:
    """Predict the exposure of every drug of a regimen, cycle by cycle of three weeks.

    Parameters
    ----------
    combination : the regimen
    population : distributions to draw from, or given patients
    patients, seed : how many, and their random numbers
    n_cycles : cycles of three weeks
    output : Parquet file, one row a patient, drug and cycle (an equal run is resumed)
    restart : replace what another run left there
    progress : called with patients done and in all
    chunk : patients in memory at a time; the results do not depend on it
    """
    treatments = combination.treatments
    chunks = ExposureChunks(
        treatments, n_cycles,
        lambda cohort, own: simulate_together(combination, cohort, n_cycles, threads=own), True,
    )  # fmt: skip
    first = next(cohort_chunks(population, 1, seed))
    what = {
        "drugs": [run_manifest(t, first) for t in treatments],
        "regimen": combination.name,
        "doses_day": {t.drug.id: doses_given(t, n_cycles) for t in treatments},
        "notice": NOTICE,
    }
    store = chunks.store(output, population, patients, chunk, what, restart)
    spool = Spool(chunks.n_columns)
    try:
        chunks.fill(spool, population, patients, seed, chunk, store, progress, threads)
        rows = tuple(_rows(combination, n_cycles, column_statistics(spool, threads)))
    finally:
        spool.close()
        if store is not None:
            store.close()
    remarks = [*combination.notes]
    for treatment in combination.treatments:
        plain = Treatment(treatment.drug, treatment.pk, treatment.regimen)
        remarks += notes(plain, population)
    return TogetherReport(
        combination, population.name, patients, seed, n_cycles, rows, tuple(remarks)
    )


def _rows(
    combination: Combination, n_cycles: int, columns: Sequence[Statistics]
) -> Iterator[DrugExposure]:
    left = iter(columns)
    for treatment in combination.treatments:
        for analyte in analyte_names(treatment):
            for metric in EXPOSURE_METRICS:
                unit = metric_unit(treatment, metric, analyte)
                for cycle in range(1, n_cycles + 1):
                    drug = treatment.drug.id
                    yield DrugExposure(drug, analyte, cycle, metric, unit, next(left))


def bands_together(
    combination: Combination,
    population: Population | Cohort,
    patients: int,
    seed: int,
    n_cycles: int,
) -> list[Bands]:
    """Concentration bands of each drug over the first three cycles in which it is given."""
    n = min(patients, BAND_PATIENTS)
    (cohort,) = cohort_chunks(population, n, seed, chunk=n)
    found = []
    for treatment in combination.treatments:
        first = (given_cycles(treatment, n_cycles) or (1,))[0]
        last = min(n_cycles, first + CYCLES_DRAWN - 1)
        start, end = (first - 1) * CYCLE_DAY, last * CYCLE_DAY
        times = np.linspace(start, end, round(end - start) * POINTS_PER_DAY + 1)
        alone = Combination(combination.name, combination.title, (treatment,), ())
        (course,) = simulate_together(alone, cohort, last, grid_day=times)
        p5, median, p95 = np.quantile(course.grid, [0.05, 0.5, 0.95], axis=0)
        title = f"{treatment.drug.id}, {treatment.regimen.title}"
        found.append(Bands(title, times, median, p5, p95, treatment.pk.concentration_unit, n))
    return found
