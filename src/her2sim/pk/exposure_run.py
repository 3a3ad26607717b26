"""Exposure: patients x regimen -> concentrations, trough, peak and AUC of each cycle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from her2sim import __version__
from her2sim.arrays import Array
from her2sim.drugs.pk import reference_covariates, typical_parameters
from her2sim.drugs.variability import apply_random_effects, draw_random_effects
from her2sim.engine.advance import advance
from her2sim.engine.schedule import Schedule
from her2sim.engine.trajectories import METRICS, Request, Tolerance, Trajectories
from her2sim.errors import DataError, SolverError
from her2sim.models.structures import slowest_rate_per_day
from her2sim.notice import NOTICE
from her2sim.patients.cohort import Cohort, draw_cohort
from her2sim.patients.population import Population
from her2sim.pk.treatment import Treatment
from her2sim.random import check_seed
from her2sim.units import conversion_factor

CHUNK = 10_000
STEADY_STATE_CHANGE = 0.005
LONGEST_SEARCH_CYCLES = 60


@dataclass(frozen=True, eq=False)
class ExposureResult:
    """What happened to the patients of a cohort.

    ``cycles`` has shape (n, n_cycles, n_analytes, 4): trough, peak and AUC (in the units of the
    interfaces) and days above the level, in cycles that end on ``ends_day``; ``grid`` has shape
    (n, n_grid): concentrations of the first analyte.
    """

    treatment: Treatment
    cohort: Cohort
    ends_day: Array
    cycles: Array
    grid: Array
    grid_day: Array
    manifest: Mapping[str, Any]

    def metric(self, name: str, analyte: int = 0) -> Array:
        """``cmin``, ``cmax``, ``auc`` or ``time_above`` of an analyte, shape (n, n_cycles)."""
        return self.cycles[:, :, analyte, METRICS.index(name)]


def simulate(
    treatment: Treatment,
    cohort: Cohort,
    cycles: int | Sequence[float],
    *,
    grid_day: Array | None = None,
    level: float | None = None,
    is_typical: bool = False,
    tolerance: Tolerance | None = None,
    threads: int | None = None,
) -> ExposureResult:
    """Treat every patient of a cohort for a number of cycles.

    Parameters
    ----------
    treatment : drug model and regimen
    cohort : patients
    cycles : number of cycles of the regimen, each closed just before the dose that follows; or
        the days on which cycles end
    grid_day : times at which concentrations are wanted; after the last cycle nothing is given
    level : concentration for the time above it, in the unit of the drug
    is_typical : leave the random effects out
    """
    covariates, n = cohort.covariate, cohort.n_patients
    parameters = treatment.typical(covariates, n)
    if not is_typical:
        effects = draw_random_effects(treatment.pk, cohort.numbers, cohort.seed, cohort.replicate)
        parameters = apply_random_effects(parameters, effects)
    reading = _Reading(cycles, grid_day, level)
    return _run(treatment, cohort, covariates, parameters, reading, tolerance, threads)


def simulate_reference_patient(
    treatment: Treatment,
    n_cycles: int,
    changes: Mapping[str, float | str] | None = None,
    grid_day: Array | None = None,
) -> ExposureResult:
    """Treat the reference patient of the model (with changes), without random effects."""
    covariates = reference_covariates(treatment.pk, changes)
    parameters = treatment.typical(covariates, 1)
    cohort = Cohort("reference patient", np.array([1]), {}, seed=0)
    reading = _Reading(n_cycles, grid_day)
    return _run(treatment, cohort, covariates, parameters, reading, None, 1)


@dataclass(frozen=True)
class _Reading:
    """What is read of a run."""

    cycles: int | Sequence[float]
    grid_day: Array | None = None
    level: float | None = None


def _run(
    treatment: Treatment,
    cohort: Cohort,
    covariates: Any,
    parameters: dict[str, Array],
    reading: _Reading,
    tolerance: Tolerance | None,
    threads: int | None,
) -> ExposureResult:
    n, ends_day, grid = cohort.n_patients, treatment.ends_day(reading.cycles), reading.grid_day
    until_day = float(grid[-1]) if grid is not None and np.size(grid) else 0.0
    return exposure_of_schedule(
        treatment,
        cohort,
        parameters,
        treatment.schedule(ends_day, n, until_day),
        treatment.scale(covariates, parameters, n),
        ends_day,
        grid,
        threads,
        level=reading.level,
        tolerance=tolerance,
    )


def exposure_of_schedule(
    treatment: Treatment,
    cohort: Cohort,
    parameters: Mapping[str, Array],
    schedule: Schedule,
    scale: Array,
    ends_day: Array,
    grid_day: Array | None = None,
    threads: int | None = None,
    *,
    level: float | None = None,
    tolerance: Tolerance | None = None,
) -> ExposureResult:
    """Run a model on rows that were made for it, and read it in the units of the interfaces."""
    model = treatment.pk.structural.model
    grid = np.asarray(np.empty(0) if grid_day is None else grid_day, dtype=np.float64)
    to_shown = treatment.pk.concentration_factor()
    request = Request(
        parameters=np.array([parameters[name] for name in model.parameters]),
        schedule=schedule,
        scale=scale,
        grid_day=grid,
        level=None if level is None else level / to_shown,
    )
    found: Trajectories = advance(model, request, tolerance, threads)
    _require_finished(found, treatment, cohort, schedule)
    cycles, pk = found.cycles, treatment.pk
    for k, (unit, area) in enumerate(zip(pk.concentration_units(), pk.auc_units(), strict=True)):
        cycles[:, :, k, :2] *= conversion_factor("mg/L", unit)
        cycles[:, :, k, 2] *= conversion_factor("mg*day/L", area)
    conc = model.index("outputs", "conc")
    return ExposureResult(
        treatment,
        cohort,
        ends_day,
        cycles,
        found.grid[:, :, conc] * to_shown,
        grid,
        run_manifest(treatment, cohort, tolerance or Tolerance()),
    )


def _require_finished(
    found: Trajectories, treatment: Treatment, cohort: Cohort, schedule: Schedule
) -> None:
    failed = found.failures()
    if failed.size:
        model = treatment.pk.structural.model
        text = found.describe_failure(model, schedule, int(failed[0]))
        raise SolverError(
            f"{failed.size} of {cohort.n_patients} patients failed; "
            f"patient {cohort.numbers[failed[0]]} {text}"
        )


def run_manifest(
    treatment: Treatment, cohort: Cohort, tolerance: Tolerance | None = None
) -> dict[str, Any]:
    """What decides the numbers of a run, and the sources behind them."""
    return {
        "her2sim": __version__,
        "model": treatment.pk.name,
        "model_status": treatment.pk.status,
        "regimen": treatment.regimen.name,
        "interactions": [f"{row.kind} {row.name}" for row in treatment.interactions],
        "units": _column_units(treatment),
        "population": cohort.name,
        "seed": cohort.seed,
        "replicate": cohort.replicate,
        "relative_tolerance": (tolerance or Tolerance()).relative,
        "sources": sorted(s.text() for s in treatment.pk.sources.values()),
        "notice": NOTICE,
    }


def _column_units(treatment: Treatment) -> dict[str, str]:
    """Unit of each column of a stored exposure (trough, peak, AUC, mean), by its name."""
    pk = treatment.pk
    parts = ["", *(f"{analyte.name}_" for analyte in pk.structural.analytes[1:])]
    units = zip(parts, pk.concentration_units(), pk.auc_units(), strict=True)
    return {
        f"{part}{metric}": area if metric == "auc" else unit
        for part, unit, area in units
        for metric in ("cmin", "cmax", "auc", "cavg")
    }


def steady_state_cycle(treatment: Treatment) -> int:
    """First cycle whose AUC in the reference patient changes by less than 0.5 %.

    Raises
    ------
    DataError
        If there is none within 60 cycles.
    """
    course = simulate_reference_patient(treatment, LONGEST_SEARCH_CYCLES)
    auc = course.metric("auc")[0]
    change = np.abs(auc[1:] / auc[:-1] - 1)
    if not (change < STEADY_STATE_CHANGE).any():
        raise DataError(f"{treatment.pk.name} reaches no steady state in 60 cycles")
    return int(np.argmax(change < STEADY_STATE_CHANGE)) + 2


def reference_half_life_day(treatment: Treatment) -> float:
    """Terminal half-life in the reference patient, saturable elimination left out."""
    structure = treatment.pk.structural
    typical = typical_parameters(treatment.pk, reference_covariates(treatment.pk), 1)
    parameters = np.array([typical[name][0] for name in structure.model.parameters])
    return float(np.log(2) / slowest_rate_per_day(structure, parameters))


def cohort_chunks(
    population: Population | Cohort, n_patients: int, seed: int, chunk: int = CHUNK
) -> Iterator[Cohort]:
    """Cohorts of at most ``chunk`` patients, numbered on from 1; a given cohort is cut up."""
    for make in cohort_makers(population, n_patients, seed, chunk):
        yield make()


def cohort_makers(
    population: Population | Cohort, n_patients: int, seed: int, chunk: int = CHUNK
) -> list[Callable[[], Cohort]]:
    """The same cohorts, each made when it is asked for."""
    check_seed(seed)

    def made(first: int) -> Cohort:
        last = min(first + chunk, n_patients)
        if isinstance(population, Cohort):
            return population.part(first, last)
        return draw_cohort(population, np.arange(first + 1, last + 1), seed)

    return [partial(made, first) for first in range(0, n_patients, chunk)]


def replay(
    treatment: Treatment,
    population: Population,
    seed: int,
    patient: int,
    n_cycles: int,
    grid_day: Array | None = None,
) -> ExposureResult:
    """Run one patient of any cohort again; the numbers are equal to the bit."""
    if patient < 1:
        raise DataError(f"patient {patient}: patients are numbered from 1")
    cohort = draw_cohort(population, np.array([patient]), seed)
    return simulate(treatment, cohort, n_cycles, grid_day=grid_day)
