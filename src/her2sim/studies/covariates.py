"""What each characteristic of a patient does to exposure: the reference patient, one at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from her2sim.errors import DataError
from her2sim.notice import NOTICE
from her2sim.patients.cohort import Cohort
from her2sim.patients.covariates import COVARIATES
from her2sim.patients.population import Population
from her2sim.pk.exposure_run import (
    cohort_chunks,
    simulate,
    simulate_reference_patient,
    steady_state_cycle,
)
from her2sim.pk.treatment import Treatment
from her2sim.studies.exposure import notes

LOW, HIGH = 5.0, 95.0
"""Percentiles of the population at which a characteristic is set."""
METRICS = ("auc", "cmin")
UNMOVED = 1e-6
RANDOM_EFFECTS = "random effects"


@dataclass(frozen=True)
class CovariateEffect:
    """Exposure at steady state over that of the reference patient, with one characteristic changed.

    ``value`` and ``reference`` are in ``unit``; the row of the random effects has none: its ratios
    are the 5th and 95th percentile of patients like the reference patient.
    """

    covariate: str
    meaning: str
    unit: str
    reference: float | None
    value: float | None
    auc_ratio: float
    cmin_ratio: float

    @property
    def is_yes_or_no(self) -> bool:
        """Whether it is there or not."""
        about = COVARIATES.get(self.covariate)
        return about is not None and (about.low, about.high) == (0, 1)

    def told(self, value: float | None) -> str:
        """A value in words: yes or no, or three digits; nothing without one."""
        if value is None:
            return ""
        return ("yes" if value else "no") if self.is_yes_or_no else f"{value:.3g}"

    @property
    def title(self) -> str:
        """What the characteristic is, without how it is coded."""
        text = self.meaning.removesuffix(", 0 or 1")
        for sign in ("1 for ", "1 if "):
            text = text.removeprefix(sign)
        return text.split(",")[0]


@dataclass(frozen=True)
class CovariateReport:
    """Effects of the characteristics of a model, those that move the AUC most first."""

    treatment: Treatment
    population: str
    patients: int
    seed: int
    cycle: int
    rows: tuple[CovariateEffect, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        return {
            **self.treatment.as_dict(),
            "population": self.population,
            "patients": self.patients,
            "seed": self.seed,
            "cycle": self.cycle,
            "effects": [vars(row) for row in self.rows],
            "notes": list(self.notes),
            "notice": NOTICE,
        }


def covariate_report(
    treatment: Treatment,
    population: Population | Cohort,
    patients: int,
    seed: int,
    *,
    threads: int | None = None,
) -> CovariateReport:
    """Change each characteristic of the reference patient to what few patients have.

    Parameters
    ----------
    treatment : drug model and regimen
    population, patients, seed : whose 5th and 95th percentiles are taken; a yes or no is turned

    Raises
    ------
    DataError
        If the model depends on no characteristic.
    """
    cycle = steady_state_cycle(treatment)
    cohort = next(cohort_chunks(population, patients, seed, patients))
    base = _exposure(treatment, cycle, {})
    numbers = {
        name: float(value)
        for name, value in treatment.pk.reference_patient.items()
        if name in COVARIATES and not isinstance(value, str)
    }
    if not numbers:
        raise DataError(f"{treatment.pk.name}: the model depends on no characteristic")
    rows = [
        row
        for name, reference in numbers.items()
        for row in _effects(treatment, cycle, cohort, name, reference, base)
    ]

    reach = dict.fromkeys(numbers, 0.0)
    for row in rows:
        reach[row.covariate] = max(reach[row.covariate], abs(math.log(row.auc_ratio)))
    rows = [row for row in rows if reach[row.covariate] > UNMOVED or row.cmin_ratio != 1]
    rows.sort(key=lambda row: (-reach[row.covariate], row.covariate, row.value or 0.0))
    rows += _random_effects(treatment, cycle, patients, seed, base, threads)
    told = [
        "One characteristic is changed at a time, all others are those of the reference patient of "
        "the model; ratios without random effects.",
        *notes(treatment, population),
    ]
    return CovariateReport(
        treatment, population.name, patients, seed, cycle, tuple(rows), tuple(told)
    )


def _exposure(
    treatment: Treatment, cycle: int, changes: dict[str, float | str]
) -> tuple[float, ...]:
    course = simulate_reference_patient(treatment, cycle, changes)
    return tuple(float(course.metric(metric)[0, cycle - 1]) for metric in METRICS)


def _effects(
    treatment: Treatment,
    cycle: int,
    cohort: Cohort,
    name: str,
    reference: float,
    base: tuple[float, ...],
) -> Iterator[CovariateEffect]:
    about = COVARIATES[name]
    try:
        values = np.asarray(cohort.covariate(name), dtype=np.float64)
    except (KeyError, DataError):
        return  # the population does not tell it, so it says not how far patients differ in it
    if (about.low, about.high) == (0, 1):
        at = {1.0 - reference} if 0 < values.mean() < 1 else set()
    else:
        at = {float(p) for p in np.percentile(values, [LOW, HIGH])} - {reference}
    for value in sorted(at):
        found = _exposure(treatment, cycle, {name: value})
        ratios = [new / old for new, old in zip(found, base, strict=True)]
        yield CovariateEffect(name, about.meaning, about.unit, reference, value, *ratios)


def _random_effects(
    treatment: Treatment,
    cycle: int,
    patients: int,
    seed: int,
    base: tuple[float, ...],
    threads: int | None,
) -> Iterator[CovariateEffect]:
    """Patients like the reference patient, who differ in what nothing tells."""
    told = {
        name: np.full(patients, value) for name, value in treatment.pk.reference_patient.items()
    }
    same = Cohort("reference patients", np.arange(1, patients + 1), told, seed=seed)
    course = simulate(treatment, same, cycle, threads=threads)
    ends = [np.percentile(course.metric(m)[:, cycle - 1], [LOW, HIGH]) for m in METRICS]
    for k in range(2):
        ratios = [float(end[k]) / old for end, old in zip(ends, base, strict=True)]
        what = "what no characteristic tells"
        yield CovariateEffect(RANDOM_EFFECTS, what, "", None, None, *ratios)
