"""Looking ahead: levels of one patient to come by each of some ways to go on.

Every draw of the posterior is treated by the doses that were given, then by those of a candidate.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from her2sim.arrays import Array
from her2sim.engine.advance import advance
from her2sim.engine.model import Model
from her2sim.engine.schedule import Action, Block, Schedule
from her2sim.engine.sensitivities import only
from her2sim.engine.trajectories import METRICS, Status, Trajectories
from her2sim.errors import DataError
from her2sim.individuals.of_drug import FittedModel, KnownOverTime, schedule_of, subjects_with
from her2sim.individuals.subjects import TOLERANCE, ReadingPlaces
from her2sim.patients.cohort import Cohort
from her2sim.protocol.variables import VARIABLES
from her2sim.regimens.changes import started_on
from her2sim.regimens.dose import MINUTES_PER_DAY, mg_of
from her2sim.regimens.dose_rows import At, Doses, planned_doses
from her2sim.regimens.regimen import Regimen
from her2sim.units import conversion_factor

NOWHERE = np.empty(0, dtype=np.int64)
ENOUGH = 0.5
"""Share of the draws that the solver must bring to an end."""


@dataclass(frozen=True, eq=False)
class LevelsAhead:
    """Levels of some draws: ``cycles`` (n_draws, n_cycles, n_analytes, 4) with trough, peak, AUC
    and days above the level, in cycles that end on ``ends_day``; ``grid`` (n_draws, n_grid) of the
    first analyte. Units are those of the interfaces. ``tests`` are readings of blood and heart at
    ``test_day``, shape (n_draws, n_days).
    """

    ends_day: Array
    cycles: Array
    grid: Array
    tests: Mapping[str, Array] = field(default_factory=dict)
    test_day: Array = field(default_factory=lambda: np.empty(0))

    def lowest(self, test: str) -> Array:
        """Lowest reading of each cycle after the first, shape (n_draws, n_cycles); NaN in it."""
        values = self.tests[test]
        found = np.full((values.shape[0], self.ends_day.size), np.nan)
        for k, (begin, end) in enumerate(itertools.pairwise(self.ends_day), start=1):
            within = (self.test_day >= begin) & (self.test_day <= end)
            found[:, k] = values[:, within].min(axis=1)
        return found

    def metric(self, name: str, analyte: int = 0) -> Array:
        """``cmin``, ``cmax``, ``auc`` or ``time_above``, shape (n_draws, n_cycles)."""
        return self.cycles[:, :, analyte, METRICS.index(name)]


def going_on(regimen: Regimen, from_day: float) -> Regimen:
    """A regimen that goes on with its maintenance doses from a day."""
    (phase,) = regimen.phases
    return started_on(replace(regimen, phases=(replace(phase, loading=None),)), from_day)


def doses_to_come(regimen: Regimen, cohort: Cohort, n_cycles: int) -> Doses:
    """Doses of a regimen that goes on, of the first patient of a cohort, in mg."""
    (phase,) = regimen.phases
    until = phase.start_min + n_cycles * regimen.cycle_min
    doses = planned_doses(regimen.doses_before(until))
    unit = phase.maintenance.unit
    size = np.broadcast_to(mg_of(np.ones(cohort.n_patients), unit, cohort.covariate), 1)
    return Doses(**(vars(doses) | {"amount": doses.amount * size[0]}))


def joined_doses(first: Doses, second: Doses) -> Doses:
    """Doses of both."""
    return Doses(
        **{
            name: np.concatenate([values, getattr(second, name)])
            for name, values in vars(first).items()
        }
    )


def levels_ahead(
    fitted: FittedModel,
    known: KnownOverTime,
    given: Doses,
    draws: Array,
    ends_day: Array,
    grid_day: Array,
    level: float | None = None,
) -> LevelsAhead:
    """Levels of one patient under given doses.

    Parameters
    ----------
    fitted : model of the levels; cycles are those of its regimen
    known : the patient
    given : all doses, past and to come, in mg
    draws : random effects of the levels, shape (n_effects, n_draws)
    ends_day : days on which cycles end; the first begins at the start
    grid_day : times at which levels are wanted
    level : for the time above it, in the unit of the drug
    """
    pk, model = fitted.treatment.pk, fitted.model
    one = np.zeros(ends_day.size, dtype=np.int64)
    last = max(float(ends_day[-1]), float(grid_day[-1]) if grid_day.size else 0.0)
    blocks: list[Block] = [
        (one, ends_day, At.READING, Action.CYCLE, np.arange(ends_day.size), 0.0),
        (one[:1], last, At.STOP, Action.STOP, 0, 0.0),
    ]
    schedule = schedule_of(fitted, model, known, given, blocks, 0, ends_day.size)
    factor = pk.concentration_factor()
    found = _run(fitted, model, known, schedule, draws, grid_day, level, factor)
    cycles = found.cycles
    for k, (unit, area) in enumerate(zip(pk.concentration_units(), pk.auc_units(), strict=True)):
        cycles[:, :, k, :2] *= conversion_factor("mg/L", unit)
        cycles[:, :, k, 2] *= conversion_factor("mg*day/L", area)
    return LevelsAhead(ends_day, cycles, found.grid[:, :, model.index("outputs", "conc")] * factor)


def readings_ahead(
    fitted: FittedModel, known: KnownOverTime, given: Doses, draws: Array, grid_day: Array
) -> dict[str, Array]:
    """What blood and heart would show, by test, shape (n_draws, n_grid)."""
    kinds = [kind for kind in fitted.kinds if kind.name in VARIABLES]
    model = only(fitted.model, tuple(kind.output for kind in kinds))
    one = np.zeros(1, dtype=np.int64)
    blocks: list[Block] = [(one, float(grid_day[-1]), At.STOP, Action.STOP, 0, 0.0)]
    schedule = schedule_of(fitted, model, known, given, blocks, 0)
    found = _run(fitted, model, known, schedule, draws, grid_day, None, 1.0)
    return {
        kind.name: found.grid[:, :, model.index("outputs", kind.output)] * kind.factor
        for kind in kinds
    }


def _run(
    fitted: FittedModel, model: Model, known: KnownOverTime, schedule: Schedule, draws: Array,
    grid_day: Array, level: float | None, factor: float,
) -> Trajectories:  # fmt: skip
    """Run all draws of one patient."""
    nothing = ReadingPlaces(NOWHERE, NOWHERE, NOWHERE, np.empty(0))
    subject = subjects_with(fitted, model, known, model.outputs[:1], schedule, nothing)
    asked = subject.request(draws, np.zeros(draws.shape[1], dtype=np.int64))
    shown = None if level is None else level / factor
    asked = replace(asked, grid_day=grid_day, level=shown)
    found = advance(model, asked, TOLERANCE)
    kept = np.flatnonzero(found.status == Status.FINISHED)
    if kept.size < ENOUGH * found.status.size:
        raise DataError(
            f"{fitted.treatment.pk.name}: so little is known of this patient that its levels "
            "cannot be worked out; trust the population more (--prior-weight nearer 1)"
        )
    return replace(found, cycles=found.cycles[kept], grid=found.grid[kept])


def cycles_in(regimen: Regimen, days: float) -> int:
    """Cycles of a regimen that come nearest to a number of days; one at least."""
    return max(1, round(days / regimen.cycle_day))


def ends_of(regimen: Regimen, from_day: float, n_cycles: int) -> Array:
    """Ends of the cycles of a regimen that goes on; the first is the day on which it does."""
    length = regimen.cycle_min / MINUTES_PER_DAY
    return np.asarray(from_day + length * np.arange(n_cycles + 1), dtype=np.float64)
