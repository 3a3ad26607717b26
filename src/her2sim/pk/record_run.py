"""Concentrations of one drug of a dosing record, whatever decided it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from her2sim.arrays import Array
from her2sim.drugs.variability import apply_random_effects, draw_random_effects
from her2sim.engine.schedule import Action, Block, Schedule, schedule_from_blocks
from her2sim.patients.cohort import Cohort
from her2sim.pk.exposure_run import ExposureResult, exposure_of_schedule
from her2sim.pk.treatment import Treatment
from her2sim.regimens.dose import ROUTES
from her2sim.regimens.dose_rows import At, cycle_blocks, dose_blocks
from her2sim.regimens.dosing_record import DosingRecord


def exposure_of_record(
    treatment: Treatment,
    cohort: Cohort,
    record: DosingRecord,
    drug: int,
    ends_day: Sequence[float],
    grid_day: Array | None = None,
    threads: int | None = None,
) -> ExposureResult:
    """Levels of one drug of a record.

    Parameters
    ----------
    treatment : model of the drug (its regimen is not used; the record says what was given)
    cohort : patients of the record
    record, drug : doses, and which of its drugs
    ends_day : days on which cycles end
    grid_day : times at which concentrations are wanted

    Returns
    -------
    ExposureResult
    """
    covariates, n = cohort.covariate, cohort.n_patients
    effects = draw_random_effects(treatment.pk, cohort.numbers, cohort.seed, cohort.replicate)
    parameters = apply_random_effects(treatment.typical(covariates, n), effects)
    doses = record.of(drug).dose_by_dose()
    schedule = record_schedule(treatment, doses, n, np.asarray(ends_day))
    scale = np.ones((len(treatment.pk.structural.model.states), n))
    for route in _routes(doses):
        if route != "iv" and "f" in parameters:
            scale[treatment.target(route)] = parameters["f"]
    return exposure_of_schedule(
        treatment, cohort, parameters, schedule, scale, np.asarray(ends_day), grid_day, threads
    )


def _routes(doses: DosingRecord) -> list[str]:
    """Routes of some doses."""
    return [ROUTES[k] for k in np.unique(doses.route)]


def record_schedule(
    treatment: Treatment, doses: DosingRecord, n_patients: int, ends_day: Array
) -> Schedule:
    """Schedule rows of all patients: amounts in mg, sorted by patient and time."""
    pk, model = treatment.pk, treatment.pk.structural.model
    given, n_ends = doses.doses(), ends_day.size
    everyone = np.arange(n_patients)
    blocks: list[Block] = [
        *dose_blocks(given, treatment.target, pk.lag_day()),
        *cycle_blocks(
            pk, lambda name: model.index("parameters", name), given,
            treatment.regimen.doses_per_cycle,
        ),
        (
            np.repeat(everyone, n_ends), np.tile(ends_day, n_patients), At.READING, Action.CYCLE,
            np.tile(np.arange(n_ends), n_patients), 0.0,
        ),
    ]  # fmt: skip
    return schedule_from_blocks(blocks, n_patients, n_cycles=n_ends)
