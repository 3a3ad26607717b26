"""Baseline cardiovascular risk before HER2-targeted therapy (HFA-ICOS, ESC 2022)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import Field

from her2sim.facts import Claim, FactFile, FactModel, read_fact_file

Risk = Literal["low", "moderate", "high", "very high"]
Weight = Literal["very_high", "high", "medium_2", "medium_1"]
POINTS: dict[Weight, int] = {"medium_2": 2, "medium_1": 1}


class Measured(FactModel):
    """A factor that follows from a number: from (included), above and below (excluded)."""

    of: str
    from_: float | None = Field(default=None, alias="from")
    above: float | None = None
    below: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a value is within the limits."""
        return (
            (self.from_ is None or value >= self.from_)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )


class Factor(Claim):
    """A risk factor and its weight."""

    id: str
    weight: Weight
    meaning: str
    measured: Measured | None = None


class RiskLevels(Claim):
    """Points from which the risk is high and moderate."""

    high_points: int
    moderate_points: int


class RiskTable(FactFile):
    """All factors."""

    levels: RiskLevels
    factor: tuple[Factor, ...]

    def told(self) -> tuple[str, ...]:
        """Factors that a patient file names; the others follow from numbers."""
        return tuple(f.id for f in self.factor if f.measured is None)


@dataclass(frozen=True)
class CardiacRisk:
    """A risk, the factors behind it, and the numbers that were not told."""

    level: Risk
    points: int
    factors: tuple[str, ...]
    not_told: tuple[str, ...]
    source: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return dict(vars(self))


@cache
def risk_table() -> RiskTable:
    """The table that comes with her2sim."""
    return read_fact_file(files("her2sim.patients").joinpath("hfa_icos.toml"), RiskTable)


def cardiac_risk(told: Collection[str], numbers: Mapping[str, float]) -> CardiacRisk:
    """Risk of a patient.

    Parameters
    ----------
    told : factors by name
    numbers : ``lvef_percent``, ``age_year``, ``bmi_kg_per_m2``, ``egfr_ml_per_min``, if known
    """
    table = risk_table()
    asked = dict.fromkeys(f.measured.of for f in table.factor if f.measured is not None)
    found = [
        f
        for f in table.factor
        if f.id in told
        or (f.measured is not None and f.measured.of in numbers
            and f.measured.holds(numbers[f.measured.of]))
    ]  # fmt: skip
    weights = [factor.weight for factor in found]
    points = sum(POINTS.get(weight, 0) for weight in weights)
    level: Risk = "low"
    if "very_high" in weights:
        level = "very high"
    elif "high" in weights or points >= table.levels.high_points:
        level = "high"
    elif points >= table.levels.moderate_points:
        level = "moderate"
    return CardiacRisk(
        level,
        points,
        tuple(factor.meaning for factor in found),
        tuple(name for name in asked if name not in numbers),
        table.source_text(table.levels.source or ""),
    )
