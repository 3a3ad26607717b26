"""The run of an event table: subjects x records -> readings, with a drug or a bare structure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Progress, no_progress
from her2sim.drugs.drug import Drug
from her2sim.drugs.pk import PkModel, reference_covariates, typical_parameters
from her2sim.drugs.variability import apply_random_effects, draw_random_effects
from her2sim.engine.advance import advance
from her2sim.engine.trajectories import Request, Tolerance
from her2sim.errors import DataError, did_you_mean
from her2sim.models.structures import Structure, slowest_rate_per_day
from her2sim.patients.covariates import with_derived
from her2sim.pk.residual import simulated_observations
from her2sim.regimens.event_table import MS_PER_DAY, EventTable
from her2sim.regimens.unroll import Carry, DosingModel, FlatDose, Unrolled, unroll
from her2sim.units import conversion_factor

SETTLED_TIME_CONSTANTS = 30.0
"""A steady state is taken as reached when e^-30 of the start is left."""


@dataclass(frozen=True, eq=False)
class DoseChanges:
    """What happens to doses on the way, one entry a record (NaN: not given)."""

    lag_ms: Array
    bioavailability: Array
    modelled_rate: Array
    modelled_duration_ms: Array

    @staticmethod
    def none(n_records: int) -> DoseChanges:
        """No lag, full bioavailability, no modelled rate or duration."""
        nan = np.full(n_records, np.nan)
        return DoseChanges(np.zeros(n_records), np.ones(n_records), nan, nan)


@dataclass(frozen=True, eq=False)
class DatasetPrediction:
    """Predictions at the observation records, in input order; flat doses beside them.

    ``observation`` has them with residual error, if that was asked for.
    """

    record: NDArray[np.int64]
    analyte: str
    population_prediction: Array
    individual_prediction: Array
    unit: str
    doses: tuple[FlatDose, ...]
    notes: tuple[str, ...] = ()
    observation: Array | None = None


def simulate_structure(
    table: EventTable,
    structure: Structure,
    parameters: Mapping[str, Array],
    changes: DoseChanges,
    carry: Carry = "nocb",
    tolerance: Tolerance | None = None,
) -> DatasetPrediction:
    """Run an event table with a named structure.

    Parameters
    ----------
    table : checked records
    structure : structural model
    parameters : value of each parameter at each record (internal units)
    changes : lag, bioavailability, modelled rate and duration
    carry : ``nocb``: the next record's values hold backwards; ``locf``: the last one's forwards

    Raises
    ------
    DataError
        If a parameter is missing, unknown or not above zero.
    """
    needed = structure.model.parameters
    unknown = [n for n in parameters if n not in needed]
    missing = [n for n in needed if n not in parameters]
    if unknown or missing:
        texts = [
            f"{structure.name} has no parameter {n!r}{did_you_mean(n, needed)}" for n in unknown
        ]
        texts += [f"parameter {n} is not given; set it ({n}=VALUE)" for n in missing]
        raise DataError("; ".join(texts))
    for name in needed:
        if not (parameters[name] > 0).all():
            raise DataError(f"parameter {name} must be above zero on every record")
    values = np.stack([parameters[n] for n in needed])
    unrolled, readings = _run(table, structure, values, changes, carry, tolerance)
    predicted = readings * conversion_factor("mg/L", structure.concentration_unit)
    record = unrolled.reading_of[:, 0]
    return DatasetPrediction(
        record, "parent", predicted, predicted, structure.concentration_unit, unrolled.doses
    )


def simulate_drug(
    table: EventTable,
    drug: Drug,
    pk: PkModel,
    characteristics: Mapping[str, NDArray[Any]],
    seed: int,
    is_typical: bool,
    carry: Carry = "nocb",
    tolerance: Tolerance | None = None,
    *,
    is_observed: bool = False,
) -> DatasetPrediction:
    """Run an event table with a drug's model.

    Subject k of the file has the random effects of patient k. ``characteristics`` has one entry a
    record. With ``is_typical`` there are no random effects, and what the file does not tell of a
    patient is taken from the reference patient of the model (with a note). With ``is_observed``
    observations with residual error are simulated too.

    Raises
    ------
    DataError
        If a characteristic that the model needs is missing (all are named).
    """
    typical, notes = typical_of_records(table, pk, characteristics, is_typical=is_typical)
    effects = (
        {} if is_typical else draw_random_effects(pk, np.arange(1, table.n_subjects + 1), seed)
    )
    individual = apply_random_effects(
        typical, {name: values[table.subject] for name, values in effects.items()}
    )
    unrolled, own = _run_drug(table, pk, individual, carry, tolerance)
    general = own if is_typical else _run_drug(table, pk, typical, carry, tolerance)[1]
    factor = pk.concentration_factor()
    record = unrolled.reading_of[:, 0]
    observed = None
    if is_observed:
        observed = simulated_observations(pk, own * factor, table.subject[record], seed)
    return DatasetPrediction(
        record,
        drug.analyte,
        general * factor,
        own * factor,
        pk.concentration_unit,
        unrolled.doses,
        tuple(notes),
        observed,
    )


def simulate_replicates(
    table: EventTable,
    pk: PkModel,
    characteristics: Mapping[str, NDArray[Any]],
    seed: int,
    replicates: int,
    carry: Carry = "nocb",
    progress: Progress = no_progress,
) -> tuple[Array, Array]:
    """Observations with residual error, of new subjects in each replicate.

    Returns
    -------
    predictions, simulations
        Population predictions, shape (n,), at the records of :func:`simulate_drug`; and simulated
        observations, shape (replicates, n). The first replicate is that of :func:`simulate_drug`.

    Raises
    ------
    DataError
        If a characteristic that the model needs is missing, or no residual error is known.
    """
    typical, _ = typical_of_records(table, pk, characteristics, is_typical=False)
    unrolled, general = _run_drug(table, pk, typical, carry, None)
    subject, factor = table.subject[unrolled.reading_of[:, 0]], pk.concentration_factor()
    numbers = np.arange(1, table.n_subjects + 1)
    found = np.empty((replicates, general.size))
    for k in range(replicates):
        effects = draw_random_effects(pk, numbers, seed, k)
        individual = apply_random_effects(
            typical, {name: values[table.subject] for name, values in effects.items()}
        )
        own = _run_drug(table, pk, individual, carry, None)[1] * factor
        found[k] = simulated_observations(pk, own, subject, seed, k)
        progress(k + 1, replicates)
    return general * factor, found


def typical_of_records(
    table: EventTable,
    pk: PkModel,
    characteristics: Mapping[str, NDArray[Any]],
    *,
    is_typical: bool,
) -> tuple[dict[str, Array], list[str]]:
    """Parameters without random effects at each record, and what is to be told of them."""
    n, notes = table.n_records, list[str]()
    known = with_derived(characteristics)
    missing = [c for c in pk.needed_covariates() if c not in known]
    if missing and not is_typical:
        raise DataError(
            f"{pk.name} needs {', '.join(missing)}, which the file does not have; add the columns, "
            "give each as a covariate NAME=VALUE, or ask for the reference (typical) patient"
        )
    if missing:
        reference = reference_covariates(pk)
        for name in missing:
            known[name] = np.repeat(reference(name), n)
        shown = ", ".join(f"{name} {pk.reference_patient[name]}" for name in missing)
        notes.append(f"taken from the reference patient of {pk.name}: {shown}")
    typical = typical_parameters(pk, known.__getitem__, n)
    return typical, notes


def _run_drug(
    table: EventTable,
    pk: PkModel,
    parameters: Mapping[str, Array],
    carry: Carry,
    tolerance: Tolerance | None,
) -> tuple[Unrolled, Array]:
    structure = pk.structural
    changes = DoseChanges.none(table.n_records)
    is_iv = table.compartment == structure.compartments.index("central") + 1
    if "f" in parameters:
        changes.bioavailability[:] = np.where(is_iv, 1.0, parameters["f"])
    changes.lag_ms[:] = np.where(is_iv, 0.0, pk.lag_day() * MS_PER_DAY)
    values = np.stack([parameters[n] for n in structure.model.parameters])
    return _run(table, structure, values, changes, carry, tolerance)


def past_of(table: EventTable, structure: Structure, parameters: Array) -> Array:
    """Days that the past of a steady state takes, one entry a record; 0 where there is none."""
    past = np.zeros(table.n_records)
    for record in np.flatnonzero(table.steady_state > 0):
        slowest = slowest_rate_per_day(structure, parameters[:, record])
        past[record] = SETTLED_TIME_CONSTANTS / slowest if slowest else np.inf
    return past


def _run(
    table: EventTable,
    structure: Structure,
    parameters: Array,
    changes: DoseChanges,
    carry: Carry,
    tolerance: Tolerance | None,
) -> tuple[Unrolled, Array]:
    """Unroll, integrate and pick the readings in input order."""
    model, past = structure.model, past_of(table, structure, parameters)
    dosing = DosingModel(
        tuple(model.index("states", c) for c in structure.compartments),
        structure.compartments,
        changes.lag_ms,
        changes.bioavailability,
        changes.modelled_rate,
        changes.modelled_duration_ms,
        parameters,
        past,
    )
    unrolled = unroll(table, dosing, carry)
    first = parameters[:, table.first_records()]
    request = Request(parameters=first, schedule=unrolled.schedule)
    found = advance(model, request, tolerance)
    found.require_finished(model, unrolled.schedule)
    conc = model.index("outputs", "conc")
    _, subject, reading = unrolled.reading_of.T
    return unrolled, found.readings[subject, reading, conc]
