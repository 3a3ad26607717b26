"""What was given and what was decided: the dose ledger, the decision log, dose intensity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from her2sim.regimens.dose import ROUTES
from her2sim.regimens.dose_rows import Doses

if TYPE_CHECKING:
    import polars as pl

Array = NDArray[np.float64]
Whole = NDArray[np.int64]


class Why(IntEnum):
    """Why a dose has its size."""

    LOADING = 0
    MAINTENANCE = 1
    RELOAD = 2
    SUBSTITUTE = 3


class Decision(IntEnum):
    """What a rule did."""

    HOLD = 0
    RESUME = 1
    REDUCE = 2
    STOP = 3


class Cause(IntEnum):
    """What of a rule acted: a condition, a limit, or the same rule on a partner."""

    HOLD_WHEN = 0
    RESUME_WHEN = 1
    ONE_DOWN = 2
    STOP_WHEN = 3
    STOP_HELD_WHEN = 4
    MAX_HOLD_DAYS = 5
    MAX_HOLDS = 6
    NO_LOWER_LEVEL = 7
    PARTNER = 8


@dataclass(frozen=True, eq=False)
class Ledger:
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

    def take(self, rows: Whole | NDArray[np.bool_]) -> Ledger:
        """Some of the entries."""
        return Ledger(**{name: values[rows] for name, values in vars(self).items()})

    def of(self, drug: int) -> Ledger:
        """The doses of one drug, patient by patient."""
        chosen = np.flatnonzero(self.drug == drug)
        return self.take(chosen[np.lexsort((self.day[chosen], self.patient[chosen]))])

    def dose_by_dose(self) -> Ledger:
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
        """The ledger as a table."""
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


@dataclass(frozen=True, eq=False)
class DecisionLog:
    """Decisions of rules: one entry each; ``rule`` is the position in ``rules``.

    ``cause`` is what of the rule acted (a Cause). ``reading`` is the value of the rule's first
    variable that was measured then; NaN where a partner's rule acted.
    """

    patient: Whole
    drug: Whole
    day: Array
    rule: Whole
    decision: Whole
    cause: Whole
    reading: Array
    rules: tuple[str, ...]

    def frame(self, numbers: Whole, drugs: tuple[str, ...]) -> pl.DataFrame:
        """The log as a table."""
        import polars as pl

        return pl.DataFrame(
            {
                "patient": numbers[self.patient],
                "drug": np.array(drugs)[self.drug],
                "day": self.day,
                "decision": np.array([d.name.lower() for d in Decision])[self.decision],
                "rule": np.array(self.rules)[self.rule],
                "cause": np.array([c.name.lower() for c in Cause])[self.cause],
                "reading": self.reading,
            }
        ).sort("patient", "day", "drug", "rule")


def relative_dose_intensity(
    ledger: Ledger,
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
    ledger, drug : what was given
    interval_day : planned interval
    planned_day : array of shape (most doses,)
    planned_mg : array of shape (n_patients, most doses), the planned amounts in order
    """
    own = ledger.of(drug)
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
