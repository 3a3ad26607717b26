"""Plans of one drug beside each other, in the same patients: a delay, a switch, an interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from her2sim.arrays import Array, Progress
from her2sim.errors import DataError
from her2sim.notice import NOTICE
from her2sim.patients.cohort import Cohort
from her2sim.patients.population import Population
from her2sim.pk.exposure_run import CHUNK, cohort_chunks, simulate
from her2sim.pk.treatment import Treatment
from her2sim.regimens.changes import delayed, every, switched
from her2sim.regimens.dose import MINUTES_PER_DAY
from her2sim.regimens.regimen import Phase
from her2sim.store.spool import Spool
from her2sim.studies.bands import BAND_PATIENTS
from her2sim.studies.exposure import notes
from her2sim.studies.metrics import EXPOSURE_METRICS, Statistics, cycle_metrics, statistics
from her2sim.units import DAY_PER_WEEK

if TYPE_CHECKING:
    import polars as pl

Plans = Sequence[tuple[str, Treatment]]
"""Labels and treatments of one drug model."""

QUANTILES = (0.05, 0.5, 0.95)
METRICS = ("cmin", "cmax", "cavg")
FEWEST_DOSES, MOST_DOSES = 3, 400
POINTS = 700
BACK = 0.95  # of the trough as planned counts as back
HORIZON_DOSES = 6  # that are looked at after a change


@dataclass(frozen=True)
class PlanQuestion:
    """Plans to be compared: what for, for how long, and from when a dose is late."""

    text: str
    plans: Plans
    end_day: float
    from_day: float | None = None


@dataclass(frozen=True, eq=False)
class PlanResult:
    """What a plan does.

    ``dose_day`` has shape (n,), the days of the doses; ``trough`` (3, n) is the concentration just
    before: 5th percentile, median, 95th. ``share`` (n,) is the share of patients at or above the
    target then. ``last`` has the exposure between the last two doses. ``curve_day`` and ``curve``
    (3, n_times) are for the figure.
    """

    label: str
    treatment: Treatment
    dose_day: Array
    trough: Array
    share: Array | None
    last: dict[str, Statistics]
    curve_day: Array
    curve: Array

    def back_day(self, from_day: float, planned_trough: float) -> float:
        """Days from a time until the median trough is back at the planned one; may be infinite."""
        is_back = (self.dose_day > from_day) & (self.trough[1] >= BACK * planned_trough)
        return float(self.dose_day[is_back][0] - from_day) if is_back.any() else math.inf


@dataclass(frozen=True)
class PlanComparison:
    """Plans beside each other in the same patients; ``from_day`` is when a late dose is given."""

    question: str
    plans: tuple[PlanResult, ...]
    population: str
    patients: int
    seed: int
    target: float | None
    from_day: float | None
    notes: tuple[str, ...]

    @property
    def unit(self) -> str:
        """Unit of all concentrations."""
        return self.plans[0].treatment.pk.concentration_unit

    def frame(self) -> pl.DataFrame:
        """Trough before each dose: one row a plan and dose."""
        import polars as pl

        parts = []
        for plan in self.plans:
            p5, median, p95 = plan.trough
            n = plan.dose_day.size
            share = np.full(n, np.nan) if plan.share is None else plan.share
            part = pl.DataFrame(
                {
                    "plan": [plan.label] * n,
                    "dose": np.arange(1, n + 1),
                    "day": plan.dose_day,
                    "median": median,
                    "p5": p5,
                    "p95": p95,
                    "share_at_or_above_target": share,
                    "unit": [self.unit] * n,
                }
            )
            parts.append(part)
        return pl.concat(parts).with_columns(pl.col("share_at_or_above_target").fill_nan(None))

    def as_dict(self) -> dict[str, Any]:
        """The comparison as plain data, for JSON."""
        treatment = self.plans[0].treatment
        return {
            "question": self.question,
            "drug": treatment.drug.id,
            "model": treatment.pk.model,
            "model_status": treatment.pk.status,
            "population": self.population,
            "patients": self.patients,
            "seed": self.seed,
            "unit": self.unit,
            "target": self.target,
            "notice": NOTICE,
            "notes": list(self.notes),
            "plans": [
                {
                    "plan": plan.label,
                    "dose_day": plan.dose_day.tolist(),
                    "trough": {
                        name: values.tolist()
                        for name, values in zip(("p5", "median", "p95"), plan.trough, strict=True)
                    },
                    "share_at_or_above_target": (
                        None if plan.share is None else plan.share.tolist()
                    ),
                    "last_interval": {name: vars(s) for name, s in plan.last.items()},
                }
                for plan in self.plans
            ],
        }


def delay_question(treatment: Treatment, dose_number: int, weeks: float) -> PlanQuestion:
    """A dose on time, late, and late with a loading dose (where there is one)."""
    regimen = treatment.regimen
    late = replace(treatment, regimen=delayed(regimen, dose_number, DAY_PER_WEEK * weeks, False))
    plans = [("as planned", treatment), (f"dose {dose_number} {weeks:g} weeks late", late)]
    if regimen.phases[0].has_loading_dose:
        reloaded = delayed(regimen, dose_number, DAY_PER_WEEK * weeks, True)
        plans.append(("late, loading dose again", replace(treatment, regimen=reloaded)))
    phase = late.regimen.phases[1]
    return PlanQuestion(
        f"{treatment.pk.name}: dose {dose_number} given {weeks:g} weeks late",
        plans, _horizon_day(phase), phase.start_min / MINUTES_PER_DAY,
    )  # fmt: skip


def interval_question(treatment: Treatment, weeks: float, length_weeks: float) -> PlanQuestion:
    """The label's interval, another one with the same dose, and with the dose in proportion."""
    regimen, days = treatment.regimen, DAY_PER_WEEK * weeks
    same = replace(treatment, regimen=every(regimen, days, False))
    proportional = replace(treatment, regimen=every(regimen, days, True))
    plans = [
        (regimen.title, treatment),
        (f"every {weeks:g} weeks, same dose", same),
        (f"every {weeks:g} weeks, dose in proportion", proportional),
    ]
    text = f"{treatment.pk.name}: every {weeks:g} weeks instead of {regimen.name}"
    return PlanQuestion(text, plans, DAY_PER_WEEK * length_weeks)


