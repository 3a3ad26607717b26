"""Subjects of a drug's model: doses that were given, and levels that were measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array, Mask, Positions
from her2sim.drugs.pk import PkModel, Residual
from her2sim.engine.model import Model
from her2sim.engine.schedule import Action, Block, Schedule, schedule_from_blocks
from her2sim.engine.sensitivities import only
from her2sim.errors import DataError
from her2sim.individual.map_estimates import Measurements
from her2sim.individual.residual_error import ResidualError, Scatter
from her2sim.individual.subjects import RandomEffect, Readings, Subjects
from her2sim.patients.cohort import Cohort
from her2sim.pk.treatment import Treatment
from her2sim.regimens.dose import MINUTES_PER_DAY, mg_of
from her2sim.regimens.dose_rows import At, Doses, cycle_blocks, dose_blocks, planned_doses
from her2sim.units import conversion_factor


@dataclass(frozen=True, eq=False)
class Levels:
    """Measured concentrations, in order of the patients, one entry each.

    ``patient`` is a position; ``analyte`` the place among the analytes of the model; ``value`` is
    in the unit of its interfaces, and the limit of quantification where ``is_below``.
    """

    patient: Positions
    day: Array
    analyte: Positions
    value: Array
    is_below: Mask

    def of(self, patient: int) -> Levels:
        """Those of one patient, who is then the first."""
        rows = self.patient == patient
        found = {name: values[rows] for name, values in vars(self).items()}
        return Levels(**(found | {"patient": np.zeros(int(rows.sum()), dtype=np.int64)}))


@dataclass(frozen=True, eq=False)
class KnownOverTime:
    """Patients as they are told: ``cohort`` has a row for each stretch of time of a patient.

    ``patient`` is the position of each row's patient, who come in order; ``from_day`` is when it
    begins, ``-inf`` for the first of a patient.
    """

    cohort: Cohort
    patient: Positions
    from_day: Array

    @staticmethod
    def always(cohort: Cohort) -> KnownOverTime:
        """Patients who do not change."""
        n = cohort.n_patients
        return KnownOverTime(cohort, np.arange(n), np.full(n, -np.inf))

    @property
    def first(self) -> Positions:
        """Rows that are the first of their patients."""
        return np.flatnonzero(np.isneginf(self.from_day))

    @property
    def n_patients(self) -> int:
        """How many patients."""
        return self.first.size


def random_effects(pk: PkModel) -> tuple[RandomEffect, ...]:
    """The random effects of a model.

    Raises
    ------
    DataError
        If none are known.
    """
    variability, states = pk.variability, pk.structural.dosed
    if not variability.names():
        raise DataError(
            f"{pk.name}: nothing is published of how patients differ, so none can be told apart"
        )
    made = []
    for name in variability.names():
        acts = (name, *(n for n, of in variability.shared.items() if of == name))
        depots = {state for route, state in states.items() if route != "iv"}
        absorbed = tuple(sorted(depots)) if "f" in acts else ()
        made.append(RandomEffect(name, tuple(n for n in acts if n != "f"), absorbed))
    return tuple(made)


def residual_error(pk: PkModel, cv: float | None = None) -> ResidualError:
    """Residual error of a model in the unit of its interfaces, or one that is told.

    Parameters
    ----------
    cv : share of the prediction that takes the place of the published error

    Raises
    ------
    DataError
        If none is known and none is told.
    """
    if cv is not None:
        return ResidualError(proportional_sd=cv)
    known = pk.residual
    if known == Residual():
        raise DataError(
            f"{pk.name}: no residual error is published; say how far a measured level lies off, "
            "in per cent (--residual-cv 20)"
        )
    additive = known.additive_sd
    return ResidualError(
        0.0 if known.log_sd is None else known.log_sd.value,
        0.0 if known.proportional_sd is None else known.proportional_sd.value,
        0.0 if additive is None else additive.to(pk.concentration_unit),
    )


def labelled_doses(treatment: Treatment, cohort: Cohort, until_day: float) -> Doses:
    """Doses of all patients as the label has them from day 0 to before a day, in mg."""
    planned = planned_doses(treatment.regimen.doses_before(round(until_day * MINUTES_PER_DAY)))
    units = treatment.regimen.routes
    (unit,) = set(units.values())
    n, each = cohort.n_patients, planned.day.size
    mg = np.broadcast_to(mg_of(np.ones(n), unit, cohort.covariate), n)
    found = planned.take(np.tile(np.arange(each), n))
    patient = np.repeat(np.arange(n), each)
    return Doses(**(vars(found) | {"patient": patient, "amount": found.amount * mg[patient]}))


def schedule_of(
    treatment: Treatment, known: KnownOverTime, model: Model, doses: Doses, blocks: Sequence[Block],
    n_readings: int, n_cycles: int = 0,
) -> Schedule:  # fmt: skip
    """Schedule rows of doses, of what changes, and of what is read."""
    pk, everyone = treatment.pk, np.arange(known.n_patients)
    order = np.lexsort((doses.day, doses.patient))
    doses = doses.take(order)
    stop = max([0.0, *(float(np.max(block[1])) for block in blocks if np.size(block[0]))])
    made: list[Block] = [
        *dose_blocks(doses, treatment.target, pk.lag_day()),
        *cycle_blocks(
            pk, lambda name: _place(model, name), doses, treatment.regimen.doses_per_cycle
        ),
        *_changes(treatment, known, model),
        *blocks,
        (everyone, stop, At.STOP, Action.STOP, 0, 0.0),
    ]
    return schedule_from_blocks(
        made, known.n_patients, until_day=stop, n_readings=n_readings, n_cycles=n_cycles
    )


def _place(model: Model, name: str) -> int | None:
    return model.parameters.index(name) if name in model.parameters else None


def _changes(treatment: Treatment, known: KnownOverTime, model: Model) -> Iterator[Block]:
    """Rows that set typical parameters where what is known of a patient changes."""
    later = np.flatnonzero(~np.isneginf(known.from_day))
    if not later.size:
        return
    values = treatment.typical(known.cohort.covariate, known.cohort.n_patients)
    for place, name in enumerate(model.parameters):
        if np.ptp(values[name]) > 0:
            who, day = known.patient[later], known.from_day[later]
            yield who, day, At.CHANGE, Action.PARAMETER, place, values[name][later]


def subjects_of_drug(
    treatment: Treatment,
    known: KnownOverTime,
    doses: Doses,
    levels: Levels,
    error: ResidualError,
) -> tuple[Subjects, Measurements]:
    """Subjects of a drug's model, and what was measured of them.

    Parameters
    ----------
    treatment : model of the drug, with the interactions that it meets
    known : patients
    doses : what they were given, in mg
    levels : what was measured
    error : residual error of all levels
    """
    structure = treatment.pk.structural
    analytes = [a.concentration for a in structure.analytes]
    outputs = tuple(analytes[k] for k in np.unique(levels.analyte)) or (analytes[0],)
    model = only(structure.model, outputs)
    output = np.array([outputs.index(analytes[k]) for k in levels.analyte], dtype=np.int64)
    turn = np.arange(levels.day.size) - np.searchsorted(levels.patient, levels.patient)
    readings = [(levels.patient, levels.day, At.READING, Action.READING, turn, 0.0)]
    n_readings = int(turn.max(initial=-1)) + 1
    schedule = schedule_of(treatment, known, model, doses, readings, n_readings)
    units = treatment.pk.concentration_units()
    factor = np.array([conversion_factor("mg/L", units[k]) for k in levels.analyte], dtype=float)
    subjects = subjects_with(
        treatment, known, model, outputs, schedule,
        Readings(levels.patient, turn, output, factor),
    )  # fmt: skip
    scatter = Scatter.of([error], np.zeros(levels.day.size, dtype=np.int64))
    measured = Measurements(
        levels.patient, levels.value, levels.is_below, known.n_patients, scatter
    )
    return subjects, measured


def subjects_with(
    treatment: Treatment,
    known: KnownOverTime,
    model: Model,
    outputs: tuple[str, ...],
    schedule: Schedule,
    readings: Readings,
) -> Subjects:
    """Subjects of a drug's model under a schedule that was made for them."""
    values = treatment.typical(known.cohort.covariate, known.cohort.n_patients)
    first, dosed = known.first, treatment.pk.structural.dosed
    absorbed = {}
    if "f" in values:
        absorbed = {state: values["f"][first] for route, state in dosed.items() if route != "iv"}
    return Subjects(
        model, outputs, random_effects(treatment.pk),
        np.array([values[name][first] for name in model.parameters]), schedule, readings, absorbed,
    )  # fmt: skip
