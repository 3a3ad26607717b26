"""Subjects of a drug's model: doses that were given, and levels that were measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from her2sim.arrays import Array, Mask, Positions
from her2sim.drugs.pk import PkModel, Residual
from her2sim.drugs.toxicity import LINES
from her2sim.engine.model import Model
from her2sim.engine.schedule import Action, Block, Schedule, schedule_from_blocks
from her2sim.engine.sensitivities import only
from her2sim.errors import DataError
from her2sim.individuals.map_estimates import Measurements
from her2sim.individuals.residual_error import ResidualError, Scatter
from her2sim.individuals.subjects import RandomEffect, ReadingPlaces, Subjects
from her2sim.patients.cohort import Cohort
from her2sim.pk.treatment import Treatment
from her2sim.regimens.dose import MINUTES_PER_DAY, mg_of
from her2sim.regimens.dose_rows import At, Doses, cycle_blocks, dose_blocks, planned_doses
from her2sim.units import conversion_factor

HEART = "lvef"
TESTS = (*LINES, HEART)
"""What can be measured beside levels."""


@dataclass(frozen=True, eq=False)
class Levels:
    """Measurements in order of the patients, one entry each.

    ``patient`` is a position; ``kind`` the place among the kinds of the model (its analytes first);
    ``value`` is in the unit of that kind, and the limit of quantification where ``is_below``.
    """

    patient: Positions
    day: Array
    kind: Positions
    value: Array
    is_below: Mask


@dataclass(frozen=True)
class Kind:
    """A kind of measurement: output of the model, unit, factor to it, and residual error."""

    name: str
    output: str
    unit: str
    factor: float
    error: ResidualError


@dataclass(frozen=True, eq=False)
class FittedModel:
    """What is fitted: the levels of a drug, perhaps with what they do to blood and heart.

    ``suffix`` is what names of the drug's own symbols end in; ``numbers`` are typical parameters
    beside those of the levels; ``start`` gives the states that do not begin at zero a parameter or
    a number. ``share`` is how many patients are of this model where a drug has several classes of
    them, ``title`` names the class. ``levels_alone`` is that of the levels, if this is of more.
    """

    treatment: Treatment
    model: Model
    kinds: tuple[Kind, ...]
    effects: tuple[RandomEffect, ...]
    omega: Array
    suffix: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    start: Mapping[str, str | float] = field(default_factory=dict)
    share: float = 1.0
    title: str = ""
    levels_alone: FittedModel | None = None

    @property
    def of_levels(self) -> FittedModel:
        """The model of the levels alone, with their areas."""
        return self.levels_alone or self

    @property
    def n_of_levels(self) -> int:
        """How many of the effects are those of the levels; they come first."""
        return len(self.treatment.pk.variability.names())

    @property
    def name(self) -> str:
        """Drug and model, and the class of patients."""
        return self.treatment.pk.name + (f", {self.title}" if self.title else "")

    def typical(self, covariates: Any, n: int) -> dict[str, Array]:
        """Parameters of patients without random effects, by their names in the model."""
        own = self.treatment.typical(covariates, n)
        found = {f"{name}{self.suffix}": values for name, values in own.items()}
        return found | {name: np.full(n, value) for name, value in self.numbers.items()}

    def target(self, route: str) -> int:
        """State that doses by a route enter."""
        dosed = self.treatment.pk.structural.dosed
        return self.model.index("states", f"{dosed[route]}{self.suffix}")


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


def random_effects(pk: PkModel, suffix: str = "") -> tuple[RandomEffect, ...]:
    """The random effects of a model; names of its symbols end in ``suffix``.

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
        depots = {f"{state}{suffix}" for route, state in states.items() if route != "iv"}
        absorbed = tuple(sorted(depots)) if "f" in acts else ()
        moved = tuple(f"{n}{suffix}" for n in acts if n != "f")
        made.append(RandomEffect(name, moved, absorbed))
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
            "in per cent (a residual CV of 20, say)"
        )
    additive = known.additive_sd
    return ResidualError(
        0.0 if known.log_sd is None else known.log_sd.value,
        0.0 if known.proportional_sd is None else known.proportional_sd.value,
        0.0 if additive is None else additive.to(pk.concentration_unit),
    )


def labelled_doses(treatment: Treatment, cohort: Cohort, until_day: float) -> Doses:
    """Doses of all patients as the label has them before a day, in mg; that of day 0 always."""
    end_min = max(round(until_day * MINUTES_PER_DAY), 1)
    planned = planned_doses(treatment.regimen.doses_before(end_min))
    units = treatment.regimen.routes
    (unit,) = set(units.values())
    n, each = cohort.n_patients, planned.day.size
    mg = np.broadcast_to(mg_of(np.ones(n), unit, cohort.covariate), n)
    found = planned.take(np.tile(np.arange(each), n))
    patient = np.repeat(np.arange(n), each)
    return Doses(**(vars(found) | {"patient": patient, "amount": found.amount * mg[patient]}))


