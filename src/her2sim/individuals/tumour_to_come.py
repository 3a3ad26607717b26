"""The tumour to come under the levels of one patient.

Nothing that was measured here tells of the tumour: it is that of patients like this one, over the
members of the ensemble. Only the levels that reach it are this patient's.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from her2sim.arrays import Array
from her2sim.biology.ensemble import Members, ensemble
from her2sim.errors import DataError
from her2sim.individuals.fit import Fit
from her2sim.patients.cohort import Cohort
from her2sim.patients.patient import Patient
from her2sim.regimens.dose_rows import Doses
from her2sim.regimens.dosing_record import DosingRecord, Why
from her2sim.timeline.modelled import can_be_modelled, virtual_cohort_of
from her2sim.virtual_patient.composition import VirtualPatient, virtual_patient
from her2sim.virtual_patient.run import run_virtual_patient

DRAWS = 240
"""Tumours that are drawn; ten of each member."""


def diameters_to_come(
    fit: Fit, patient: Patient, draws: Array | None, doses: Doses, grid_day: Array, seed: int
) -> Array:
    """Sums of diameters in per cent of that at the start, shape (DRAWS, n_grid).

    Parameters
    ----------
    fit : of the levels
    patient : whose tumour it is like
    draws : random effects of the levels, shape (n_effects, n_draws); those of the population
        without
    doses : past and to come, of one patient, in mg
    grid_day : when diameters are wanted, from day 0 on
    seed : of the tumours

    Raises
    ------
    DataError
        If the tumour of such a patient, or what the drug does to it, is not modelled.
    """
    treatment = fit.model.treatment
    require_tumour(fit, patient)
    cohort = _many(patient, seed)
    members = Members(1 + np.arange(DRAWS) % len(ensemble().draws))
    people = virtual_cohort_of(patient, cohort, patient.drugs_before, members)
    whole = virtual_patient([treatment])
    parameters = whole.parameters(people)
    if draws is not None:
        _set_levels(whole, fit, parameters, draws[:, np.arange(DRAWS) % draws.shape[1]])
    n_doses = doses.day.size
    zeros = np.zeros(DRAWS * n_doses, dtype=np.int64)
    record = DosingRecord(
        np.repeat(np.arange(DRAWS), n_doses), zeros, np.tile(doses.day, DRAWS),
        np.tile(doses.amount, DRAWS), np.tile(doses.duration_min, DRAWS), zeros,
        zeros + Why.MAINTENANCE, np.tile(doses.route, DRAWS), np.tile(doses.number, DRAWS),
        np.tile(doses.every_day, DRAWS),
    )  # fmt: skip
    course = run_virtual_patient(
        whole, people, record, float(grid_day[-1]), grid_day, parameters=parameters
    )
    diameters = course.output("diameters_mm")
    return np.asarray(100 * diameters / diameters[:, :1])


def require_tumour(fit: Fit, patient: Patient) -> None:
    """Refuse a tumour that is not modelled under this drug.

    Raises
    ------
    DataError
        With the reason.
    """
    treatment = fit.model.treatment
    if not can_be_modelled([treatment]):
        raise DataError(f"how {treatment.drug.id} acts on a tumour is not modelled")
    drug = virtual_patient([treatment], sites=()).drugs[0]
    if not drug.has_concentration:
        raise DataError(
            f"{treatment.drug.id}: its effect on a tumour follows the doses, not the levels, so "
            "levels tell nothing of it"
        )
    one = virtual_cohort_of(patient, patient.cohort(1), patient.drugs_before)
    if not one.tumours.has_lesion_model.all():
        raise DataError(f"tumours of {patient.setting} {patient.tumour} cancer have no model here")


def _many(patient: Patient, seed: int) -> Cohort:
    """Patients with the characteristics of one."""
    one = patient.cohort(seed)
    columns = {name: np.repeat(values, DRAWS) for name, values in one.covariates.items()}
    return replace(one, numbers=np.arange(1, DRAWS + 1), covariates=columns)


def _set_levels(whole: VirtualPatient, fit: Fit, parameters: Array, draws: Array) -> None:
    """Put parameters of the levels in place of those that were drawn."""
    levels, known, drug = fit.model.of_levels, fit.known, whole.drugs[0]
    typical = levels.typical(known.cohort.covariate, known.cohort.n_patients)
    values = {name: np.full(DRAWS, column[-1]) for name, column in typical.items()}
    for effect, own in zip(levels.effects, draws, strict=False):
        for name in effect.acts_on:
            values[name] = values[name] * np.exp(own)
    for name, value in values.items():
        if (symbol := drug.symbol(name)) in whole.model.parameters:
            parameters[whole.model.index("parameters", symbol)] = value
