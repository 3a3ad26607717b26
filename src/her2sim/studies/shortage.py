"""What a supply interruption does: levels and dose intensity beside the undisturbed course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from her2sim.arrays import Array, Progress
from her2sim.errors import DataError
from her2sim.notice import NOTICE
from her2sim.patients.cohort import Cohort
from her2sim.patients.population import Population
from her2sim.pk.exposure_run import CHUNK, cohort_chunks
from her2sim.pk.record_run import exposure_of_record
from her2sim.pk.treatment import Treatment
from her2sim.protocol.label import Region, load_label
from her2sim.protocol.plan import DrugPlan, Protocol, ProtocolRun
from her2sim.protocol.readings import TableReadings
from her2sim.protocol.supply import Shortage
from her2sim.protocol.visits import run_protocol
from her2sim.regimens.dose import ROUTES
from her2sim.regimens.dosing_record import Why, relative_dose_intensity
from her2sim.regimens.regimen import Phase, labelled_regimen
from her2sim.store.spool import Spool
from her2sim.studies.exposure import notes
from her2sim.studies.metrics import Statistics, statistics
from her2sim.studies.plans import QUANTILES

if TYPE_CHECKING:
    import polars as pl

SUPPLIED, SHORT = "as planned", "in the shortage"
PER_PATIENT = ("dose_intensity", "doses_given", "visits_without", "reloads", "auc_ratio")


@dataclass(frozen=True, eq=False)
class Supplied:
    """One course: level at the end of each cycle (3, n_cycles), share at target (n_cycles,)."""

    label: str
    trough: Array
    share: Array | None
    per_patient: dict[str, Statistics]


@dataclass(frozen=True, eq=False)
class ShortageReport:
    """The undisturbed course and the one with the shortage, in the same patients."""

    treatment: Treatment
    shortage: Shortage
    population: str
    patients: int
    seed: int
    region: Region
    ends_day: Array
    target: float | None
    courses: tuple[Supplied, Supplied]
    notes: tuple[str, ...]

    def frame(self) -> pl.DataFrame:
        """Trough at the end of each cycle: one row a course and cycle."""
        import polars as pl

        n = self.ends_day.size
        parts = [
            pl.DataFrame(
                {
                    "course": [course.label] * n,
                    "cycle": np.arange(1, n + 1),
                    "end_day": self.ends_day,
                    **dict(zip(("p5", "median", "p95"), course.trough, strict=True)),
                    "share_at_or_above_target": (
                        [None] * n if course.share is None else course.share
                    ),
                    "unit": [self.treatment.pk.concentration_unit] * n,
                },
                schema_overrides={"share_at_or_above_target": pl.Float64},
            )
            for course in self.courses
        ]
        return pl.concat(parts)

    def per_patient_frame(self) -> pl.DataFrame:
        """What is counted per patient, over the patients: one row a course and count."""
        import polars as pl

        return pl.DataFrame(
            {"course": course.label, "count": name} | vars(found)
            for course in self.courses
            for name, found in course.per_patient.items()
        )

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        policy = {name: value for name, value in vars(self.shortage).items() if name != "instead"}
        return {
            **self.treatment.as_dict(),
            "population": self.population,
            "patients": self.patients,
            "seed": self.seed,
            "region": self.region,
            "shortage": policy,
            "unit": self.treatment.pk.concentration_unit,
            "target": self.target,
            "cycle_ends_day": self.ends_day.tolist(),
            "courses": [
                {
                    "course": course.label,
                    "trough": {
                        name: values.tolist()
                        for name, values in zip(("p5", "median", "p95"), course.trough, strict=True)
                    },
                    "share_at_or_above_target": (
                        None if course.share is None else course.share.tolist()
                    ),
                    **{name: vars(s) for name, s in course.per_patient.items()},
                }
                for course in self.courses
            ],
            "notes": list(self.notes),
            "notice": NOTICE,
        }


BIOSIMILAR = "biosimilar"


def substitute_phase(treatment: Treatment, substitute: str | None) -> Phase | None:
    """How a substitute is given: another regimen of the model, or the same by a biosimilar.

    Raises
    ------
    UnknownNameError, DataError
        If the drug has no such regimen, or the model no such route.
    """
    if substitute is None:
        return None
    if substitute == BIOSIMILAR:
        return treatment.regimen.phases[0]
    if substitute == treatment.regimen.name:
        raise DataError(f"substitute {substitute}: it is the regimen that is missing")
    (phase,) = labelled_regimen(treatment.drug, substitute).phases
    treatment.target(phase.route)
    return phase


def shortage_report(
    treatment: Treatment,
    shortage: Shortage,
    population: Population | Cohort,
    patients: int,
    seed: int,
    n_cycles: int,
    target: float | None = None,
    region: Region = "us",
    progress: Progress | None = None,
    threads: int | None = None,
) -> ShortageReport:
    """Treat the same patients with and without a shortage.

    Parameters
    ----------
    treatment : drug model and regimen
    shortage : when the drug is missing, and what is done then
    population, patients, seed : who
    n_cycles : cycles of the regimen
    target : trough wanted, in the unit of the drug
    region : whose label says when a late dose is a loading dose again

    Raises
    ------
    DataError
        If the shortage begins after the end.
    """
    ends = treatment.ends_day(n_cycles)
    if not shortage.from_day < ends[-1]:
        raise DataError(
            f"the shortage begins in week {shortage.from_day / 7:g}, the course ends in week "
            f"{ends[-1] / 7:g}"
        )
    spools = [Spool(n_cycles + len(PER_PATIENT)) for _ in (SUPPLIED, SHORT)]
    try:
        for cohort in cohort_chunks(population, patients, seed, CHUNK):
            _add_both(spools, treatment, cohort, ends, region, shortage, threads)
            if progress is not None:
                progress(sum(spools[0].sizes), patients)
        courses = [
            _supplied(label, spool, n_cycles, target)
            for label, spool in zip((SUPPLIED, SHORT), spools, strict=True)
        ]
    finally:
        for spool in spools:
            spool.close()
    remarks = list(notes(treatment, population))
    if load_label(treatment.drug.id, region) is None:
        text = f"No rows of the {region.upper()} label of {treatment.drug.id}: nothing is reloaded."
        remarks.append(text)
    return ShortageReport(
        treatment, shortage, population.name, patients, seed, region, ends, target,
        (courses[0], courses[1]), tuple(remarks),
    )  # fmt: skip


def _add_both(
    spools: Sequence[Spool],
    treatment: Treatment,
    cohort: Cohort,
    ends: Array,
    region: Region,
    shortage: Shortage,
    threads: int | None,
) -> None:
    """Add the columns of a cohort, supplied and short; the last is over that when supplied."""
    undisturbed: Array | None = None
    supplies: tuple[tuple[Shortage, ...], ...] = ((), (shortage,))
    for spool, shortages in zip(spools, supplies, strict=True):
        columns = _columns(treatment, cohort, ends, region, shortages, threads)
        undisturbed = columns[-1].copy() if undisturbed is None else undisturbed
        columns[-1] /= undisturbed
        spool.add(columns)


def _columns(
    treatment: Treatment,
    cohort: Cohort,
    ends: Array,
    region: Region,
    shortages: tuple[Shortage, ...],
    threads: int | None,
) -> Array:
    """Levels at the ends of cycles, then what is counted per patient: (n_columns, n)."""
    drug = treatment.drug.id
    label = load_label(drug, region)
    plan = DrugPlan(drug, treatment.regimen, label)
    protocol = Protocol((plan,), "metastatic", float(ends[-1]), shortages=shortages)
    protocol_run = run_protocol(protocol, cohort, TableReadings({}))
    course = exposure_of_record(
        treatment, cohort, protocol_run.record, 0, ends.tolist(), threads=threads
    )
    reloads = protocol_run.record.patient[protocol_run.record.why == Why.RELOAD]
    n = cohort.n_patients
    return np.stack(
        [
            *course.metric("cmin").T,
            _intensity(treatment, cohort, protocol_run),
            np.bincount(
                protocol_run.record.patient,
                weights=protocol_run.record.number,
                minlength=n,
            ),
            protocol_run.n_missed[0].astype(float),
            np.bincount(reloads, minlength=n).astype(float),
            course.metric("auc").sum(axis=1),
        ]
    )


def _intensity(treatment: Treatment, cohort: Cohort, protocol_run: ProtocolRun) -> Array:
    """Relative dose intensity; zero for a patient who got nothing."""
    plan = protocol_run.protocol.plans[0]
    days, amounts = protocol_run.planned(0)
    own = protocol_run.record
    usual = ROUTES.index(plan.phase.route)
    changed = np.unique(own.patient[own.route != usual])  # mg of two routes do not add up
    amounts[changed] = 1.0  # so theirs are counted dose by dose
    own = replace(own, dose_mg=np.where(np.isin(own.patient, changed), 1.0, own.dose_mg))
    found = relative_dose_intensity(own, 0, cohort.n_patients, plan.interval_day, days, amounts)
    return np.nan_to_num(found, nan=0.0)


def _supplied(label: str, spool: Spool, n_cycles: int, target: float | None) -> Supplied:
    troughs = [spool.column(k) for k in range(n_cycles)]
    return Supplied(
        label,
        np.array([np.quantile(t, QUANTILES) for t in troughs]).T,
        None if target is None else np.array([np.mean(t >= target) for t in troughs]),
        {name: statistics(spool.column(n_cycles + k)) for k, name in enumerate(PER_PATIENT)},
    )
