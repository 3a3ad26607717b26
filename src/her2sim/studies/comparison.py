"""A virtual two-arm study: exposure of one treatment over that of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtrit

from her2sim.arrays import Array
from her2sim.errors import DataError
from her2sim.notice import NOTICE
from her2sim.patients.cohort import draw_cohort
from her2sim.patients.population import Population
from her2sim.pk.exposure_run import CHUNK, cohort_chunks, simulate
from her2sim.pk.treatment import Treatment
from her2sim.studies.exposure import notes
from her2sim.studies.metrics import metric_unit

if TYPE_CHECKING:
    import polars as pl

METRICS = ("cmin", "cmax", "auc")
DIFFERENT_MODELS = "The arms have different models; part of the ratio is theirs."
CONFIDENCE = 0.90
"""The usual level of comparative pharmacokinetic studies (two one-sided tests at 5 %)."""


@dataclass(frozen=True)
class GeometricRatio:
    """Geometric means of a metric in both arms, and their ratio with its confidence interval."""

    metric: str
    unit: str
    test: float
    reference: float
    ratio: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class TwoArms:
    """Result of a virtual study; ``values`` holds each metric of each arm, shape (2, n)."""

    test: Treatment
    reference: Treatment
    population: str
    per_arm: int
    cycle: int
    seed: int
    rows: tuple[GeometricRatio, ...]
    values: dict[str, Array]
    notes: tuple[str, ...]

    def patient_frame(self) -> pl.DataFrame:
        """Exposure of each patient: one row a patient, numbered through both arms."""
        import polars as pl

        arms = np.repeat([arm_name(self.test), arm_name(self.reference)], self.per_arm)
        numbers = np.arange(1, 2 * self.per_arm + 1)
        found = {metric: values.ravel() for metric, values in self.values.items()}
        return pl.DataFrame({"patient": numbers, "arm": arms} | found)

    def as_dict(self) -> dict[str, Any]:
        """The study as plain data, for JSON."""
        return {
            "test": arm_name(self.test),
            "reference": arm_name(self.reference),
            "population": self.population,
            "per_arm": self.per_arm,
            "cycle": self.cycle,
            "seed": self.seed,
            "confidence": CONFIDENCE,
            "notice": NOTICE,
            "notes": list(self.notes),
            "ratios": [vars(row) for row in self.rows],
        }


def arm_name(treatment: Treatment) -> str:
    """Model and regimen of an arm."""
    return f"{treatment.pk.name}/{treatment.regimen.name}"


def two_arms(
    test: Treatment,
    reference: Treatment,
    population: Population,
    per_arm: int,
    cycle: int,
    seed: int,
) -> TwoArms:
    """Treat two parallel groups and compare their exposure in a cycle.

    Patients 1 to n get the test treatment, n + 1 to 2n the reference. The interval is that of the
    difference of the mean logarithms (t distribution, pooled variance).

    Raises
    ------
    DataError
        If an arm has fewer than two patients, or the arms are in different units.
    """
    if per_arm < 2:
        raise DataError(f"per arm {per_arm}: an arm needs at least two patients")
    if test.pk.concentration_unit != reference.pk.concentration_unit:
        raise DataError("the arms are measured in different units; nothing to compare")
    numbers = (np.arange(1, per_arm + 1), np.arange(per_arm + 1, 2 * per_arm + 1))
    found = {metric: np.empty((2, per_arm)) for metric in METRICS}
    for arm, (treatment, own) in enumerate(zip((test, reference), numbers, strict=True)):
        filled = 0
        for cohort in cohort_chunks(draw_cohort(population, own, seed), per_arm, seed, CHUNK):
            course = simulate(treatment, cohort, cycle)
            for metric in METRICS:
                values = course.metric(metric)[:, cycle - 1]
                found[metric][arm, filled : filled + cohort.n_patients] = values
            filled += cohort.n_patients
    rows = tuple(ratio_row(metric, metric_unit(test, metric), *found[metric]) for metric in METRICS)
    remarks = dict.fromkeys([*notes(test, population), *notes(reference, population)])
    if test.pk.name != reference.pk.name:
        remarks[DIFFERENT_MODELS] = None
    return TwoArms(
        test, reference, population.name, per_arm, cycle, seed, rows, found, tuple(remarks)
    )


def ratio_row(metric: str, unit: str, test: Array, reference: Array) -> GeometricRatio:
    """Ratio of geometric means with its 90 % confidence interval."""
    a, b = np.log(test), np.log(reference)
    freedom = a.size + b.size - 2
    pooled = (a.var(ddof=1) * (a.size - 1) + b.var(ddof=1) * (b.size - 1)) / freedom
    half = stdtrit(freedom, (1 + CONFIDENCE) / 2) * np.sqrt(pooled * (1 / a.size + 1 / b.size))
    middle = a.mean() - b.mean()
    ratio, low, high = np.exp([middle, middle - half, middle + half])
    return GeometricRatio(
        metric,
        unit,
        float(np.exp(a.mean())),
        float(np.exp(b.mean())),
        float(ratio),
        float(low),
        float(high),
    )
