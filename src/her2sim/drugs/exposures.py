"""Published exposures of drugs: what labels and papers printed, as facts."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import Field

from her2sim.facts import FactFile, Quantity, read_fact_file

Statistic = Literal["typical", "median", "geometric_mean", "arithmetic_mean"]


class PublishedExposure(Quantity):
    """One printed exposure.

    ``population`` is a population of her2sim, or ``reference patient``; ``patient`` changes that
    patient. ``low`` and ``high`` are the 5th and 95th percentile unless the note says otherwise.
    ``is_relative`` rows give the ratio to the unchanged reference patient; with ``versus_cycle``
    a row gives the ratio to that cycle of the same patient. ``is_observed`` rows are measured
    troughs. ``model`` names the model that the row is compared with (the default one if not
    given), ``analyte`` what was measured (the drug's own if not given). A metric may also be a
    parameter of the model (its typical value) or ``terminal_half_life``.

    ``is_calibration`` rows set a parameter and are never counted. Rows with ``not_comparable`` are
    listed with that reason. ``deviation`` says, as far as it is known, why the model does not meet
    the row.
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
    region: Literal["us", "eu", "ch"] | None = None
    model: str | None = None
    analyte: str | None = None
    patient: dict[str, float | str] = Field(default_factory=dict)
    is_observed: bool = False
    versus_cycle: str | None = None
    is_relative: bool = False
    is_calibration: bool = False
    not_comparable: str | None = None
    deviation: str | None = None


class ExposureFile(FactFile):
    """All published exposures of a drug."""

    exposure: tuple[PublishedExposure, ...]


class OwnExposure(PublishedExposure):
    """A row of a user's own file: it names the drug."""

    drug: str


class OwnExposureFile(FactFile):
    """A user's own rows to compare."""

    exposure: tuple[OwnExposure, ...]


@cache
def published_exposures(drug: str) -> ExposureFile:
    """Published exposures of a drug (its id); empty if it has none."""
    path = files("her2sim.drugs").joinpath(drug, "exposure.toml")
    if not path.is_file():
        return ExposureFile(exposure=())
    return read_fact_file(path, ExposureFile)