def model_of_levels(treatment: Treatment, residual_cv: float | None = None) -> FittedModel:
    """The model of a drug's levels, of all its analytes.

    Raises
    ------
    DataError
        If how patients differ, or how far measurements scatter, is not published.
    """
    pk = treatment.pk
    error = residual_error(pk, residual_cv)
    names = [treatment.drug.analyte, *(a.name for a in pk.structural.analytes[1:])]
    kinds = tuple(
        Kind(name, analyte.concentration, unit, conversion_factor("mg/L", unit), error)
        for name, analyte, unit in zip(
            names, pk.structural.analytes, pk.concentration_units(), strict=True
        )
    )
    effects, omega = random_effects(pk), pk.variability.omega()
    return FittedModel(treatment, pk.structural.model, kinds, effects, omega)


def schedule_of(
    fitted: FittedModel, model: Model, known: KnownOverTime, doses: Doses, blocks: Sequence[Block],
    n_readings: int, n_cycles: int = 0,
) -> Schedule:  # fmt: skip
    """Schedule rows of doses, of what changes, and of what is read, for a model or a part of it."""
    pk, everyone = fitted.treatment.pk, np.arange(known.n_patients)
    doses = doses.take(np.lexsort((doses.day, doses.patient)))
    stop = max([0.0, *(float(np.max(block[1])) for block in blocks if np.size(block[0]))])

    def place(name: str) -> int | None:
        whole = f"{name}{fitted.suffix}"
        return model.parameters.index(whole) if whole in model.states + model.parameters else None

    def state_of(route: str) -> int:
        return model.index("states", fitted.model.states[fitted.target(route)])

    made: list[Block] = [
        *dose_blocks(doses, state_of, pk.lag_day()),
        *cycle_blocks(pk, place, doses, fitted.treatment.regimen.doses_per_cycle),
        *_changes(fitted, model, known),
        *blocks,
        (everyone, stop, At.STOP, Action.STOP, 0, 0.0),
    ]
    return schedule_from_blocks(
        made, known.n_patients, until_day=stop, n_readings=n_readings, n_cycles=n_cycles
    )


def _changes(fitted: FittedModel, model: Model, known: KnownOverTime) -> Iterator[Block]:
    """Rows that set typical parameters where what is known of a patient changes."""
    later = np.flatnonzero(~np.isneginf(known.from_day))
    if not later.size:
        return
    values = fitted.typical(known.cohort.covariate, known.cohort.n_patients)
    for place, name in enumerate(model.parameters):
        if np.ptp(values[name]) > 0:
            who, day = known.patient[later], known.from_day[later]
            yield who, day, At.CHANGE, Action.PARAMETER, place, values[name][later]


def subjects_of(
    fitted: FittedModel, known: KnownOverTime, doses: Doses, levels: Levels
) -> tuple[Subjects, Measurements]:
    """Subjects of a model, and what was measured of them.

    Parameters
    ----------
    fitted : the model
    known : patients
    doses : what they were given, in mg
    levels : what was measured
    """
    used = np.unique(levels.kind) if levels.kind.size else np.zeros(1, dtype=np.int64)
    outputs = tuple(fitted.kinds[k].output for k in used)
    model = only(fitted.model, outputs)
    turn = np.arange(levels.day.size) - np.searchsorted(levels.patient, levels.patient)
    blocks = [(levels.patient, levels.day, At.READING, Action.READING, turn, 0.0)]
    n_readings = int(turn.max(initial=-1)) + 1
    schedule = schedule_of(fitted, model, known, doses, blocks, n_readings)
    factor = np.array([fitted.kinds[k].factor for k in levels.kind], dtype=np.float64)
    readings = ReadingPlaces(levels.patient, turn, np.searchsorted(used, levels.kind), factor)
    subjects = subjects_with(fitted, model, known, outputs, schedule, readings)
    scatter = Scatter.of([kind.error for kind in fitted.kinds], levels.kind)
    measured = Measurements(
        levels.patient, levels.value, levels.is_below, known.n_patients, scatter
    )
    return subjects, measured


def subjects_with(
    fitted: FittedModel,
    model: Model,
    known: KnownOverTime,
    outputs: tuple[str, ...],
    schedule: Schedule,
    readings: ReadingPlaces,
) -> Subjects:
    """Subjects of a model, or a part of it, under a schedule that was made for them."""
    values = fitted.typical(known.cohort.covariate, known.cohort.n_patients)
    first, dosed, name = known.first, fitted.treatment.pk.structural.dosed, f"f{fitted.suffix}"
    absorbed = {}
    if name in values:
        depots = {f"{state}{fitted.suffix}" for route, state in dosed.items() if route != "iv"}
        absorbed = dict.fromkeys(depots, values[name][first])
    start = {state: of for state, of in fitted.start.items() if state in model.states}
    return Subjects(
        model, outputs, fitted.effects,
        np.array([values[name][first] for name in model.parameters]), schedule, readings, absorbed,
        start,
    )  # fmt: skip
