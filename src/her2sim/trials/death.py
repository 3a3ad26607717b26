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


@cache
def death_facts() -> NumberFile:
    """The numbers that come with her2sim."""
    return read_fact_file(files("her2sim.trials").joinpath("death.toml"), NumberFile)


def death_days(people: VirtualCohort, progressed_day: Array) -> Array:
    """Day of death of each patient, shape (n,); ``progressed_day`` is infinite without it."""
    facts, cohort = death_facts().parameter, people.cohort
    types = people.tumours.traits["tumour_type"]
    months = [facts[f"after_line_{k}"].to("month") for k in range(1, LAST_LINE + 1)]
    medians = (
        np.array(
            [
                of_type(f"after_line_{k}", np.full(cohort.n_patients, month), types, people.members)
                for k, month in enumerate(months, start=1)
            ]
        )
        * DAY_PER_MONTH
    )
    before, after = draw_levels(cohort.seed, cohort.numbers)
    earlier = people.tumours.traits["earlier_lines"]
    return days_of(before, after, progressed_day, earlier, medians)


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
    line = np.minimum(earlier_lines + 1, LAST_LINE)
    own = median_day[line - 1, np.arange(line.size)]
    lived = own * (after / np.log(2)) ** (1 / facts["shape"].value)
    found: Array = np.minimum(
        before / facts["before_progression"].to("1/day"), progressed_day + lived
    )
    return found
