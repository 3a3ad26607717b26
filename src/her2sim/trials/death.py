"""When patients of a trial die: before progression by chance, after it by the line of treatment.

Overall survival is empirical: the size of a tumour says little about it in breast cancer, so a
difference between arms beyond that of progression is not predicted.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array
from her2sim.biology.tumour_type import of_type
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.facts import NumberFile, read_fact_file
from her2sim.random import Purpose, Stream
from her2sim.units import DAY_PER_MONTH

LAST_LINE = 3
RECENT_YEAR = 2018
"""First patients of trials whose times from progression to death are those of the files."""


@cache
def death_facts() -> NumberFile:
    """The numbers that come with her2sim."""
    return read_fact_file(files("her2sim.trials").joinpath("death.toml"), NumberFile)


def death_days(people: VirtualCohort, progressed_day: Array, began: int | None = None) -> Array:
    """Day of death of each patient, shape (n,).

    Parameters
    ----------
    people : patients
    progressed_day : infinite without progression, shape (n,)
    began : the year in which the first of them came; a recent one if not given
    """
    cohort = people.cohort
    before, after = draw_levels(cohort.seed, cohort.numbers)
    earlier = people.tumours.traits["earlier_lines"]
    return days_of(before, after, progressed_day, earlier, medians_after(people, began))


def medians_after(people: VirtualCohort, began: int | None = None) -> Array:
    """Median days from progression to death in lines 1 to 3 of each patient, shape (3, n)."""
    facts, one = death_facts().parameter, np.ones(people.cohort.n_patients)

    def of(name: str, usual: float) -> Array:
        types = people.tumours.traits["tumour_type"]
        return of_type(name, usual * one, types, people.members)

    decades = ((began or RECENT_YEAR) - RECENT_YEAR) / 10
    months = [
        of(f"after_line_{k}", facts[f"after_line_{k}"].to("month")) for k in range(1, LAST_LINE + 1)
    ]
    found: Array = np.array(months) * DAY_PER_MONTH * of("after_per_decade", 1.0) ** decades
    return found


def own_median(median_day: Array, earlier_lines: NDArray[np.int64]) -> Array:
    """The median time from progression to death of each patient, by the line of treatment, (n,)."""
    line = np.minimum(earlier_lines + 1, LAST_LINE)
    found: Array = median_day[line - 1, np.arange(line.size)]
    return found


def draw_levels(seed: int, numbers: NDArray[np.int64]) -> tuple[Array, Array]:
    """Cumulative hazards at which patients die before, and after progression, shape (n,) each."""
    stream = Stream(seed, 0, numbers, Purpose.HAZARDS)
    before = -np.log(stream.uniform("death before progression"))
    after = -np.log(stream.uniform("death after progression"))
    return before, after


def days_of(
    before: Array,
    after: Array,
    progressed_day: Array,
    earlier_lines: NDArray[np.int64],
    median_day: Array,
) -> Array:
    """Day of death of each patient.

    Parameters
    ----------
    before, after : levels of the cumulative hazards (:func:`draw_levels`)
    progressed_day : infinite without progression
    earlier_lines : lines of treatment before
    median_day : median time from progression to death in lines 1 to 3, shape (3, n)
    """
    facts = death_facts().parameter
    lived = own_median(median_day, earlier_lines) * (after / np.log(2)) ** (
        1 / facts["shape"].value
    )
    found: Array = np.minimum(
        before / facts["before_progression"].to("1/day"), progressed_day + lived
    )
    return found


def alive_share(day: Array, progressed_day: float, median_day: float) -> Array:
    """Share of patients that are alive, of those who progress on one day, shape of ``day``.

    Parameters
    ----------
    day : since the start of treatment, 0 or more
    progressed_day : infinite without progression
    median_day : median time from progression to death (:func:`own_median`)
    """
    facts = death_facts().parameter
    since = np.maximum(day - progressed_day, 0.0)
    hazard = facts["before_progression"].to("1/day") * day
    found: Array = np.exp(-hazard - np.log(2) * (since / median_day) ** facts["shape"].value)
    return found
