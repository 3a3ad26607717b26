"""Cohorts: numbered patients with their characteristics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from her2sim.errors import DataError, did_you_mean
from her2sim.patients.covariates import COVARIATES, Setting, Values, with_derived
from her2sim.patients.population import Distribution, Population
from her2sim.random import Purpose, Stream

if TYPE_CHECKING:
    import polars as pl

MOST_PATIENTS = 2**32 - 1
"""Numbers of patients are 32 bits of a key of random numbers."""


@dataclass(frozen=True, eq=False)
class Cohort:
    """Patients: their numbers, characteristics and where their random numbers come from.

    ``covariates`` maps a name of the register to an array of shape (n,); ``tumour_type`` is an
    array of words. ``setting`` is that of all of them. A patient is the same in every cohort with
    the same seed and replicate.
    """

    name: str
    numbers: NDArray[np.int64]
    covariates: Mapping[str, NDArray[Any]]
    seed: int
    replicate: int = 0
    setting: Setting = "metastatic"

    def stream(self, purpose: Purpose) -> Stream:
        """Random numbers of the patients for a purpose."""
        return Stream(self.seed, self.replicate, self.numbers, purpose)

    @property
    def n_patients(self) -> int:
        """How many patients."""
        return self.numbers.size

    def covariate(self, name: str) -> NDArray[Any]:
        """Values of one characteristic.

        Raises
        ------
        DataError
            If the cohort does not have it.
        """
        if name not in self.covariates:
            raise DataError(
                f"the patients of {self.name!r} have no {name}"
                + did_you_mean(name, self.covariates)
            )
        return self.covariates[name]

    def part(self, first: int, last: int) -> Cohort:
        """Patients ``first`` to ``last - 1`` of the cohort."""
        rows = slice(first, last)
        values = {name: array[rows] for name, array in self.covariates.items()}
        return replace(self, numbers=self.numbers[rows], covariates=values)

    def frame(self) -> pl.DataFrame:
        """The cohort as a table, one row a patient."""
        import polars as pl

        return pl.DataFrame({"patient": self.numbers, **self.covariates})


def draw_cohort(
    population: Population, numbers: NDArray[np.int64], seed: int, replicate: int = 0
) -> Cohort:
    """Draw patients of a population.

    Parameters
    ----------
    population : distributions and correlations
    numbers : patient numbers, shape (n,); patient k is the same in every cohort
    seed, replicate : with the number, they decide everything about a patient

    Returns
    -------
    Cohort
    """
    numbers = np.asarray(numbers, dtype=np.int64)

    stream = Stream(seed, replicate, numbers, Purpose.COVARIATES)

    def is_drawn(name: str, share: float) -> NDArray[np.float64]:
        return (stream.uniform(name) < share).astype(np.float64)

    groups = {
        "asian": is_drawn("asian", population.asian.share),
        "female": is_drawn("female", population.female.share),
    }
    values: dict[str, NDArray[Any]] = dict(groups)
    for row in population.covariate:
        if row.form == "share":
            mask = _applies(row, groups)
            drawn = is_drawn(row.name, row.share or 0.0)
            values[row.name] = np.where(mask, drawn, values.get(row.name, 0.0))
    names = population.drawn_names()
    scores = np.stack([stream.normal(name) for name in names])
    scores = np.linalg.cholesky(population.correlation_matrix()) @ scores
    for name, score in zip(names, scores, strict=True):
        values[name] = _draw(population, name, score, groups, values)
    if "weight_kg" not in values:
        weight = values["bmi_kg_per_m2"] * (values["height_cm"] / 100) ** 2
        limits = COVARIATES["weight_kg"]
        values["weight_kg"] = np.clip(weight, limits.low, limits.high)
    values = with_derived(values)
    values["tumour_type"] = np.full(numbers.size, population.tumour_type)
    return Cohort(population.name, numbers, values, seed, replicate, population.setting)


def with_weight(cohort: Cohort, weight_kg: float) -> Cohort:
    """The same patients, all of one weight; body surface and lean body weight follow from it.

    Raises
    ------
    DataError
        If the weight is outside the range of the register.
    """
    limits = COVARIATES["weight_kg"]
    if not limits.low <= weight_kg <= limits.high:
        raise DataError(f"weight {weight_kg:g} kg: use {limits.low:g} to {limits.high:g} kg")
    derived = ("bsa_m2", "lean_body_weight_kg", "bmi_kg_per_m2")
    values = {name: v for name, v in cohort.covariates.items() if name not in derived}
    values["weight_kg"] = np.full(cohort.n_patients, float(weight_kg))
    return replace(cohort, covariates=with_derived(values))


def _applies(row: Distribution, groups: Values) -> NDArray[np.bool_]:
    mask = np.ones(groups["asian"].size, dtype=bool)
    for group, value in row.when.items():
        mask &= (groups[group] > 0) == value
    return mask


def _draw(
    population: Population,
    name: str,
    score: NDArray[np.float64],
    groups: Values,
    values: Mapping[str, NDArray[Any]],
) -> NDArray[np.float64]:
    drawn = np.empty_like(score)
    rows = [row for row in population.covariate if row.name == name]
    for row in rows:
        mask = _applies(row, groups)
        drawn[mask] = _quantile(row, score[mask])
    for effect in population.effect:
        if effect.on == name:
            share = next(r.share or 0.0 for r in population.covariate if r.name == effect.of)
            drawn = drawn * effect.factor ** (values[effect.of] - share)
            low = min(row.low or 0.0 for row in rows)
            high = max(row.high or np.inf for row in rows)
            drawn = np.clip(drawn, low, high)
    return drawn


def _quantile(row: Distribution, score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Value of a truncated distribution at a normal score."""
    assert row.low is not None
    assert row.high is not None
    bounds = np.array([row.low, row.high])
    if row.form == "zero_or_log_normal":
        level, share = ndtr(score), row.share or 0.0
        rest = ndtri(np.clip((level - share) / (1 - share), 1e-12, 1 - 1e-12))
        positive = _quantile(row.model_copy(update={"form": "log_normal"}), rest)
        return np.where(level < share, 0.0, positive)
    if row.form == "log_normal":
        centre, bounds = np.log(row.median or 1.0), np.log(bounds)
    else:
        centre = row.mean if row.mean is not None else row.median or 0.0
    below = row.spread_below or row.spread or 1.0
    above = row.spread_above or row.spread or 1.0
    distance = bounds - centre
    limits = ndtr(np.where(distance < 0, distance / below, distance / above))
    inside = ndtri(limits[0] + ndtr(score) * (limits[1] - limits[0]))
    value = centre + inside * np.where(inside < 0, below, above)
    value = np.exp(value) if row.form == "log_normal" else value
    clipped: NDArray[np.float64] = np.clip(value, row.low, row.high)
    return clipped
