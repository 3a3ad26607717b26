"""The flat list of what happens when: the only form in which doses reach a solver.

Each patient has rows ``begin[i]:end[i]`` of one long table, in order of execution. Rows of one
time happen one after the other, so the order of rows decides between a reading and a dose.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim.errors import DataError


class Action(IntEnum):
    """What a row does; ``target`` and ``value`` mean what is said here."""

    STOP = 0
    """Nothing: the solver stops here exactly."""
    BOLUS = 1
    """Add value x scale of the state to state ``target``."""
    INFUSION = 2
    """Set the infusion rate into state ``target`` to value x scale of the state (per day)."""
    RESET = 3
    """All states and infusion rates become zero."""
    PARAMETER = 4
    """Set parameter ``target`` to value."""
    READING = 5
    """Store the outputs as reading number ``target``."""
    CLOCK = 6
    """Set the clock to value: what follows is the past of a steady state."""
    SET_ASIDE = 7
    """Keep states aside and start from zero (infusion rates become zero)."""
    ADD_BACK = 8
    """Add the states that were set aside."""
    CYCLE = 9
    """Close cycle number ``target``: store its trough, peak, AUC and time above the level."""


@dataclass(frozen=True)
class Schedule:
    """Rows of all patients. Patients may share rows: then ``begin`` and ``end`` repeat.

    ``time_day`` (float64), ``action`` and ``target`` (int32), ``value`` (float64) have one entry
    a row; ``begin`` and ``end`` (int64) one a patient. Amounts are in mg, rates in mg/day.
    """

    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    time_day: NDArray[np.float64]
    action: NDArray[np.int32]
    target: NDArray[np.int32]
    value: NDArray[np.float64]
    n_readings: int = 0
    n_cycles: int = 0

    @property
    def n_patients(self) -> int:
        """How many patients have rows."""
        return self.begin.size

    def rows_of(self, patient: int) -> list[tuple[float, Action, int, float]]:
        """Rows of one patient as plain tuples."""
        rows = range(int(self.begin[patient]), int(self.end[patient]))
        return [
            (
                float(self.time_day[i]),
                Action(self.action[i]),
                int(self.target[i]),
                float(self.value[i]),
            )
            for i in rows
        ]

    def part(self, first: int, last: int) -> Schedule:
        """The schedule of patients ``first`` to ``last - 1``, without the rows of others."""
        begin, end = self.begin[first:last], self.end[first:last]
        lowest = int(begin.min(initial=self.time_day.size))
        rows = slice(lowest, int(end.max(initial=lowest)))
        return Schedule(
            begin - lowest,
            end - lowest,
            self.time_day[rows],
            self.action[rows],
            self.target[rows],
            self.value[rows],
            self.n_readings,
            self.n_cycles,
        )

    def of_patients(self, places: NDArray[np.int64]) -> Schedule:
        """The schedule of patients who each have the rows of one of these, by its place."""
        return replace(self, begin=self.begin[places], end=self.end[places])

    def shared_by(self, n_patients: int) -> Schedule:
        """The rows of the first patient given to many (their ``scale`` tells their doses apart)."""
        begin, end = (np.repeat(edge[:1], n_patients) for edge in (self.begin, self.end))
        return Schedule(
            begin, end, self.time_day, self.action, self.target, self.value, self.n_readings,
            self.n_cycles,
        )  # fmt: skip


Row = tuple[float, Action, int, float]


def schedule_from_rows(patients: Sequence[Sequence[Row]]) -> Schedule:
    """Build a schedule from a list of rows for each patient, in order of execution."""
    lengths = np.array([len(rows) for rows in patients], dtype=np.int64)
    end = np.cumsum(lengths)
    flat = [row for rows in patients for row in rows]
    time, action, target, value = zip(*flat, strict=True) if flat else ((), (), (), ())
    targets = np.array(target, dtype=np.int32)
    actions = np.array(action, dtype=np.int32)
    return Schedule(
        end - lengths,
        end,
        np.array(time, dtype=np.float64),
        actions,
        targets,
        np.array(value, dtype=np.float64),
        _count(actions, targets, Action.READING),
        _count(actions, targets, Action.CYCLE),
    )


Block = tuple[Any, ...]
"""Rows of several patients: patients, times, places in the order of one time, actions, targets and
values; each an array with one entry a row, or one value for all."""


def schedule_from_blocks(
    blocks: Iterable[Block],
    n_patients: int,
    until_day: NDArray[np.float64] | float = np.inf,
    n_readings: int = 0,
    n_cycles: int = 0,
) -> Schedule:
    """Build a schedule from blocks of rows, sorted by patient, time and place.

    Rows after ``until_day`` (one value, or one a patient) are left out.
    """
    columns = [np.concatenate(c) for c in zip(*map(_columns, blocks), strict=True)]
    patient, time, order, action, target, value = columns
    last = np.broadcast_to(np.asarray(until_day, dtype=np.float64), n_patients)
    rows = np.flatnonzero(time <= last[patient.astype(np.int64)])
    rows = rows[np.lexsort((order[rows], time[rows], patient[rows]))]
    edges = np.searchsorted(patient[rows], np.arange(n_patients + 1)).astype(np.int64)
    return Schedule(
        edges[:-1], edges[1:], time[rows], action[rows].astype(np.int32),
        target[rows].astype(np.int32), value[rows], n_readings, n_cycles,
    )  # fmt: skip


def _columns(block: Block) -> list[NDArray[np.float64]]:
    """Columns of a block, each as long as its patients."""
    size = np.size(block[0])
    columns = (np.asarray(column, dtype=np.float64) for column in block)
    return [column if column.ndim else np.full(size, column) for column in columns]


def shared_schedule(rows: Sequence[Row], n_patients: int) -> Schedule:
    """Give the same rows to ``n_patients`` patients."""
    return schedule_from_rows([rows]).shared_by(n_patients)


def _count(actions: NDArray[np.int32], targets: NDArray[np.int32], action: Action) -> int:
    chosen = targets[actions == action]
    return int(chosen.max()) + 1 if chosen.size else 0


def check_schedule(
    schedule: Schedule, n_states: int, n_parameters: int, infused: Sequence[int]
) -> None:
    """Refuse a schedule that a solver could not execute.

    ``infused`` are the states that infusions can go into.

    Raises
    ------
    DataError
        Rows out of order in time (other than after CLOCK), a target that does not exist, or a
        number that is not finite.
    """
    if schedule.n_patients == 0:
        return
    if (schedule.end <= schedule.begin).any():
        raise DataError("a patient has no rows in the schedule; give at least a STOP row")
    if not (np.isfinite(schedule.time_day).all() and np.isfinite(schedule.value).all()):
        raise DataError("a schedule holds a time or value that is not a finite number")
    limits = np.full(len(Action), np.iinfo(np.int32).max)
    limits[[Action.BOLUS, Action.INFUSION]] = n_states
    limits[Action.PARAMETER] = n_parameters
    limits[Action.READING], limits[Action.CYCLE] = schedule.n_readings, schedule.n_cycles
    if ((schedule.target < 0) | (schedule.target >= limits[schedule.action])).any():
        raise DataError(
            "a schedule row has a target that the model does not have, or a reading or cycle "
            "beyond those that are counted"
        )
    into = np.unique(schedule.target[schedule.action == Action.INFUSION])
    if not np.isin(into, infused).all():
        raise DataError("a schedule infuses into a state that the model does not infuse")
    clock = schedule.action == Action.CLOCK
    arrival = np.where(clock, schedule.value, schedule.time_day)
    backwards = schedule.time_day[1:] < arrival[:-1]
    starts = np.bincount(schedule.begin + 1, minlength=arrival.size + 1)
    ends = np.bincount(schedule.end, minlength=arrival.size + 1)
    is_within = np.cumsum(starts - ends)[1 : arrival.size] > 0  # rows of nobody do not count
    backwards &= is_within
    if backwards.any():
        row = int(np.argmax(backwards)) + 1
        raise DataError(f"time goes backwards at schedule row {row}")
