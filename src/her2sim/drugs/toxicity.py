"""What a drug costs: how it acts on the heart and on blood counts."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import Field

from her2sim.drugs.drug import load_drug
from her2sim.facts import FactFile, FactModel, UncertainQuantity, read_fact_file

Line = Literal["neutrophils", "platelets"]
LINES: tuple[Line, ...] = ("neutrophils", "platelets")


class OnHeart(FactModel):
    """Effect on the heart for a concentration, relative to trastuzumab."""

    weight: UncertainQuantity


class OnBlood(FactModel):
    """A published (or calibrated) set for one cell line: the line itself and the drug's effect.

    ``lasting_*``: in a share of patients the count that feedback aims at drifts down while the drug
    is given.
    """

    base: UncertainQuantity
    maturation: UncertainQuantity
    feedback: UncertainQuantity
    slope: UncertainQuantity
    lasting_share: UncertainQuantity | None = None
    lasting_left: UncertainQuantity | None = None
    lasting_rate: UncertainQuantity | None = None
    lasting_switch: UncertainQuantity | None = None

    @property
    def is_lasting(self) -> bool:
        """Whether the count drifts in some patients."""
        return self.lasting_share is not None


class Toxicity(FactFile):
    """What is known of the harm of a drug."""

    drug: str
    heart: OnHeart | None = None
    blood: dict[Line, OnBlood] = Field(default_factory=dict)


@cache
def load_toxicity(name: str) -> Toxicity:
    """The harm of a drug; empty if nothing is known of it."""
    drug = load_drug(name)
    path = files("her2sim.drugs").joinpath(drug.substance or drug.id, "toxicity.toml")
    return read_fact_file(path, Toxicity) if path.is_file() else Toxicity(drug=drug.id)
