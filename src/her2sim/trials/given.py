"""Which patients get which of some regimens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from her2sim.arrays import Positions
from her2sim.pk.combination import load_combination
from her2sim.pk.treatment import Treatment
from her2sim.random import Purpose, Stream
from her2sim.trials.early_design import Given


def given_groups(
    given: Sequence[Given], numbers: Positions, seed: int, name: str = "trial:regimen"
) -> Iterator[tuple[str, Sequence[Treatment], Positions]]:
    """Which patients get which of some regimens; those that nobody gets are left out."""
    if not given:
        return
    drawn = Stream(seed, 0, numbers, Purpose.COVARIATES).uniform(name)
    edges = np.cumsum([part.share for part in given])[:-1]
    place = np.searchsorted(edges, drawn, side="right")
    for number, part in enumerate(given):
        rows = np.flatnonzero(place == number)
        if rows.size:
            yield part.name, load_combination(part.name).treatments, rows
