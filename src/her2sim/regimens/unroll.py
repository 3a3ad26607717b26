"""Event tables become flat dose lists: ADDL, SS, lag, bioavailability and rates worked out.

The order of records decides at one time, as in NONMEM. Doses that a record causes later (ADDL, lag)
come before the records of that time. A steady state is its own long past: the clock is set back,
doses are given until nothing changes any more, and the present begins.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from her2sim.engine.schedule import Action, Row, Schedule, schedule_from_rows
from her2sim.errors import DoseError
from her2sim.regimens.dose_rows import Administration, Entry, RunningInfusions
from her2sim.regimens.event_table import (
    DOSE,
    MODELLED_DURATION,
    MODELLED_RATE,
    MS_PER_DAY,
    OBSERVATION,
    RESET,
    RESET_AND_DOSE,
    EventTable,
)

Carry = Literal["nocb", "locf"]
LONGEST_PAST_DOSES = 100_000
_END, _DERIVED, _RECORD = 0, 1, 2


@dataclass(frozen=True, eq=False)
class DosingModel:
    """What a structure says of doses: where they go, and how they are changed on the way.

    ``targets`` gives the state of each compartment number (from 1). The arrays have one entry a
    record: lag in ms, bioavailability, and the rate (mg/day) and duration (ms) that RATE -1 and -2
    refer to (NaN where there is none). ``parameters`` has shape (n_parameters, n_records).
    ``past_day`` is how long a steady state needs, one entry a record.
    """

    targets: tuple[int, ...]
    compartments: tuple[str, ...]
    lag_ms: NDArray[np.float64]
    bioavailability: NDArray[np.float64]
    modelled_rate: NDArray[np.float64]
    modelled_duration_ms: NDArray[np.float64]
    parameters: NDArray[np.float64]
    past_day: NDArray[np.float64]


@dataclass(frozen=True)
class FlatDose:
    """A dose as it is really given; ``kind`` says which rule of the record made it."""

    subject: str
    line: int
    kind: str
    start_day: float
    end_day: float
    compartment: str
    amount_mg: float
    rate_mg_per_day: float


@dataclass(frozen=True, eq=False)
class Unrolled:
    """Schedule of all subjects, flat doses, and where each observation's reading is.

    ``reading_of`` has one row for each EVID 0 record in input order: record, subject, reading.
    """

    schedule: Schedule
    doses: tuple[FlatDose, ...]
    reading_of: NDArray[np.int64]


@dataclass(order=True)
class _Happening:
    time: float
    rank: int
    order: int
    record: int = field(compare=False)
    start: Administration | None = field(compare=False, default=None)
    ends: Administration | None = field(compare=False, default=None)


def unroll(table: EventTable, dosing: DosingModel, carry: Carry) -> Unrolled:
    """Unroll a table into a schedule.

    Raises
    ------
    DoseError
        A steady state that cannot be reached, or a modelled rate or duration that is not there.
    """
    edges = [*table.first_records().tolist(), table.n_records]
    schedules, doses, readings = [], list[FlatDose](), list[tuple[int, int, int]]()
    for subject, (first, last) in enumerate(zip(edges, edges[1:], strict=False)):
        walk = _Subject(table, dosing, carry, range(first, last))
        schedules.append(walk.rows())
        doses += walk.doses
        readings += [(record, subject, k) for k, record in enumerate(walk.read)]
    return Unrolled(
        schedule_from_rows(schedules),
        tuple(doses),
        np.array(readings, dtype=np.int64).reshape(-1, 3),
    )


class _Subject:
    """One subject's way through its records."""

    def __init__(
        self, table: EventTable, dosing: DosingModel, carry: Carry, records: range
    ) -> None:
        self.table, self.dosing, self.carry, self.records = table, dosing, carry, records
        self.out: list[Row] = []
        self.doses: list[FlatDose] = []
        self.read: list[int] = []
        self.running = RunningInfusions()
        self.queue: list[_Happening] = []
        self.n_queued = 0
        self.parameters = dosing.parameters[:, records[0]]

    def rows(self) -> list[Row]:
        for record in self.records:
            now = float(self.table.time_ms[record])
            self.run_queue(until=now)
            if self.carry == "locf":
                self.set_parameters(record, now)
            self.do_record(record, now)
            if self.carry == "nocb" and record + 1 in self.records:
                self.set_parameters(record + 1, now)
        return self.out

    def emit(self, time_ms: float, action: Action, target: int = 0, value: float = 0.0) -> None:
        self.out.append((time_ms / MS_PER_DAY, action, target, value))

    def set_parameters(self, record: int, now: float) -> None:
        values = self.dosing.parameters[:, record]
        for p in np.flatnonzero(values != self.parameters):
            self.emit(now, Action.PARAMETER, int(p), float(values[p]))
        self.parameters = values

    # What waits to happen: starts of derived doses and ends of infusions.

    def push(self, happening: _Happening) -> None:
        heapq.heappush(self.queue, happening)

    def run_queue(self, until: float) -> None:
        while self.queue and self.queue[0].time <= until:
            happening = heapq.heappop(self.queue)
            if happening.ends is not None:
                self.enter(happening.time, self.running.finish(happening.ends))
            elif happening.start is not None:
                self.start(happening.time, happening.start)

    def start(self, now: float, dose: Administration) -> None:
        self.enter(now, self.running.begin(dose))
        if dose.rate_per_day:
            self.n_queued += 1
            self.push(_Happening(dose.end, _END, self.n_queued, -1, ends=dose))

    def enter(self, now: float, entry: Entry | None) -> None:
        if entry is not None:
            self.emit(now, *entry)

    # Records.

    def do_record(self, record: int, now: float) -> None:
        t = self.table
        evid, steady = int(t.evid[record]), int(t.steady_state[record])
        if evid == OBSERVATION:
            self.emit(now, Action.READING, len(self.read))
            self.read.append(record)
        elif evid in (RESET, RESET_AND_DOSE):
            self.cancel_everything()
            self.emit(now, Action.RESET)
        if evid in (DOSE, RESET_AND_DOSE):
            if steady == 1:
                self.cancel_everything()
                self.emit(now, Action.RESET)
                self.live_past(record, now)
            elif steady == 2:
                self.add_steady_state(record, now)
            if not self.is_constant_infusion(record):
                self.give(record, now)
        elif evid not in (OBSERVATION, RESET):
            self.emit(now, Action.STOP)

    def cancel_everything(self) -> None:
        self.running, self.queue = RunningInfusions(), []

    def is_constant_infusion(self, record: int) -> bool:
        t = self.table
        return bool(t.steady_state[record] and t.amount[record] == 0 and t.rate[record] > 0)

    def dose_of(self, record: int) -> tuple[int, float, float, float]:
        """Target, amount given, rate (mg/day, 0 for a bolus) and duration (ms) of a record."""
        t, d = self.table, self.dosing
        target = d.targets[int(t.compartment[record]) - 1]
        amount = float(t.amount[record] * d.bioavailability[record])
        rate, duration = float(t.rate[record]), float(t.duration_ms[record])
        if rate == MODELLED_RATE:
            rate = self.modelled(record, d.modelled_rate, "RATE is -1", "rate")
        elif rate == MODELLED_DURATION:
            duration = self.modelled(record, d.modelled_duration_ms, "RATE is -2", "duration")
            rate = 0.0
        if rate > 0:
            return target, amount, rate, amount / rate * MS_PER_DAY
        if duration > 0:
            return target, amount, amount / duration * MS_PER_DAY, duration
        return target, amount, 0.0, 0.0

    def modelled(self, record: int, values: NDArray[np.float64], found: str, what: str) -> float:
        value = float(values[record])
        if not value > 0:
            raise DoseError(
                f"{self.where(record)}: {found}, but no column gives a {what}; "
                f"name it with --{what}-column"
            )
        return value

    def where(self, record: int) -> str:
        t = self.table
        return f"row {t.line[record]} (ID {t.label[record]}, TIME {t.time_text[record]})"

    def give(self, record: int, now: float) -> None:
        """Give the dose of a record and queue its additional doses."""
        t = self.table
        target, amount, rate, duration = self.dose_of(record)
        lag, interval = float(self.dosing.lag_ms[record]), float(t.interval_ms[record])
        for k in range(int(t.additional[record]) + 1):
            begin = now + k * interval + lag
            dose = Administration(target, amount, rate, begin + duration)
            self.note(record, f"additional {k}" if k else "dose", begin, duration, amount, rate)
            if k == 0 and lag == 0:
                self.start(begin, dose)
            else:
                self.n_queued += 1
                self.push(_Happening(begin, _DERIVED, self.n_queued, record, start=dose))

    def note(
        self, record: int, kind: str, begin: float, duration: float, amount: float, rate: float
    ) -> None:
        t = self.table
        self.doses.append(
            FlatDose(
                str(t.label[record]),
                int(t.line[record]),
                kind,
                begin / MS_PER_DAY,
                (begin + duration) / MS_PER_DAY,
                self.dosing.compartments[int(t.compartment[record]) - 1],
                amount,
                rate,
            )
        )

    # Steady state.

    def past_doses(self, record: int, now: float) -> list[tuple[float, float, float, float]]:
        """Start, amount, rate and duration of the doses of the long past, first one first."""
        t, past_ms = self.table, float(self.dosing.past_day[record]) * MS_PER_DAY
        _, amount, rate, duration = self.dose_of(record)
        if not math.isfinite(past_ms):
            raise DoseError(f"{self.where(record)}: SS, but this model reaches no steady state")
        if self.is_constant_infusion(record):
            return [(now - past_ms, rate * past_ms / MS_PER_DAY, rate, past_ms)]
        interval, lag = float(t.interval_ms[record]), float(self.dosing.lag_ms[record])
        n = math.ceil((past_ms + duration + lag) / interval)
        if n > LONGEST_PAST_DOSES:
            raise DoseError(
                f"{self.where(record)}: SS needs {n} past doses; give a longer II or write the "
                "doses out"
            )
        return [(now + lag - k * interval, amount, rate, duration) for k in range(n, 0, -1)]

    def live_past(self, record: int, now: float) -> None:
        """Set the clock back and give the doses of the past; what still runs then goes on."""
        target = self.dose_of(record)[0]
        past = self.past_doses(record, now)
        self.emit(now, Action.CLOCK, 0, past[0][0] / MS_PER_DAY)
        for begin, amount, rate, duration in past:
            self.note(record, "steady-state past", begin, duration, amount, rate)
            dose = Administration(target, amount, rate, begin + duration)
            self.n_queued += 1
            self.push(_Happening(begin, _DERIVED, self.n_queued, record, start=dose))
        self.run_queue(until=now)
        self.emit(now, Action.STOP)

    def add_steady_state(self, record: int, now: float) -> None:
        """SS 2: the steady state is added to what is there; what runs or waits goes on."""
        kept_running, kept_queue = self.running, self.queue
        self.running, self.queue = RunningInfusions(), []
        self.emit(now, Action.SET_ASIDE)
        self.live_past(record, now)
        self.emit(now, Action.ADD_BACK)
        self.running.infusions = kept_running.infusions + self.running.infusions
        self.queue = sorted(kept_queue + self.queue)
        for target in self.running.targets():
            self.emit(now, *self.running.rate(target))


def dose_columns(doses: Sequence[FlatDose]) -> Mapping[str, list[object]]:
    """Flat doses as columns of a table."""
    names = (
        "subject",
        "line",
        "kind",
        "start_day",
        "end_day",
        "compartment",
        "amount_mg",
        "rate_mg_per_day",
    )
    return {name: [getattr(dose, name) for dose in doses] for name in names}
