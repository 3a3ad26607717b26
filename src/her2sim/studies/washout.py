"""Washout: how long a drug is still there after its last dose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from her2sim.arrays import Array, Progress
from her2sim.errors import DataError
from her2sim.notice import NOTICE
from her2sim.patients.cohort import Cohort
from her2sim.patients.population import Population
from her2sim.pk.exposure_run import CHUNK, cohort_chunks, simulate
from her2sim.pk.treatment import Treatment
from her2sim.studies.exposure import notes
from her2sim.units import DAY_PER_WEEK

if TYPE_CHECKING:
    import polars as pl

POINTS = 560
"""Times after the last dose at which patients are looked at: twice a day over 40 weeks."""
QUANTILES = {"p5": 0.05, "median": 0.5, "p95": 0.95}


@dataclass(frozen=True, eq=False)
class WashoutReport:
    """Share of patients below a concentration, against time since the last dose.

    ``time_day`` and ``share_below`` have shape (POINTS + 1,); ``below_day`` has one entry a
    patient: days from the last dose until the concentration is below the level for good (infinite
    if it still is not at the end of the follow-up).
    """

    treatment: Treatment
    population: str
    patients: int
    seed: int
    cycles: int
    level: float
    time_day: Array
    share_below: Array
    below_day: Array
    notes: tuple[str, ...]

    def quantile_day(self, name: str) -> float:
        """Days until a share of the patients (p5, median or p95) is below; may be infinite."""
        # An observed value, as one cannot interpolate towards patients who are still above.
        return float(np.quantile(self.below_day, QUANTILES[name], method="inverted_cdf"))

    def share_at_week(self, week: float) -> float:
        """Share below at a week of the follow-up."""
        return float(np.interp(week * DAY_PER_WEEK, self.time_day, self.share_below))

    @property
    def unit(self) -> str:
        """Unit of the level."""
        return self.treatment.pk.concentration_unit

    def weeks_shown(self) -> list[int]:
        """About ten weeks of the follow-up, evenly apart."""
        last = int(self.time_day[-1] // DAY_PER_WEEK)
        return list(range(0, last + 1, max(1, last // 10)))

    def frame(self) -> pl.DataFrame:
        """Share of patients below: one row a time after the last dose."""
        import polars as pl

        return pl.DataFrame({"day": self.time_day, "share_below": self.share_below})

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON; a time that was not reached is null."""
        days = {name: self.quantile_day(name) for name in QUANTILES}
        return {
            **self.treatment.as_dict(),
            "population": self.population,
            "patients": self.patients,
            "seed": self.seed,
            "cycles": self.cycles,
            "level": self.level,
            "unit": self.unit,
            "notice": NOTICE,
            "notes": list(self.notes),
            "days_after_last_dose": {k: v if np.isfinite(v) else None for k, v in days.items()},
            "share_below": [
                {"week": week, "share": self.share_at_week(week)} for week in self.weeks_shown()
            ],
        }


def washout_report(
    treatment: Treatment,
    population: Population | Cohort,
    patients: int,
    seed: int,
    cycles: int,
    level: float,
    weeks: int,
    progress: Progress | None = None,
    threads: int | None = None,
) -> WashoutReport:
    """Treat for a number of cycles, stop, and follow the concentration.

    Parameters
    ----------
    treatment : drug model and regimen
    population : distributions to draw from, or given patients
    patients, seed : how many, and their random numbers
    cycles : cycles of treatment; time counts from the last dose in them
    level : concentration, in the unit of the drug
    weeks : follow-up after the last dose

    Raises
    ------
    DataError
        If the level is not above zero.
    """
    if not 0 < level < np.inf:
        raise DataError(f"level {level:g}: must be above zero")
    if treatment.regimen.is_once and cycles > 1:
        raise DataError(f"{treatment.regimen.title}: it is one dose; follow it after 1 cycle")
    last_dose_day = treatment.regimen.doses(cycles)[-1].time_day
    time_day = np.linspace(0, weeks * DAY_PER_WEEK, POINTS + 1)
    count, found = np.zeros(time_day.size), []
    for cohort in cohort_chunks(population, patients, seed, CHUNK):
        course = simulate(
            treatment, cohort, cycles, grid_day=last_dose_day + time_day, threads=threads
        )
        below = days_until_below(course.grid, time_day, level)
        found.append(below)
        count += (below[:, None] <= time_day).sum(axis=0)
        if progress is not None:
            progress(sum(part.size for part in found), patients)
    return WashoutReport(
        treatment,
        population.name,
        patients,
        seed,
        cycles,
        level,
        time_day,
        count / patients,
        np.concatenate(found),
        tuple(notes(treatment, population)),
    )


def days_until_below(concentration: Array, time_day: Array, level: float) -> Array:
    """Time after which each row of ``concentration`` (n, n_times) stays below the level.

    Between two times the logarithm is taken as a straight line. A row never at the level gives
    zero; one still there at the last time, infinity.
    """
    last_time = time_day.size - 1
    is_above = concentration >= level
    ever = is_above.any(axis=1)
    last = np.where(ever, last_time - np.argmax(is_above[:, ::-1], axis=1), 0)
    rows, after = np.arange(len(concentration)), np.minimum(last + 1, last_time)
    high = np.maximum(concentration[rows, last], level)
    low = np.clip(concentration[rows, after], np.finfo(float).tiny, level)
    fall = np.log(high / low)
    part = np.log(high / level) / np.where(fall > 0, fall, 1)
    crossing = time_day[last] + part * (time_day[after] - time_day[last])
    return np.where(ever, np.where(last == last_time, np.inf, crossing), 0.0)
