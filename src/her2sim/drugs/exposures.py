"""Published exposures of drugs: what labels and papers printed, as facts."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import Field

from her2sim.facts import FactFile, Quantity, read_fact_file

Statistic = Literal["typical", "median", "geometric_mean", "arithmetic_mean", "observed_mean"]


class PublishedExposure(Quantity):
    """One printed exposure.

    ``population`` is a population of her2sim, or ``reference patient``; ``patient`` changes that
    patient. ``low`` and ``high`` are the 5th and 95th percentile unless the note says otherwise.
    ``is_relative`` rows give the ratio to the unchanged reference patient. Rows with
    ``not_comparable`` are listed with that reason and never compared. ``deviation`` says, as far
    as it is known, why the model does not meet the row.
    """

    id: str
    regimen: str
    population: str
    cycle: str
    metric: str
    statistic: Statistic
    low: float | None = None
    high: float | None = None
    n: int | None = Field(default=None, gt=0)
    patient: dict[str, float] = Field(default_factory=dict)
    is_relative: bool = False
    not_comparable: str | None = None
    deviation: str | None = None


class ExposureFile(FactFile):
    """All published exposures of a drug."""

    exposure: tuple[PublishedExposure, ...]


@cache
def published_exposures(drug: str) -> ExposureFile:
    """Published exposures of a drug (its id); empty if it has none."""
    path = files("her2sim.drugs").joinpath(drug, "exposure.toml")
    if not path.is_file():
        return ExposureFile(exposure=())
    return read_fact_file(path, ExposureFile)
