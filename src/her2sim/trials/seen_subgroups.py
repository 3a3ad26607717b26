"""What trials saw of traits by which treatment could be chosen, beside what was predicted of them.

The file is written by ``make trials``, from the published figures of the trials and a run of each.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from her2sim.facts import FactModel
from her2sim.trials.measures import PAIRS, SUBGROUPS

FILE = "subgroups.toml"
Verdict = Literal["supported", "not seen", "contradicted"]


class SeenContrast(FactModel):
    """A ratio between two groups of patients of a trial; 1 is no difference, ranges are of 90 %.

    ``over`` is empty where it is the whole trial, ``arm`` where it is all arms. ``verdict`` says
    what the published figure makes of the predicted one: *supported* (it shows the difference that
    is predicted, or that there is none to speak of where none is predicted), *not seen* (it is too
    uncertain to tell) or *contradicted* (they differ by more than their errors).
    """

    trait: str
    trial: str
    arm: str
    versus: str
    what: str
    group: str
    over: str
    published: float
    published_low: float
    published_high: float
    predicted: float
    low: float
    high: float
    verdict: Verdict
    source: str


class SeenSubgroups(FactModel):
    """All contrasts."""

    contrast: tuple[SeenContrast, ...] = ()


@cache
def seen_subgroups() -> tuple[SeenContrast, ...]:
    """Those of the trials that come with her2sim."""
    text = files("her2sim.trials").joinpath(FILE).read_text(encoding="utf-8")
    return SeenSubgroups.model_validate(tomllib.loads(text)).contrast


def trait_names(trait: str) -> frozenset[str]:
    """Traits of a tumour behind one by which treatment could be chosen."""
    return frozenset(SUBGROUPS[name][0] for pair in PAIRS[trait] for name in pair)
