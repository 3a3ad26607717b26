"""Characteristics of patients in numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array
from her2sim.patients.cohort import Cohort
from her2sim.patients.covariates import BINARY, COVARIATES


@dataclass(frozen=True, eq=False)
class Characteristic:
    """One characteristic of some patients, shape (n,): its quantiles, or the share that has it."""

    name: str
    unit: str
    values: Array
    median: float | None
    p5: float | None
    p95: float | None
    share_percent: float | None


def characteristics(cohort: Cohort) -> Iterator[Characteristic]:
    """Each characteristic that is a number."""
    for name in (name for name in cohort.covariates if name in COVARIATES):
        values = np.asarray(cohort.covariates[name], dtype=np.float64)
        unit = COVARIATES[name].unit
        if name in BINARY:
            share = 100 * float(values.mean())
            yield Characteristic(name, unit, values, None, None, None, share)
        else:
            p5, median, p95 = (float(v) for v in np.quantile(values, [0.05, 0.5, 0.95]))
            yield Characteristic(name, unit, values, median, p5, p95, None)
