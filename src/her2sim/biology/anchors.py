"""Clinical figures that chose a parameter, and trials that must not."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from pydantic import Field, model_validator

from her2sim.facts import Claim, FactFile, read_fact_file


class SafetyAnchor(Claim):
    """A published figure that was used; ``used_for`` names parameters as ``OWNER:NAME``."""

    trial: str
    arm: str
    figure: str
    value: float
    unit: str
    used_for: tuple[str, ...] = Field(min_length=1)


class Anchors(FactFile):
    """What was used, and what stays out."""

    predictions: tuple[str, ...]
    anchor: tuple[SafetyAnchor, ...]

    @model_validator(mode="after")
    def _are_apart(self) -> Anchors:
        both = sorted({a.trial for a in self.anchor} & set(self.predictions))
        if both:
            raise ValueError(f"{', '.join(both)}: a prediction cannot be an anchor")
        return self

    def parameters(self) -> frozenset[str]:
        """Parameters that an anchor chose."""
        return frozenset(name for anchor in self.anchor for name in anchor.used_for)


@cache
def anchors() -> Anchors:
    """The list that comes with her2sim."""
    return read_fact_file(files("her2sim.biology").joinpath("anchors.toml"), Anchors)
