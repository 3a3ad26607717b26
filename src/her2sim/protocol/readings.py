"""Readings of a visit: the true value of a patient, and the error of the measurement apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from her2sim.errors import UnknownNameError, did_you_mean
from her2sim.patients.cohort import Cohort
from her2sim.protocol.variables import CLOCKS, VARIABLES
from her2sim.random import Purpose, normals

Array = NDArray[np.float64]
Positions = NDArray[np.int64]
Truth = Callable[[float, Positions], Array]
"""True value on a day of the patients at some positions of the cohort."""


class Readings(Interface):
    """Where readings come from."""

    def has(self, variable: str) -> bool:
        """Whether a variable is measured at all."""
        ...

    def measure(self, variable: str, day: float, who: Positions, repeat: int = 0) -> Array:
        """Measured values of some patients; NaN where nothing is measured."""
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

    def __post_init__(self) -> None:
        for name in (*self.truth, *self.error_sd):
            if name not in VARIABLES or name in CLOCKS:
                raise UnknownNameError(
                    f"{name!r} is nothing that is measured" + did_you_mean(name, VARIABLES)
                )

    def has(self, variable: str) -> bool:
        """Whether a variable is measured at all."""
        return variable in self.truth

    def measure(self, variable: str, day: float, who: Positions, repeat: int = 0) -> Array:
        """Measured values of some patients on a day."""
        value = np.asarray(self.truth[variable](day, who), dtype=np.float64)
        sd = self.error_sd.get(variable, 0.0)
        if sd == 0.0:
            return value
        cohort, name = self.cohort, f"{variable}:{day:g}:{repeat}"
        scores = normals(cohort.seed, cohort.replicate, cohort.numbers[who], Purpose.VISITS, name)
        limits = VARIABLES[variable]
        return np.clip(value + sd * scores, limits.low, limits.high)


@dataclass(frozen=True, eq=False)
class TableReadings:
    """Readings from records: the latest of a patient within some days up to the visit.

    ``patient`` (positions in the cohort), ``day`` and ``value`` have one entry a record, for each
    variable.
    """

    records: Mapping[str, tuple[Positions, Array, Array]]
    valid_days: float = 7.0

    def has(self, variable: str) -> bool:
        """Whether there is any record of a variable."""
        return variable in self.records

    def measure(self, variable: str, day: float, who: Positions, repeat: int = 0) -> Array:
        """Recorded values of some patients; NaN without a recent one, and for a repeat."""
        patient, days, values = self.records[variable]
        found = np.full(who.size, np.nan)
        if repeat:
            return found
        recent = (days <= day) & (days > day - self.valid_days)
        order = np.flatnonzero(recent)[np.argsort(days[recent], kind="stable")]
        place = {int(p): k for k, p in enumerate(who)}
        for record in order:
            if int(patient[record]) in place:
                found[place[int(patient[record])]] = values[record]
        return found
