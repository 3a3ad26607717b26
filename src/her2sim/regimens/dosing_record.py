"""What was given: the dosing record of a cohort, and relative dose intensity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Whole
from her2sim.regimens.dose import ROUTES
from her2sim.regimens.dose_rows import Doses

if TYPE_CHECKING:
    import polars as pl


class Why(IntEnum):
    """Why a dose has its size."""

    LOADING = 0
    MAINTENANCE = 1
    RELOAD = 2
    SUBSTITUTE = 3


@dataclass(frozen=True, eq=False)
class DosingRecord:
    """Doses that were given, in order of day: one entry a dose, or one for tablets of some days.

    ``patient`` is the position in the cohort, ``drug`` that in the regimen; ``dose_mg`` is the
    amount of each dose before bioavailability, ``level`` the dose level (0 the full dose),
    ``route`` the position in ROUTES. Tablets are taken ``number`` times, every ``every_day`` days
    from ``day`` on; anything else has 1 and 0.
    """

    patient: Whole
    drug: Whole
    day: Array
    dose_mg: Array
    duration_min: Array
    level: Whole
    why: Whole
    route: Whole
    number: Whole
    every_day: Array

    def take(self, rows: Whole | NDArray[np.bool_]) -> DosingRecord:
        """Some of the entries."""
        return DosingRecord(**{name: values[rows] for name, values in vars(self).items()})

    def of(self, drug: int) -> DosingRecord:
        """The doses of one drug, patient by patient."""
        chosen = np.flatnonzero(self.drug == drug)
        return self.take(chosen[np.lexsort((self.day[chosen], self.patient[chosen]))])

    def of_patients(self, patients: Whole) -> DosingRecord:
        """Entries of some patients, who count from 0 in the order given; one may come again."""
        order = np.argsort(self.patient, kind="stable")
        first = np.searchsorted(self.patient[order], patients, side="left")
        number = np.searchsorted(self.patient[order], patients, side="right") - first
        new = np.repeat(np.arange(patients.size), number)
        within = np.arange(new.size) - np.repeat(np.cumsum(number) - number, number)
        return replace(self.take(order[first[new] + within]), patient=new)

    def dose_by_dose(self) -> DosingRecord:
        """The same with an entry for each tablet that was taken."""
        rows = np.repeat(np.arange(self.day.size), self.number)
        first = np.repeat(np.cumsum(self.number) - self.number, self.number)
        found = self.take(rows)
        day = found.day + (np.arange(rows.size) - first) * found.every_day
        ones, zeros = np.ones_like(found.number), np.zeros_like(day)
        return replace(found, day=day, number=ones, every_day=zeros)

    def doses(self) -> Doses:
        """What of it becomes schedule rows (of one drug, as :meth:`of` gives it)."""
        return Doses(
            self.patient, self.day, self.dose_mg, self.duration_min, self.route, self.number,
            self.every_day,
        )  # fmt: skip

    def frame(self, numbers: Whole, drugs: tuple[str, ...]) -> pl.DataFrame:
        """The record as a table."""
        import polars as pl

        return pl.DataFrame(
            {
                "patient": numbers[self.patient],
                "drug": np.array(drugs)[self.drug],
                "day": self.day,
                "dose_mg": self.dose_mg,
                "duration_min": self.duration_min,
                "level": self.level,
                "why": np.array([w.name.lower() for w in Why])[self.why],
                "route": np.array(ROUTES)[self.route],
                "number": self.number,
                "every_day": self.every_day,
            }
        ).sort("patient", "day", "drug")


def relative_dose_intensity(
    record: DosingRecord,
    drug: int,
    n_patients: int,
    interval_day: float,
    planned_day: Array,
    planned_mg: Array,
) -> Array:
    """Dose a day that was given over that which was planned for as many doses.

    Given: mg over the days from the first to the last dose and one interval. Planned: the same of
    as many planned doses. NaN for a patient without a dose.

    Parameters
    ----------
    record, drug : what was given
    interval_day : planned interval
    planned_day : array of shape (most doses,)
    planned_mg : array of shape (n_patients, most doses), the planned amounts in order
    """
    own = record.of(drug)
    n_doses = np.bincount(own.patient, weights=own.number, minlength=n_patients).astype(np.int64)
    given = np.bincount(own.patient, weights=own.dose_mg * own.number, minlength=n_patients)
    first = np.full(n_patients, np.inf)
    last = np.full(n_patients, -np.inf)
    np.minimum.at(first, own.patient, own.day)
    np.maximum.at(last, own.patient, own.day + (own.number - 1) * own.every_day)
    treated = n_doses > 0
    ratio = np.full(n_patients, np.nan)
    place = n_doses[treated] - 1
    planned = planned_mg.cumsum(axis=1)[treated, place]
    per_day = given[treated] / (last[treated] - first[treated] + interval_day)
    ratio[treated] = per_day / (planned / (planned_day[place] - planned_day[:1] + interval_day))
    return ratio
