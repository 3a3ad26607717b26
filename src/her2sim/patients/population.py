"""Populations: distributions of patient characteristics, each with its source or reason."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from her2sim.errors import UnknownNameError, did_you_mean
from her2sim.facts import Claim, FactFile, read_fact_file
from her2sim.patients.covariates import BINARY, COVARIATES, Setting, TumourTypeId

Form = Literal["log_normal", "normal", "split_normal", "zero_or_log_normal", "share"]
LOG_FORMS = ("log_normal", "zero_or_log_normal")
_NEEDED = {
    "log_normal": ("median", "spread"),
    "normal": ("mean", "spread"),
    "split_normal": ("median", "spread_below", "spread_above"),
    "zero_or_log_normal": ("share", "median", "spread"),
    "share": ("share",),
}


class Share(Claim):
    """The probability of a yes-or-no characteristic."""

    share: float = Field(ge=0, le=1, title="share of patients", description="0 to 1")


class Distribution(Claim):
    """How one characteristic is distributed (in the part of the population that ``when`` says).

    ``log_normal``: median, and spread as SD of the logarithm. ``normal``: mean and SD.
    ``split_normal``: median, SD below and SD above. ``zero_or_log_normal``: zero with probability
    ``share``, else log-normal. ``share``: probability of 1. ``low`` and ``high`` truncate.
    """

    name: str
    form: Form
    unit: str
    when: dict[Literal["asian", "female"], bool] = Field(default_factory=dict)
    median: float | None = None
    mean: float | None = None
    spread: float | None = Field(default=None, gt=0)
    spread_below: float | None = Field(default=None, gt=0)
    spread_above: float | None = Field(default=None, gt=0)
    share: float | None = Field(default=None, ge=0, le=1)
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> Distribution:
        faults = list(_distribution_faults(self))
        if faults:
            raise ValueError("; ".join(faults))
        return self


def _distribution_faults(row: Distribution) -> Iterator[str]:
    if row.name not in COVARIATES:
        yield f"unknown characteristic {row.name!r}" + did_you_mean(row.name, COVARIATES)
        return
    known = COVARIATES[row.name]
    if row.unit != known.unit:
        yield f"{row.name} is in {known.unit}, not {row.unit}"
    missing = [k for k in _NEEDED[row.form] if getattr(row, k) is None]
    if missing:
        yield f"{row.form} needs {', '.join(missing)}"
    if row.form == "share":
        return
    if row.low is None or row.high is None or not row.low < row.high:
        yield "low and high must be given, low below high"
        return
    if row.low < known.low or row.high > known.high:
        yield f"{row.name} must stay within {known.low:g} to {known.high:g}"
    if row.form in LOG_FORMS and (row.low <= 0 or (row.median or 0) <= 0):
        yield "a log-normal median and low must be above zero"


class CharacteristicCorrelation(Claim):
    """Correlation of two characteristics, on their normal scores."""

    between: tuple[str, str]
    value: float = Field(gt=-1, lt=1)


class Effect(Claim):
    """A yes-or-no characteristic multiplies another; the overall median is kept."""

    of: Literal["liver_metastases"]
    on: str
    factor: float = Field(gt=0)


class Population(FactFile):
    """A named population.

    ``setting`` is ``early`` where there is no lesion any more (after surgery).
    """

    name: str
    title: str
    tumour_type: TumourTypeId
    setting: Setting = "metastatic"
    female: Share
    asian: Share
    covariate: tuple[Distribution, ...]
    correlation: tuple[CharacteristicCorrelation, ...] = ()
    effect: tuple[Effect, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Population:
        names = {d.name for d in self.covariate}
        faults = []
        for name in sorted(names):
            faults += _coverage_faults(name, [d for d in self.covariate if d.name == name])
        for c in self.correlation:
            faults += [
                f"correlation names {n!r}, which is not drawn" for n in c.between if n not in names
            ]
        faults += [
            f"effect on {e.on!r}, which is not drawn" for e in self.effect if e.on not in names
        ]
        if "weight_kg" not in names and not {"bmi_kg_per_m2", "height_cm"} <= names:
            faults.append("weight_kg must be drawn, or bmi_kg_per_m2 and height_cm")
        if not faults and np.linalg.eigvalsh(self.correlation_matrix()).min() <= 0:
            faults.append("the correlations contradict each other")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def drawn_names(self) -> list[str]:
        """Names of the characteristics that are drawn, in order."""
        return list(dict.fromkeys(d.name for d in self.covariate if d.form != "share"))

    def correlation_matrix(self) -> np.ndarray:
        """Correlation of the normal scores of ``drawn_names``."""
        names = self.drawn_names()
        matrix = np.eye(len(names))
        for c in self.correlation:
            a, b = (names.index(n) for n in c.between)
            matrix[a, b] = matrix[b, a] = c.value
        return matrix


def _coverage_faults(name: str, rows: list[Distribution]) -> list[str]:
    faults = []
    for asian in (False, True):
        for female in (False, True):
            here = {"asian": asian, "female": female}
            n = sum(all(here[k] == v for k, v in row.when.items()) for row in rows)
            if n != 1:
                faults.append(f"{name}: {n} rows apply to asian={asian}, female={female}; need one")
    if name in BINARY and any(row.form != "share" for row in rows):
        faults.append(f"{name}: a yes-or-no characteristic needs form = 'share'")
    return faults


@cache
def population_names() -> tuple[str, ...]:
    """Names of the populations that come with her2sim."""
    folder = files("her2sim.patients").joinpath("populations")
    return tuple(
        sorted(p.name.removesuffix(".toml") for p in folder.iterdir() if p.name.endswith(".toml"))
    )


@cache
def _shipped(name: str) -> Population:
    path = files("her2sim.patients").joinpath("populations", f"{name}.toml")
    return read_fact_file(path, Population)


def load_population(name: str) -> Population:
    """Load a population by name, or from the path of a TOML file.

    Raises
    ------
    UnknownNameError
        If there is no such population.
    DataError
        With all faults of the file.
    """
    if name in population_names():
        return _shipped(name)
    if name.endswith(".toml"):
        return read_fact_file(Path(name), Population)
    raise UnknownNameError(
        f"unknown population {name!r}"
        + did_you_mean(name, population_names())
        + " (a file of your own ends in .toml or .csv)"
    )
