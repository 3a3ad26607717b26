"""What goes into a run of the engine and what comes out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array
from her2sim.engine.model import Model
from her2sim.engine.schedule import Schedule
from her2sim.errors import DataError, SolverError

METRICS = ("cmin", "cmax", "auc", "time_above")


class Reductions(IntEnum):
    """What the loop reduces while it runs; each includes those before."""

    NONE = 0
    CYCLES = 1
    TIME_ABOVE = 2


class Status(IntEnum):
    """How the integration of a patient ended."""

    FINISHED = 0
    TOO_MANY_STEPS = 1
    STEP_TOO_SMALL = 2
    NOT_FINITE = 3


_STATUS_TEXT = {
    Status.TOO_MANY_STEPS: "needed more than the allowed number of steps",
    Status.STEP_TOO_SMALL: "needed a step too small for the clock",
    Status.NOT_FINITE: "met a number that is not finite",
}


@dataclass(frozen=True)
class Tolerance:
    """Error control: relative tolerance, absolute tolerance (mg) and steps per patient.

    The absolute tolerance guards amounts far below a dose: 1e-8 mg is a few parts in 1e11 of an
    antibody dose, and a millionth of what a conjugate releases.
    """

    relative: float = 1e-7
    absolute: float = 1e-8
    max_steps: int = 1_000_000

    def __post_init__(self) -> None:
        if not (1e-13 <= self.relative <= 1e-2):
            raise DataError(f"relative tolerance {self.relative:g}: use 1e-13 to 1e-2")
        if not self.absolute > 0 or self.max_steps < 1:
            raise DataError("absolute tolerance and max_steps must be above zero")


@dataclass(frozen=True)
class Request:
    """What to integrate: parameters, doses and wishes of ``n`` patients.

    Parameters
    ----------
    parameters : shape (n_parameters, n), in the order of ``model.parameters``
    schedule : rows of ``n`` patients
    scale : shape (n_states, n), multiplies every BOLUS and INFUSION value into a state (weight in
        kg for mg/kg doses, bioavailability, ...); one if not given
    states : shape (n_states, n) at the start; zero if not given
    grid_day : sorted times at which outputs are wanted, from dense output; a time that is also a
        stop is read before what happens there
    level : concentration for the time above a level; None leaves that metric NaN
    watch_level : shape (n_watched, n), the level of each watched state; infinite if not given
    """

    parameters: Array
    schedule: Schedule
    scale: Array | None = None
    states: Array | None = None
    grid_day: Array = field(default_factory=lambda: np.empty(0))
    level: float | None = None
    watch_level: Array | None = None

    @property
    def n_patients(self) -> int:
        """How many patients are integrated."""
        return int(self.parameters.shape[1])

    def part(self, first: int, last: int) -> Request:
        """The request of patients ``first`` to ``last - 1``."""
        columns = slice(first, last)
        return Request(
            self.parameters[:, columns],
            self.schedule.part(first, last),
            None if self.scale is None else self.scale[:, columns],
            None if self.states is None else self.states[:, columns],
            self.grid_day,
            self.level,
            None if self.watch_level is None else self.watch_level[:, columns],
        )

    @property
    def reductions(self) -> Reductions:
        """What has to be reduced: nothing is computed that nobody asked for."""
        if self.schedule.n_cycles == 0:
            return Reductions.NONE
        return Reductions.CYCLES if self.level is None else Reductions.TIME_ABOVE


@dataclass(frozen=True)
class Trajectories:
    """Results of ``n`` patients.

    readings : (n, n_readings, n_outputs); cycles : (n, n_cycles, n_analytes, 4) with trough, peak,
    AUC and days above the level; grid : (n, n_grid, n_outputs); states : (n_states, n) and
    time_day : (n,) at the end; status and n_steps : (n,). Numbers that were never reached are NaN.
    crossing_day : (n_watched, n), when a watched state first reached its level; infinite if never.
    """

    readings: Array
    cycles: Array
    grid: Array
    states: Array
    time_day: Array
    status: NDArray[np.int32]
    n_steps: NDArray[np.int64]
    crossing_day: Array

    def failures(self) -> NDArray[np.int64]:
        """Positions of the patients that did not finish."""
        return np.flatnonzero(self.status != Status.FINISHED)

    def describe_failure(self, model: Model, schedule: Schedule, patient: int) -> str:
        """Name patient, day, state and last dose of a failed integration."""
        status, day = Status(self.status[patient]), self.time_day[patient]
        values = dict(zip(model.states, self.states[:, patient], strict=True))
        shown = ", ".join(f"{name} {value:.6g}" for name, value in values.items())
        doses = [r for r in schedule.rows_of(patient) if r[1] in (1, 2) and r[3] and r[0] <= day]
        last = f"last dose on day {doses[-1][0]:g}" if doses else "no dose yet"
        return f"{_STATUS_TEXT[status]} on day {day:.6g} ({shown}; {last})"

    def require_finished(self, model: Model, schedule: Schedule) -> None:
        """Raise :class:`SolverError` if a patient failed, naming the first of them."""
        failed = self.failures()
        if failed.size:
            text = self.describe_failure(model, schedule, int(failed[0]))
            raise SolverError(
                f"{failed.size} of {self.status.size} patients failed; "
                f"patient {failed[0] + 1} {text}"
            )


def joined(parts: Iterable[Trajectories]) -> Trajectories:
    """Results of several parts of the patients, one after the other."""
    along = {"states": 1, "crossing_day": 1}
    found = [vars(part) for part in parts]
    return Trajectories(
        **{
            name: np.concatenate([values[name] for values in found], axis=along.get(name, 0))
            for name in found[0]
        }
    )


def empty_results(model: Model, request: Request) -> Trajectories:
    """Results to be filled by a solver: NaN, but for the grid (see :func:`blank_unreached`)."""
    n, schedule = request.n_patients, request.schedule
    n_outputs = len(model.outputs)
    states = np.zeros((len(model.states), n))
    if request.states is not None:
        states[:] = request.states
    return Trajectories(
        np.full((n, schedule.n_readings, n_outputs), np.nan),
        np.full((n, schedule.n_cycles, len(model.analytes), len(METRICS)), np.nan),
        np.empty((n, request.grid_day.size, n_outputs)),
        states,
        np.zeros(n),
        np.zeros(n, dtype=np.int32),
        np.zeros(n, dtype=np.int64),
        np.full((len(model.watched), n), np.inf),
    )


def blank_unreached(request: Request, results: Trajectories) -> None:
    """Put NaN where a patient never got to a grid time (the grid is too large to fill twice)."""
    if request.grid_day.size:
        early = np.flatnonzero(results.time_day < request.grid_day[-1])
        for patient in early:
            results.grid[patient, request.grid_day > results.time_day[patient]] = np.nan


def check_request(model: Model, request: Request) -> None:
    """Refuse arrays of the wrong shape or with numbers that are not finite."""
    n = request.n_patients
    if request.parameters.shape[0] != len(model.parameters):
        raise DataError(
            f"model {model.name} has the parameters {', '.join(model.parameters)}; "
            f"{request.parameters.shape[0]} rows were given"
        )
    if request.schedule.n_patients != n:
        raise DataError(f"{request.schedule.n_patients} schedules were given for {n} patients")
    if request.scale is not None and request.scale.shape != (len(model.states), n):
        raise DataError("scale must hold one number for each state and patient")
    levels = request.watch_level
    if levels is not None and levels.shape != (len(model.watched), n):
        raise DataError(
            "watch_level must hold one number for each watched state and patient; watched are: "
            + (", ".join(model.watched) or "none")
        )
    if levels is not None and np.isnan(levels).any():
        raise DataError("watch_level holds a level that is not a number")
    bad = ~np.isfinite(request.parameters)
    if bad.any():
        row, patient = np.argwhere(bad)[0]
        raise DataError(
            f"parameter {model.parameters[row]} of patient {patient + 1} is not a finite number"
        )
    grid = request.grid_day
    if not np.isfinite(grid).all() or (np.diff(grid) < 0).any():
        raise DataError("grid_day must be finite and sorted")
