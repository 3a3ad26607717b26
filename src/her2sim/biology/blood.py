"""Fever in neutropenia: the numbers."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from her2sim.facts import FactFile, UncertainQuantity, read_fact_file

OWNER = "blood"


class BloodFacts(FactFile):
    """Numbers of fever in neutropenia."""

    parameter: dict[str, UncertainQuantity]


@cache
def blood_facts() -> BloodFacts:
    """The numbers that come with her2sim."""
    return read_fact_file(files("her2sim.biology").joinpath("blood.toml"), BloodFacts)
