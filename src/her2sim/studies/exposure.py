"""Exposure of a drug in a population, beside what was published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from her2sim.arrays import Progress
from her2sim.drugs.exposures import PublishedExposure, published_exposures
from her2sim.drugs.interactions import interaction_notes
from her2sim.notice import NOTICE
from her2sim.patients.cohort import Cohort
from her2sim.patients.population import Population
from her2sim.pk.exposure_run import CHUNK, cohort_chunks, run_manifest, simulate, steady_state_cycle
from her2sim.pk.treatment import Treatment
from her2sim.store.spool import Spool
from her2sim.studies.exposure_chunks import ExposureChunks, column_statistics
from her2sim.studies.metrics import (
    EXPOSURE_METRICS,
    Statistics,
    analyte_names,
    metric_unit,
)
from her2sim.units import convert

if TYPE_CHECKING:
    import polars as pl

STEADY_STATE = "steady state"
LIKE_OTHERS = ("biliary", "lung")
"""Tumour types whom a model of other tumours covers."""


Found = dict[tuple[str, str, str], Statistics]
"""Statistics by analyte, cycle and metric."""


@dataclass(frozen=True)
class ExposureRow:
    """A metric of a cycle over the patients."""

    analyte: str
    cycle: str
    metric: str
    unit: str
    statistics: Statistics


@dataclass(frozen=True)
class PublishedComparison:
    """A published number beside the predicted one; ``ratio`` is predicted / published."""

    analyte: str
    cycle: str
    metric: str
    unit: str
    statistic: str
    value: float
    low: float | None
    high: float | None
    source: str
    predicted: float
    ratio: float


@dataclass(frozen=True)
class ExposureReport:
    """Predicted exposures of a drug in a population, and the published ones beside them."""

    treatment: Treatment
    population: str
    patients: int
    seed: int
    steady_state_cycle: int
    n_cycles: int
    exposures: tuple[ExposureRow, ...]
    published: tuple[PublishedComparison, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        return {
            **self.treatment.as_dict(),
            "interactions": [f"{r.kind} {r.name}" for r in self.treatment.interactions],
            "population": self.population,
            "patients": self.patients,
            "seed": self.seed,
            "steady_state_cycle": self.steady_state_cycle,
            "notice": NOTICE,
            "notes": list(self.notes),
            "exposures": [
                {"analyte": r.analyte, "cycle": r.cycle, "metric": r.metric, "unit": r.unit}
                | vars(r.statistics)
                for r in self.exposures
            ],
            "published": [vars(c) for c in self.published],
        }

    def frame(self) -> pl.DataFrame:
        """Predicted exposures as a table."""
        import polars as pl

        return pl.DataFrame(self.as_dict()["exposures"])


def exposure(
    treatment: Treatment,
    population: Population | Cohort,
    patients: int,
    seed: int,
    *,
    output: Path | None = None,
    restart: bool = False,
    progress: Progress | None = None,
    chunk: int = CHUNK,
    threads: int | None = None,
) -> ExposureReport:
    """Predict the exposure of a drug in a population, cycle by cycle.

    It runs up to steady state, or on to the last cycle that was published.

    Parameters
    ----------
    treatment : drug model and regimen
    population : distributions to draw from, or given patients
    patients, seed : how many, and their random numbers
    output : Parquet file for one row a patient and cycle (resumed if an equal run was broken off)
    restart : replace what another run left there
    progress : called with patients done and in all
    chunk : patients in memory at a time; the results do not depend on it

    Returns
    -------
    ExposureReport
    """
    steady = steady_state_cycle(treatment)
    n_cycles = max(steady, last_published_cycle(treatment, population.name))
    chunks = ExposureChunks(
        (treatment,),
        n_cycles,
        lambda cohort, own: [simulate(treatment, cohort, n_cycles, threads=own)],
        False,
    )
    what = run_manifest(treatment, next(cohort_chunks(population, 1, seed)))
    store = chunks.store(output, population, patients, chunk, what, restart)
    spool = Spool(chunks.n_columns)
    try:
        chunks.fill(spool, population, patients, seed, chunk, store, progress, threads)
        columns = column_statistics(spool, threads)
        return _summary(treatment, population, patients, seed, steady, columns)
    finally:
        spool.close()
        if store is not None:
            store.close()


def published_here(treatment: Treatment, population: str) -> Iterator[PublishedExposure]:
    """Published rows of this regimen in this population that can be compared."""
    for row in published_exposures(treatment.drug.id).exposure:
        is_here = row.regimen == treatment.regimen.name and row.population == population
        is_level = not row.not_comparable and not row.is_relative
        if is_here and is_level and not treatment.interactions:
            yield row


def last_published_cycle(treatment: Treatment, population: str) -> int:
    """Number of the last cycle with a published row (0 if there is none)."""
    cycles = [row.cycle for row in published_here(treatment, population)]
    return max((int(cycle) for cycle in cycles if cycle != STEADY_STATE), default=0)


def _summary(
    treatment: Treatment,
    population: Population | Cohort,
    patients: int,
    seed: int,
    steady: int,
    columns: Sequence[Statistics],
) -> ExposureReport:
    pairs = [(a, m) for a in analyte_names(treatment) for m in EXPOSURE_METRICS]
    n_cycles = len(columns) // len(pairs)
    rows, found = [], Found()
    for cycle in range(n_cycles):
        for number, (analyte, metric) in enumerate(pairs):
            summary = columns[number * n_cycles + cycle]
            found[analyte, str(cycle + 1), metric] = summary
            rows.append(_row(treatment, analyte, str(cycle + 1), metric, summary))
    for analyte, metric in pairs:
        summary = found[analyte, STEADY_STATE, metric] = found[analyte, str(steady), metric]
        rows.append(_row(treatment, analyte, STEADY_STATE, metric, summary))
    return ExposureReport(
        treatment,
        population.name,
        patients,
        seed,
        steady,
        n_cycles,
        tuple(rows),
        tuple(_comparisons(treatment, population.name, found)),
        tuple(notes(treatment, population)),
    )


def _row(
    treatment: Treatment, analyte: str, cycle: str, metric: str, summary: Statistics
) -> ExposureRow:
    return ExposureRow(analyte, cycle, metric, metric_unit(treatment, metric, analyte), summary)


def _comparisons(
    treatment: Treatment, population: str, found: Found
) -> Iterator[PublishedComparison]:
    file = published_exposures(treatment.drug.id)
    for row in published_here(treatment, population):
        analyte = row.analyte or treatment.drug.analyte
        if (analyte, row.cycle, row.metric) not in found:
            continue
        summary = found[analyte, row.cycle, row.metric]
        source = file.source_text(row.source or "")
        unit = metric_unit(treatment, row.metric, analyte)
        for statistic, value, predicted in compared_values(row, summary, unit):
            is_centre = statistic == row.statistic
            yield PublishedComparison(
                analyte,
                row.cycle,
                row.metric,
                unit,
                statistic,
                value,
                None if row.low is None or not is_centre else convert(row.low, row.unit, unit),
                None if row.high is None or not is_centre else convert(row.high, row.unit, unit),
                source,
                predicted,
                predicted / value,
            )


def compared_values(
    row: PublishedExposure, summary: Statistics, unit: str
) -> Iterator[tuple[str, float, float]]:
    """Statistic, published (in our unit) and predicted value: the centre, then percentiles."""
    centre = {
        "median": summary.median,
        "geometric_mean": summary.geometric_mean,
        "arithmetic_mean": summary.mean,
    }[row.statistic]
    yield row.statistic, convert(row.value, row.unit, unit), centre
    if row.low is not None:
        yield "p5", convert(row.low, row.unit, unit), summary.p5
    if row.high is not None:
        yield "p95", convert(row.high, row.unit, unit), summary.p95


def notes(treatment: Treatment, population: Population | Cohort) -> Iterator[str]:
    """What a reader must know of the model in this population."""
    pk = treatment.pk
    yield from interaction_notes(treatment.drug.id, treatment.interactions)
    if pk.status != "published":
        yield f"{pk.name} is a {pk.status}, not a published model."
    else:
        added = [n for n, q in pk.parameter.items() if q.status != "published" and n != "f"]
        if added:
            yield f"{pk.name}: assumed or calibrated, not of the paper: {', '.join(added)}."
    kinds = (
        {population.tumour_type}
        if isinstance(population, Population)
        else set(
            np.unique(population.covariate("tumour_type")).tolist()
            if "tumour_type" in population.covariates
            else []
        )
    )
    known = {*pk.tumour_types, *(LIKE_OTHERS if "other" in pk.tumour_types else ())}
    outside = sorted(kinds - known)
    if outside:
        yield (
            f"{pk.name} was not estimated in this population (tumour type {', '.join(outside)}); "
            "the prediction is an extrapolation."
        )
