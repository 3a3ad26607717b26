"""Fever in neutropenia: the numbers."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from her2sim.facts import NumberFile, read_fact_file

OWNER = "blood"


@cache
def blood_facts() -> NumberFile:
    """The numbers that come with her2sim."""
    return read_fact_file(files("her2sim.biology").joinpath("blood.toml"), NumberFile)
