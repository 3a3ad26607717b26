"""Exposure at given body weights: what a dose per kg, or a fixed one, does at the extremes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from her2sim.arrays import Progress
from her2sim.errors import DataError, Faults
from her2sim.notice import NOTICE
from her2sim.patients.cohort import Cohort, with_weight
from her2sim.patients.covariates import COVARIATES
from her2sim.patients.population import Population
from her2sim.pk.exposure_run import CHUNK, cohort_chunks, simulate, steady_state_cycle
from her2sim.pk.treatment import Treatment
from her2sim.studies.exposure import notes
from her2sim.studies.metrics import (
    EXPOSURE_METRICS,
    Statistics,
    cycle_metrics,
    metric_unit,
    statistics,
)

if TYPE_CHECKING:
    import polars as pl

LIMITS = COVARIATES["weight_kg"]


@dataclass(frozen=True)
class WeightRow:
    """Exposure of all patients, had they this weight; ``share`` of them has the target trough."""

    weight_kg: float
    dose_mg: float
    exposure: dict[str, Statistics]
    share: float | None


@dataclass(frozen=True)
class WeightReport:
    """Exposure at steady state against body weight."""

    treatment: Treatment
    population: str
    patients: int
    seed: int
    cycle: int
    target: float | None
    rows: tuple[WeightRow, ...]
    notes: tuple[str, ...]

    def frame(self) -> pl.DataFrame:
        """One row a weight and metric."""
        import polars as pl

        rows = [
            {
                "weight_kg": row.weight_kg,
                "maintenance_dose_mg": row.dose_mg,
                "metric": metric,
                "unit": metric_unit(self.treatment, metric),
                **vars(found),
                "share_at_or_above_target": row.share if metric == "cmin" else None,
            }
            for row in self.rows
            for metric, found in row.exposure.items()
        ]
        types = {"share_at_or_above_target": pl.Float64}
        return pl.DataFrame(rows, schema_overrides=types)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        return {
            **self.treatment.as_dict(),
            "population": self.population,
            "patients": self.patients,
            "seed": self.seed,
            "cycle": self.cycle,
            "target": self.target,
            "units": {m: metric_unit(self.treatment, m) for m in EXPOSURE_METRICS},
            "notice": NOTICE,
            "notes": list(self.notes),
            "weights": [
                {
                    "weight_kg": row.weight_kg,
                    "maintenance_dose_mg": row.dose_mg,
                    "share_at_or_above_target": row.share,
                    "exposure": {name: vars(s) for name, s in row.exposure.items()},
                }
                for row in self.rows
            ],
        }


def exposure_by_weight(
    treatment: Treatment,
    population: Population | Cohort,
    patients: int,
    seed: int,
    weights_kg: Sequence[float],
    target: float | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
) -> WeightReport:
    """Give every patient each of some weights in turn; all else about them stays.

    Body surface and lean body weight follow from the weight.

    Raises
    ------
    DataError
        If a weight is outside 20 to 300 kg, or fewer than two are given.
    """
    if len(set(weights_kg)) < 2:
        raise DataError("weights: give at least two different weights, as in 45,70,120")
    faults = Faults("weights")
    for weight in weights_kg:
        if not LIMITS.low <= weight <= LIMITS.high:
            faults.add(f"weight {weight:g} kg: use {LIMITS.low:g} to {LIMITS.high:g} kg")
    faults.raise_if_any(DataError)
    cycle = steady_state_cycle(treatment)
    rows = []
    for weight in sorted(set(weights_kg)):
        rows.append(_row(treatment, population, patients, seed, weight, cycle, target, threads))
        if progress is not None:
            progress(len(rows) * patients, len(set(weights_kg)) * patients)
    return WeightReport(
        treatment,
        population.name,
        patients,
        seed,
        cycle,
        target,
        tuple(rows),
        tuple(notes(treatment, population)),
    )


def _row(
    treatment: Treatment,
    population: Population | Cohort,
    patients: int,
    seed: int,
    weight_kg: float,
    cycle: int,
    target: float | None,
    threads: int | None,
) -> WeightRow:
    found, doses = [], []
    for cohort in cohort_chunks(population, patients, seed, CHUNK):
        same = with_weight(cohort, weight_kg)
        course = simulate(treatment, same, cycle, threads=threads)
        found.append(cycle_metrics(course)[0, :, cycle - 1])
        doses.append(treatment.maintenance_mg(same))
    values = np.concatenate(found, axis=1)
    exposure = {m: statistics(column) for m, column in zip(EXPOSURE_METRICS, values, strict=True)}
    trough = values[EXPOSURE_METRICS.index("cmin")]
    share = None if target is None else float(np.mean(trough >= target))
    return WeightRow(weight_kg, float(np.concatenate(doses).mean()), exposure, share)
