"""Numbers of scans and tests: limits of RECIST 1.1, intervals, what is normal."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from her2sim.facts import NumberFile, read_fact_file


@cache
def assessment_facts() -> NumberFile:
    """The numbers that come with her2sim."""
    path = files("her2sim.virtual_patient").joinpath("assessments.toml")
    return read_fact_file(path, NumberFile)


def assessment_number(name: str) -> float:
    """One of the numbers."""
    return assessment_facts().parameter[name].value
