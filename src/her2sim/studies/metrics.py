"""Exposure metrics of a course, their units, and their statistics over patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array
from her2sim.pk.exposure_run import ExposureResult
from her2sim.pk.treatment import Treatment
from her2sim.units import conversion_factor

EXPOSURE_METRICS = ("cmin", "cmax", "auc", "cavg")


@dataclass(frozen=True)
class Statistics:
    """Summary of a metric over patients."""

    n: int
    median: float
    p5: float
    p95: float
    mean: float
    geometric_mean: float
    cv_percent: float


def statistics(values: Array) -> Statistics:
    """Summarise a metric; the geometric mean is over positive values (NaN if there are none)."""
    p5, median, p95 = np.quantile(values, [0.05, 0.5, 0.95])
    mean = float(values.mean())
    positive = values[values > 0]
    geometric = float(np.exp(np.log(positive).mean())) if positive.size else float("nan")
    cv = 100 * float(values.std(ddof=1)) / mean if values.size > 1 and mean else float("nan")
    return Statistics(values.size, float(median), float(p5), float(p95), mean, geometric, cv)


def analyte_names(treatment: Treatment) -> tuple[str, ...]:
    """Names of what is measured: the drug's own analyte first, then payload or metabolites."""
    released = treatment.pk.structural.analytes[1:]
    return (treatment.drug.analyte, *(analyte.name for analyte in released))


def metric_unit(treatment: Treatment, metric: str, analyte: str | None = None) -> str:
    """Unit in which a metric of an analyte (the first one if not named) is shown."""
    names = analyte_names(treatment)
    position = 0 if analyte is None else names.index(analyte)
    pk = treatment.pk
    return (pk.auc_units() if metric == "auc" else pk.concentration_units())[position]


def cycle_metrics(course: ExposureResult) -> Array:
    """Trough, peak, AUC and mean concentration, shape (n_analytes, 4, n_cycles, n)."""
    pk, length_day = course.treatment.pk, np.diff(course.ends_day, prepend=0.0)
    metrics = []
    for k, (unit, area) in enumerate(zip(pk.concentration_units(), pk.auc_units(), strict=True)):
        columns = [course.metric(m, k).T for m in ("cmin", "cmax", "auc")]
        per_day = conversion_factor(area, unit.replace("/", "*day/"))
        metrics.append(np.stack([*columns, columns[2] * per_day / length_day[:, None]]))
    return np.stack(metrics)
