"""Blood counts: limits of their grades, and the numbers of fever in neutropenia."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from her2sim.facts import NumberFile, read_fact_file

OWNER = "blood"
CTCAE_LIMITS: Mapping[str, Mapping[int, float]] = {
    "neutrophils": {2: 1.5, 3: 1.0, 4: 0.5},
    "platelets": {2: 75.0, 3: 50.0, 4: 25.0},
}
"""Counts in 1e9 a litre below which a grade begins (CTCAE 5)."""


@cache
def blood_facts() -> NumberFile:
    """The numbers that come with her2sim."""
    return read_fact_file(files("her2sim.biology").joinpath("blood.toml"), NumberFile)
