"""Readings of a visit: the true value of a patient, and the error of the measurement apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Positions
from her2sim.errors import UnknownNameError, did_you_mean
from her2sim.patients.cohort import Cohort
from her2sim.protocol.recorder import TreatmentRecorder
from her2sim.protocol.variables import CLOCKS, VARIABLES
from her2sim.random import Purpose, codes_by

Truth = Callable[[Array, Positions], Array]
"""True value of the patients at some positions of the cohort, each on a day of its own."""


@dataclass(frozen=True, eq=False)
class Visit:
    """Patients who are seen, each on a day of its own, and when each was seen before.

    Both days have shape (n of who,); one day stands for all. Minus infinity: never before.
    """

    day: Array
    who: Positions
    since_day: Array

    def __post_init__(self) -> None:
        day = np.asarray(self.day, dtype=np.float64)
        if day.shape != self.who.shape:
            day = np.broadcast_to(day, self.who.size)
        object.__setattr__(self, "day", day)

    def of(self, chosen: NDArray[np.bool_]) -> Visit:
        """The visit of some of them."""
        return Visit(self.day[chosen], self.who[chosen], self.since_day[chosen])


class Readings(Interface):
    """Where readings come from."""

    @property
    def is_scheduled(self) -> bool:
        """Whether tests are made on the label's schedule; else each visit sees what is new."""
        ...

    def has(self, variable: str) -> bool:
        """Whether a variable is measured at all."""
        ...

    def arrive(self, visit: Visit, recorder: TreatmentRecorder) -> None:
        """Patients come to a visit; the recorder holds all doses that were given so far."""
        ...

    def parts(self, visit: Visit) -> Iterable[Visit]:
        """The visit, cut where readings of several days act one after the other."""
        ...

    def next_day(self, who: Positions) -> Array:
        """When patients are to be seen next whatever is given; infinite if at doses only."""
        ...

    def measure(self, variable: str, visit: Visit, repeat: int = 0) -> Array:
        """Measured values of the patients of a visit; NaN where nothing is measured."""
        ...

    def note(self, variable: str, visit: Visit, values: Array) -> None:
        """Keep what was measured at a visit."""
        ...


@dataclass(frozen=True, eq=False)
class ModelledReadings:
    """Readings from models of the true value, with a normal error of measurement.

    A reading depends on the patient, the variable, the day and whether it is a repeat, and on
    nothing else. Variables without a model are not measured.
    """

    cohort: Cohort
    truth: Mapping[str, Truth]
    error_sd: Mapping[str, float] = field(default_factory=dict)

    is_scheduled = True

    def __post_init__(self) -> None:
        for name in (*self.truth, *self.error_sd):
            if name not in VARIABLES or name in CLOCKS:
                raise UnknownNameError(
                    f"{name!r} is nothing that is measured" + did_you_mean(name, VARIABLES)
                )

    def has(self, variable: str) -> bool:
        """Whether a variable is measured at all."""
        return variable in self.truth

    def arrive(self, visit: Visit, recorder: TreatmentRecorder) -> None:
        """The truth is known for every day: nothing to do."""

    def parts(self, visit: Visit) -> Iterable[Visit]:
        """Measured once a visit."""
        return (visit,)

    def next_day(self, who: Positions) -> Array:
        """Patients are seen at doses only."""
        return np.full(who.size, np.inf)

    def measure(self, variable: str, visit: Visit, repeat: int = 0) -> Array:
        """Measured values of the patients of a visit."""
        day, who = visit.day, visit.who
        value = np.asarray(self.truth[variable](day, who), dtype=np.float64)
        sd = self.error_sd.get(variable, 0.0)
        if sd == 0.0:
            return value
        stream = self.cohort.stream(Purpose.VISITS).of(who)
        scores = stream.normal(codes_by(lambda one: f"{variable}:{one:g}:{repeat}", day))
        limits = VARIABLES[variable]
        return np.clip(value + sd * scores, limits.low, limits.high)

    def note(self, variable: str, visit: Visit, values: Array) -> None:
        """Nothing is kept."""


@dataclass(frozen=True, eq=False)
class TableReadings:
    """Readings from records: at a visit, those of a patient since the visit before, day by day.

    What was read before the first visit is the baseline: the latest reading of each variable.
    ``records`` holds, for each variable, patients (positions in the cohort), days and values.
    """

    records: Mapping[str, tuple[Positions, Array, Array]]

    is_scheduled = False

    def has(self, variable: str) -> bool:
        """Whether there is any record of a variable."""
        return variable in self.records

    def arrive(self, visit: Visit, recorder: TreatmentRecorder) -> None:
        """Records are there already: nothing to do."""

    def parts(self, visit: Visit) -> Iterable[Visit]:
        """A part for each day on which something was read since the visit before."""
        seen = np.isfinite(visit.since_day)
        if not seen.any():
            return (visit,)
        after, until = float(visit.since_day[seen].min()), float(visit.day.max())
        days = [days for _, days, _ in self.records.values()]
        known = np.unique(np.concatenate(days)) if days else np.empty(0)
        parts, before = list[Visit](), -np.inf
        for edge in (*known[(known > after) & (known < until)].tolist(), until):
            day = np.minimum(visit.day, edge)
            first = np.where(edge == until, -np.inf, np.inf)  # a baseline is read once
            since = np.where(seen, np.maximum(visit.since_day, before), first)
            parts.append(Visit(day, visit.who, since))
            before = edge
        return parts

    def next_day(self, who: Positions) -> Array:
        """Patients are seen at doses only."""
        return np.full(who.size, np.inf)

    def measure(self, variable: str, visit: Visit, repeat: int = 0) -> Array:
        """Recorded values of the patients of a visit; NaN without a new one, and for a repeat."""
        patient, days, values = self.records[variable]
        found = np.full(visit.who.size, np.nan)
        if repeat or not visit.who.size:
            return found
        order = np.argsort(visit.who)
        place = order[np.searchsorted(visit.who, patient, sorter=order).clip(max=order.size - 1)]
        is_new = (visit.who[place] == patient) & (days <= visit.day[place])
        is_new &= days > visit.since_day[place]
        records = np.flatnonzero(is_new)
        records = records[np.argsort(days[records], kind="stable")]
        found[place[records]] = values[records]  # the latest is written last
        return found

    def note(self, variable: str, visit: Visit, values: Array) -> None:
        """Records are there already: nothing to keep."""
