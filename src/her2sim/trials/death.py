"""When patients of a trial die: before progression by chance, after it by the line of treatment.

Overall survival is empirical: the size of a tumour says little about it in breast cancer, so a
difference between arms beyond that of progression is not predicted.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from her2sim.biology.people import People
from her2sim.facts import FactFile, UncertainQuantity, read_fact_file
from her2sim.random import Purpose, uniforms

Array = NDArray[np.float64]
LAST_LINE = 3


class DeathFacts(FactFile):
    """Numbers of the model."""

    parameter: dict[str, UncertainQuantity]


@cache
def death_facts() -> DeathFacts:
    """The numbers that come with her2sim."""
    return read_fact_file(files("her2sim.trials").joinpath("death.toml"), DeathFacts)


def death_days(people: People, progressed_day: Array) -> Array:
    """Day of death of each patient, shape (n,); ``progressed_day`` is infinite without it."""
    facts, cohort = death_facts().parameter, people.cohort
    key = (cohort.seed, cohort.replicate, cohort.numbers, Purpose.HAZARDS)
    before = -np.log(uniforms(*key, "death before progression"))
    before = before / facts["before_progression"].to("1/day")
    line = np.minimum(people.tumours.traits["earlier_lines"] + 1, LAST_LINE)
    medians = [facts[f"after_line_{k}"].to("day") for k in range(1, LAST_LINE + 1)]
    shape = facts["shape"].value
    level = -np.log(uniforms(*key, "death after progression")) / np.log(2)
    after = np.array(medians)[line - 1] * level ** (1 / shape)
    found: Array = np.minimum(before, progressed_day + after)
    return found
