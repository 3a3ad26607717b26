"""Exposure: patients x regimen -> concentrations, trough, peak and AUC of each cycle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from her2sim import __version__
from her2sim.arrays import Array
from her2sim.drugs.drug import Drug, load_drug, load_pk
from her2sim.drugs.interactions import (
    Interaction,
    Kind,
    apply_interactions,
    chosen_interactions,
)
from her2sim.drugs.pk import PkModel, reference_covariates, typical_parameters
from her2sim.drugs.variability import apply_random_effects, draw_random_effects
from her2sim.engine.advance import advance
from her2sim.engine.schedule import Action, Block, Row, Schedule, schedule_from_blocks
from her2sim.engine.trajectories import METRICS, Request, Tolerance, Trajectories
from her2sim.errors import DataError, DoseError, SolverError, did_you_mean
from her2sim.models.structures import slowest_rate_per_day
from her2sim.notice import NOTICE
from her2sim.patients.cohort import Cohort, draw_cohort
from her2sim.patients.population import Population
from her2sim.random import check_seed
from her2sim.regimens.dose import MINUTES_PER_DAY, mg_of
from her2sim.regimens.dose_rows import At, cycle_blocks, dose_blocks, planned_doses
from her2sim.regimens.regimen import Regimen, labelled_regimen
from her2sim.units import conversion_factor

CHUNK = 10_000
STEADY_STATE_CHANGE = 0.005
LONGEST_SEARCH_CYCLES = 60


@dataclass(frozen=True, eq=False)
class Treatment:
    """A drug model given by a regimen: what is done to a patient."""

    drug: Drug
    pk: PkModel
    regimen: Regimen
    interactions: tuple[Interaction, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Drug, model, its status and regimen as plain data, for JSON."""
        pk = self.pk
        named = {"drug": self.drug.id, "model": pk.model, "model_status": pk.status}
        return named | {"regimen": self.regimen.name}

    def typical(self, covariates: Any, n: int) -> dict[str, Array]:
        """Parameters of ``n`` patients without random effects, interactions included."""
        return apply_interactions(typical_parameters(self.pk, covariates, n), self.interactions)

    def target(self, route: str) -> int:
        """State that doses by a route enter."""
        dosed = self.pk.structural.dosed
        if route not in dosed:
            raise DoseError(f"{self.pk.name} has no route {route!r}" + did_you_mean(route, dosed))
        return self.pk.structural.model.index("states", dosed[route])

    def ends_day(self, cycles: int | Sequence[float]) -> Array:
        """Days on which cycles end: of the regimen's own length, or as given."""
        if isinstance(cycles, int):
            return np.arange(1, cycles + 1, dtype=np.float64) * self.regimen.cycle_day
        return np.asarray(cycles, dtype=np.float64)

    def rows(self, cycles: int | Sequence[float]) -> list[Row]:
        """The schedule of one patient, to be looked at.

        ``cycles`` is a number of cycles of the regimen, or the days on which cycles end.
        """
        return self.schedule(self.ends_day(cycles), 1).rows_of(0)

    def schedule(self, ends_day: Array, n_patients: int, until_day: float = 0.0) -> Schedule:
        """Schedule of patients on the plan: at the end of a cycle its reading, then the next dose.

        Parameters
        ----------
        ends_day : days on which cycles end
        n_patients : patients, who share the rows
        until_day : where the run goes on to after the last cycle, if it does
        """
        pk, model = self.pk, self.pk.structural.model
        doses = planned_doses(self.regimen.doses_before(round(ends_day[-1] * MINUTES_PER_DAY)))
        one = np.zeros(ends_day.size, dtype=np.int64)
        cycles = np.arange(ends_day.size)
        blocks: list[Block] = [
            (one, ends_day, At.READING, Action.CYCLE, cycles, 0.0),
            *dose_blocks(doses, self.target, pk.lag_day()),
            *cycle_blocks(
                pk, lambda name: model.index("parameters", name), doses,
                self.regimen.doses_per_cycle,
            ),
        ]  # fmt: skip
        found = schedule_from_blocks(blocks, 1, n_cycles=ends_day.size)
        if until_day > found.time_day[-1]:
            blocks.append((one[:1], until_day, At.STOP, Action.STOP, 0, 0.0))
            found = schedule_from_blocks(blocks, 1, n_cycles=ends_day.size)
        return found.shared_by(n_patients)

    def scale(self, covariates: Any, parameters: Mapping[str, Array], n: int) -> Array:
        """What amounts are multiplied with: weight or surface, and bioavailability."""
        scale = np.ones((len(self.pk.structural.model.states), n))
        for route, unit in self.regimen.routes.items():
            target = self.target(route)
            scale[target] = mg_of(scale[target], unit, covariates)
            if route != "iv" and "f" in parameters:
                scale[target] *= parameters["f"]
        return scale

    def maintenance_mg(self, cohort: Cohort) -> Array:
        """Last kind of dose of each patient in mg, shape (n,)."""
        dose = self.regimen.phases[-1].maintenance
        one = np.ones(cohort.n_patients)
        return np.asarray(one * mg_of(dose.amount, dose.unit, cohort.covariate))


def load_treatment(
    drug: str, regimen: str, interactions: Sequence[tuple[Kind, str]] = ()
) -> Treatment:
    """A treatment by names: ``load_treatment("trastuzumab", "q3w")``.

    ``interactions`` are pairs of kind and name, as in ``("co-medication", "itraconazole")``.

    Raises
    ------
    DataError
        If nothing is published of an interaction, or the model cannot carry it.
    """
    found, pk = load_drug(drug), load_pk(drug)
    rows = chosen_interactions(found.id, interactions)
    for row in rows:
        row.require_carrier(pk)
    return Treatment(found, pk, labelled_regimen(found, regimen), rows)


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
        "population": cohort.name,
        "seed": cohort.seed,
        "replicate": cohort.replicate,
        "relative_tolerance": (tolerance or Tolerance()).relative,
        "sources": sorted(s.text() for s in treatment.pk.sources.values()),
        "notice": NOTICE,
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
