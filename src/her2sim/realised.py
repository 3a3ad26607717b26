"""Drug levels of a realised treatment: a dose ledger, whatever decided it, put through a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from her2sim.course import Array, Course, Treatment, course_of_schedule
from her2sim.drugs.variability import apply_random_effects, draw_random_effects
from her2sim.engine.schedule import Action, Block, Schedule, schedule_from_blocks
from her2sim.patients.cohort import Cohort
from her2sim.protocol.ledger import Ledger
from her2sim.regimens.dose import MINUTES_PER_DAY, ROUTES

_CLOSE, _END, _CHANGE, _START = range(4)
"""Order of rows at one time: a reading, then what ends, then what changes, then the dose."""


def levels_of_ledger(
    treatment: Treatment,
    cohort: Cohort,
    ledger: Ledger,
    drug: int,
    ends_day: Sequence[float],
    grid_day: Array | None = None,
    threads: int | None = None,
) -> Course:
    """Levels of one drug of a ledger.

    Parameters
    ----------
    treatment : model of the drug (its regimen is not used; the ledger says what was given)
    cohort : patients of the ledger
    ledger, drug : doses, and which of its drugs
    ends_day : days on which cycles end
    grid_day : times at which concentrations are wanted

    Returns
    -------
    Course
    """
    covariates, n = cohort.covariate, cohort.n_patients
    effects = draw_random_effects(treatment.pk, cohort.numbers, cohort.seed, cohort.replicate)
    parameters = apply_random_effects(treatment.typical(covariates, n), effects)
    doses = ledger.of(drug).dose_by_dose()
    schedule = ledger_schedule(treatment, doses, n, np.asarray(ends_day))
    scale = np.ones((len(treatment.pk.structural.model.states), n))
    for route in _routes(doses):
        if route != "iv" and "f" in parameters:
            scale[treatment.target(route)] = parameters["f"]
    return course_of_schedule(
        treatment, cohort, parameters, schedule, scale, np.asarray(ends_day), grid_day, threads
    )


def _routes(doses: Ledger) -> list[str]:
    """Routes of some doses."""
    return [ROUTES[k] for k in np.unique(doses.route)]


def ledger_schedule(
    treatment: Treatment, doses: Ledger, n_patients: int, ends_day: Array
) -> Schedule:
    """Schedule rows of all patients: amounts in mg, sorted by patient and time."""
    pk, target, lag = treatment.pk, np.zeros(len(ROUTES)), np.zeros(len(ROUTES))
    for route in _routes(doses):
        target[ROUTES.index(route)] = treatment.target(route)
        lag[ROUTES.index(route)] = 0.0 if route == "iv" else pk.lag_day()
    target, lag = target[doses.route], lag[doses.route]
    days = doses.duration_min / MINUTES_PER_DAY
    start = doses.day + lag
    is_infusion = days > 0
    rate = np.divide(doses.dose_mg, days, out=np.zeros_like(days), where=is_infusion)
    value = np.where(is_infusion, rate, doses.dose_mg)
    action = np.where(is_infusion, Action.INFUSION, Action.BOLUS)
    everyone, n_ends = np.arange(n_patients), ends_day.size
    infused = doses.patient[is_infusion]
    blocks: list[Block] = [
        (doses.patient, start, _START, action, target, value),
        (infused, (start + days)[is_infusion], _END, Action.INFUSION, target[is_infusion], 0.0),
        (
            np.repeat(everyone, n_ends), np.tile(ends_day, n_patients), _CLOSE, Action.CYCLE,
            np.tile(np.arange(n_ends), n_patients), 0.0,
        ),
    ]  # fmt: skip
    for effect in pk.cycle_effect:
        number = doses.dose_numbers()
        first = pk.internal(effect.on, pk.parameter[effect.on])
        factors = np.array([effect.factor(k) for k in range(1, number.max(initial=0) + 1)])
        index = pk.structural.model.index("parameters", effect.on)
        changed = first * factors[number - 1] if number.size else np.empty(0)
        blocks.append((doses.patient, start, _CHANGE, Action.PARAMETER, index, changed))
    return schedule_from_blocks(blocks, n_patients, n_cycles=n_ends)
