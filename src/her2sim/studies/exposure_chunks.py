"""Exposure of many patients chunk by chunk: run, or read where an earlier run stored it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from her2sim.arrays import Array, Progress, no_progress
from her2sim.engine.advance import available_cores
from her2sim.errors import DataError
from her2sim.patients.cohort import Cohort
from her2sim.patients.population import Population
from her2sim.pk.exposure_run import ExposureResult, cohort_makers
from her2sim.pk.treatment import Treatment
from her2sim.store.parts import PartStore
from her2sim.store.spool import Spool
from her2sim.store.workers import in_threads
from her2sim.studies.metrics import (
    EXPOSURE_METRICS,
    Statistics,
    analyte_names,
    cycle_metrics,
    statistics,
)

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class ExposureChunks:
    """What is run in each chunk of patients.

    ``run`` gives the exposure of each treatment in some patients, in the order of ``treatments``,
    on so many threads. ``names_drugs``: stored rows name their drug.
    """

    treatments: tuple[Treatment, ...]
    n_cycles: int
    run: Callable[[Cohort, int], Iterable[ExposureResult]]
    names_drugs: bool

    @property
    def n_columns(self) -> int:
        """Columns of the spool: drugs x analytes x metrics x cycles."""
        return sum(len(metric_columns(t)) for t in self.treatments) * self.n_cycles

    def store(
        self,
        path: Path | None,
        population: Population | Cohort,
        patients: int,
        chunk: int,
        what: dict[str, Any],
        restart: bool,
    ) -> PartStore | None:
        """Where the rows of the patients go; None if they are not kept."""
        if path is None and restart:
            raise DataError("restart: there is no output that could be replaced; name one")
        if path is None:
            return None
        asked = {"patients": patients, "n_cycles": self.n_cycles, "chunk": chunk}
        what = what | asked | {"population_sha256": fingerprint(population)}
        return PartStore(path, what, restart=restart)

    def fill(
        self,
        spool: Spool,
        population: Population | Cohort,
        patients: int,
        seed: int,
        chunk: int,
        store: PartStore | None,
        progress: Progress | None,
        threads: int | None,
    ) -> None:
        """Add the metrics of all patients to a spool, and finish the store.

        Chunks run side by side: drawing patients and summing up take as long as the integration.
        """
        told, cores = progress or no_progress, threads or available_cores()
        makers = list(enumerate(cohort_makers(population, patients, seed, chunk)))
        own = max(1, cores // len(makers))

        def metrics_of(task: tuple[int, Callable[[], Cohort]]) -> Array:
            number, make = task
            return self._metrics(make(), number, store, own)

        for metrics in in_threads(metrics_of, makers, cores):
            spool.add(metrics.reshape(spool.n_columns, -1))
            told(sum(spool.sizes), patients)
        if store is not None:
            store.finish()

    def _metrics(self, cohort: Cohort, number: int, store: PartStore | None, threads: int) -> Array:
        """Metrics of a chunk, shape (drugs x analytes x metrics, n_cycles, n)."""
        known = None if store is None else store.read(number)
        if known is not None:
            return self._stored(known)
        metrics, frames = [], []
        for course in self.run(cohort, threads):
            values = cycle_metrics(course)
            metrics.append(values.reshape(-1, *values.shape[2:]))
            if store is not None:
                frames.append(self._frame(course))
        if store is not None:
            import polars as pl

            rows = pl.concat(frames, how="diagonal").sort("patient", maintain_order=True)
            store.write(number, rows)
        return metrics[0] if len(metrics) == 1 else np.concatenate(metrics)

    def _frame(self, course: ExposureResult) -> pl.DataFrame:
        import polars as pl

        frame = patient_frame(course)
        if not self.names_drugs:
            return frame
        return frame.select(pl.lit(course.treatment.drug.id).alias("drug"), pl.all())

    def _stored(self, frame: pl.DataFrame) -> Array:
        """Metrics of a stored table, as those of a run."""
        import polars as pl

        found = []
        for treatment in self.treatments:
            own = frame.filter(pl.col("drug") == treatment.drug.id) if self.names_drugs else frame
            columns = [own[name].to_numpy() for name in metric_columns(treatment)]
            found += [values.reshape(-1, self.n_cycles).T for values in columns]
        return np.stack(found)


def column_statistics(spool: Spool, threads: int | None) -> list[Statistics]:
    """Statistics of each column of a spool."""

    def of(number: int) -> Statistics:
        return statistics(spool.column(number))

    return list(in_threads(of, range(spool.n_columns), threads or available_cores()))


def patient_frame(course: ExposureResult) -> pl.DataFrame:
    """One row a patient and cycle: characteristics and exposure."""
    import polars as pl

    metrics = cycle_metrics(course)
    n_cycles, n = metrics.shape[2:]
    rows = np.repeat(np.arange(n), n_cycles)
    columns: dict[str, Any] = {
        "patient": course.cohort.numbers[rows],
        "cycle": np.tile(np.arange(1, n_cycles + 1), n),
    }
    for name, values in zip(
        metric_columns(course.treatment), metrics.reshape(-1, n_cycles, n), strict=True
    ):
        columns[name] = values.T.ravel()
    for name, values in course.cohort.covariates.items():
        columns[name] = values[rows]
    return pl.DataFrame(columns)


def metric_columns(treatment: Treatment) -> list[str]:
    """Column of each analyte and metric; those of the first analyte are plain."""
    return [
        metric if k == 0 else f"{analyte}_{metric}"
        for k, analyte in enumerate(analyte_names(treatment))
        for metric in EXPOSURE_METRICS
    ]


def fingerprint(population: Population | Cohort) -> str:
    """Hash of what defines the patients, so that a changed file is not taken for the same run."""
    if isinstance(population, Population):
        text = population.model_dump_json().encode()
    else:
        text = population.frame().write_csv().encode()
    return hashlib.sha256(text).hexdigest()