def switch_question(first: Treatment, second: Treatment, n_doses: int) -> PlanQuestion:
    """One regimen throughout, the switch, and the other throughout.

    Raises
    ------
    DataError
        If the two are not of one model.
    """
    if first.pk.name != second.pk.name:
        raise DataError(
            f"{first.pk.name} and {second.pk.name}: a switch needs both regimens in one model"
        )
    change = replace(first, regimen=switched(first.regimen, second.regimen, n_doses))
    plans = [
        (f"{first.regimen.name} throughout", first),
        (f"switch after {n_doses} doses", change),
        (f"{second.regimen.name} throughout", second),
    ]
    text = f"{first.pk.name}: {first.regimen.name}, then {second.regimen.name}"
    return PlanQuestion(text, plans, _horizon_day(change.regimen.phases[1]))


def _horizon_day(phase: Phase) -> float:
    """Day up to which a change is looked at that begins with a phase."""
    return (phase.start_min + HORIZON_DOSES * phase.interval_min) / MINUTES_PER_DAY


def compare_plans(
    question: PlanQuestion,
    population: Population | Cohort,
    patients: int,
    seed: int,
    target: float | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
) -> PlanComparison:
    """Treat the same patients by each plan and look at the troughs.

    Parameters
    ----------
    question : plans, and how long they are followed
    population, patients, seed : who
    target : trough to be reached, in the unit of the drug

    Raises
    ------
    DataError
        If there are too many doses to look at each (tablets), or too few.
    """
    plans, end_day = question.plans, question.end_day
    times = [dose_days(treatment, end_day) for _, treatment in plans]
    if min(t.size for t in times) < FEWEST_DOSES:
        raise DataError(f"{end_day:g} days hold fewer than {FEWEST_DOSES} doses; take longer")
    if max(t.size for t in times) > MOST_DOSES:
        told = "take a shorter time, or a drug that is not taken every day"
        raise DataError(f"more than {MOST_DOSES} doses within {end_day:g} days; {told}")
    spools = [Spool(t.size + len(METRICS)) for t in times]
    try:
        for cohort in cohort_chunks(population, patients, seed, CHUNK):
            for (_, treatment), days, spool in zip(plans, times, spools, strict=True):
                spool.add(_columns(treatment, cohort, days, threads))
            if progress is not None:
                progress(sum(spools[0].sizes), patients)
        (shown,) = cohort_chunks(population, n := min(patients, BAND_PATIENTS), seed, n)
        results = [
            _result(label, treatment, days, spool, shown, end_day, target)
            for (label, treatment), days, spool in zip(plans, times, spools, strict=True)
        ]
    finally:
        for spool in spools:
            spool.close()
    remarks = dict.fromkeys(note for _, t in plans for note in notes(t, population))
    return PlanComparison(
        question.text,
        tuple(results),
        population.name,
        patients,
        seed,
        target,
        question.from_day,
        tuple(remarks),
    )


def dose_days(treatment: Treatment, end_day: float) -> Array:
    """Days of the doses up to an end, that day included."""
    end_min = round(end_day * MINUTES_PER_DAY) + 1
    return np.array([d.time_day for d in treatment.regimen.doses_before(end_min)])


def _columns(treatment: Treatment, cohort: Cohort, days: Array, threads: int | None) -> Array:
    """Troughs before all doses, then the exposure between the last two: (n_columns, n)."""
    course = simulate(treatment, cohort, days[-2:].tolist(), grid_day=days, threads=threads)
    metrics = dict(zip(EXPOSURE_METRICS, cycle_metrics(course)[0], strict=True))
    return np.concatenate([course.grid.T, *(metrics[m][[1]] for m in METRICS)])


def _result(
    label: str,
    treatment: Treatment,
    days: Array,
    spool: Spool,
    shown: Cohort,
    end_day: float,
    target: float | None,
) -> PlanResult:
    columns = [spool.column(k) for k in range(spool.n_columns)]
    troughs = columns[: days.size]
    last = {m: statistics(columns[days.size + k]) for k, m in enumerate(METRICS)}
    share = None if target is None else np.array([np.mean(t >= target) for t in troughs])
    ends = [d.end_day for d in treatment.regimen.doses_before(round(end_day * MINUTES_PER_DAY))]
    curve_day = np.unique([*np.linspace(0, end_day, POINTS), *(e for e in ends if e < end_day)])
    curve = simulate(treatment, shown, [end_day], grid_day=curve_day).grid
    return PlanResult(
        label,
        treatment,
        days,
        np.array([np.quantile(t, QUANTILES) for t in troughs]).T,
        share,
        last,
        curve_day,
        np.quantile(curve, QUANTILES, axis=0),
    )
