"""What a supply interruption does: levels and dose intensity beside the undisturbed course."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim.course import CHUNK, Treatment, cohort_chunks
from her2sim.errors import DataError
from her2sim.notice import NOTICE
from her2sim.patients.cohort import Cohort
from her2sim.patients.population import Population
from her2sim.protocol.label import Region, load_label
from her2sim.protocol.ledger import Why, relative_dose_intensity
from her2sim.protocol.plan import DrugPlan, Protocol, Steered
from her2sim.protocol.readings import TableReadings
from her2sim.protocol.steering import steer
from her2sim.protocol.supply import Shortage
from her2sim.realised import levels_of_ledger
from her2sim.regimens.dose import ROUTES
from her2sim.report.canvas import new_canvas, shown_unit, write_canvas
from her2sim.report.exposure import notes
from her2sim.report.metrics import Statistics, statistics
from her2sim.report.plans import COLOURS, QUANTILES
from her2sim.report.spool import Spool

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]
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

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        policy = {name: value for name, value in vars(self.shortage).items() if name != "instead"}
        return {
            "drug": self.treatment.drug.id,
            "regimen": self.treatment.regimen.name,
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
        If the shortage begins after the end, or the target is not above zero.
    """
    if target is not None and not target > 0:
        raise DataError(f"--target {target:g}: must be above zero")
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
    steered = steer(protocol, cohort, TableReadings({}))
    course = levels_of_ledger(treatment, cohort, steered.ledger, 0, ends.tolist(), threads=threads)
    reloads = steered.ledger.patient[steered.ledger.why == Why.RELOAD]
    n = cohort.n_patients
    return np.stack(
        [
            *course.metric("cmin").T,
            _intensity(treatment, cohort, steered),
            np.bincount(steered.ledger.patient, weights=steered.ledger.number, minlength=n),
            steered.n_missed[0].astype(float),
            np.bincount(reloads, minlength=n).astype(float),
            course.metric("auc").sum(axis=1),
        ]
    )


def _intensity(treatment: Treatment, cohort: Cohort, steered: Steered) -> Array:
    """Relative dose intensity; zero for a patient who got nothing."""
    plan = steered.protocol.plans[0]
    days, amounts = steered.planned(0)
    own = steered.ledger
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


def shortage_figure(path: Path, report: ShortageReport) -> None:
    """Write troughs with and without the shortage; the share at target below."""
    has_target = report.target is not None
    figure, found = new_canvas(6.2 if has_target else 3.9, 2 if has_target else 1, sharex=True)
    panels = found[:, 0]
    weeks = report.ends_day / 7
    for course, colour in zip(report.courses, COLOURS, strict=False):
        low, median, high = course.trough
        panels[0].fill_between(weeks, low, high, color=colour, alpha=0.13, linewidth=0)
        panels[0].plot(
            weeks, median, "o-", color=colour, markersize=3.5, linewidth=1.2, label=course.label
        )
        if course.share is not None:
            panels[1].plot(weeks, 100 * course.share, "o-", color=colour, markersize=3.5)
    until = min(report.shortage.until_day, report.ends_day[-1])
    for axes in panels:
        axes.axvspan(report.shortage.from_day / 7, until / 7, color="#888888", alpha=0.15)
    unit = shown_unit(report.treatment.pk.concentration_unit)
    panels[0].set_ylabel(f"level at the end of a cycle ({unit})")
    panels[0].set_ylim(bottom=0)
    panels[0].legend(fontsize=8, frameon=False, loc="upper left", ncols=2)
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(low, 1.12 * high)
    if report.target is not None:
        panels[0].axhline(report.target, color="#555555", linewidth=0.8, dashes=(4, 3))
        panels[1].set_ylabel(f"at or above\n{report.target:g} {unit} (% of patients)")
        panels[1].set_ylim(0, 105)
    panels[-1].set_xlabel("weeks")
    write_canvas(path, figure, f"{shortage_text(report)}\nlines: medians; bands: 5th to 95th")


def shortage_text(report: ShortageReport) -> str:
    """What was asked, in words."""
    shortage, treatment = report.shortage, report.treatment
    when = "at each visit" if np.isinf(shortage.until_day) else (
        f"from week {shortage.from_day / 7:g} to {shortage.until_day / 7:g}"
    )  # fmt: skip
    often = "" if shortage.probability == 1 else f" with a probability of {shortage.probability:g}"
    return (
        f"{treatment.pk.name} {treatment.regimen.name} missing {when}{often}, policy "
        f"{shortage.policy}; {report.population}, {report.patients} patients, seed {report.seed}"
    )
