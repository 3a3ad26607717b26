"""An arm of a trial: its patients treated visit by visit, one row of outcomes each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Positions
from her2sim.biology.ensemble import Members
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.early.run import run_early
from her2sim.pk.treatment import Treatment
from her2sim.random import Purpose
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.trials.death import death_days
from her2sim.trials.design import Pace
from her2sim.trials.early_arm import crossing_of, early_courses, early_plan
from her2sim.trials.enrolment import enrol
from her2sim.trials.given import given_groups
from her2sim.trials.trial import Arm, Trial
from her2sim.units import DAY_PER_MONTH, DAY_PER_WEEK, DAY_PER_YEAR
from her2sim.virtual_patient.assessment_facts import assessment_number
from her2sim.virtual_patient.calendar import SCANS, Calendar
from her2sim.virtual_patient.outcomes import SCANNED, patient_outcomes
from her2sim.virtual_patient.treat import Treated, TreatmentPlan, treat

if TYPE_CHECKING:
    import polars as pl

OBSERVED = ("patient", "member", "entry_day", "cut_day", "lost_day", "death_day")
DATED = ("response_day", "complete_day", "progressed_day")
TRAITS = (
    "ihc", "pik3ca", "genotype", "is_er_positive", "is_heterogeneous", "is_pd_l1_positive",
    "earlier_lines",
)  # fmt: skip
RECEPTORS = "receptors_s"
"""Receptors of a cell."""
EFFICACY = (*OBSERVED, *TRAITS, RECEPTORS, *SCANNED)
"""Columns that endpoints of efficacy need."""


@dataclass(frozen=True, eq=False)
class ArmPatients:
    """Patients of an arm: their numbers, shape (n,), and members of the ensemble."""

    numbers: Positions
    members: Members


def run_arm(
    trial: Trial,
    arm: Arm,
    patients: ArmPatients,
    seed: int,
    *,
    by_rules: bool = True,
    threads: int | None = None,
) -> pl.DataFrame:
    """Treat patients in an arm: one row a patient, in the order of their numbers as given.

    Parameters
    ----------
    trial, arm : what is done to whom
    patients, seed : with the number, the seed decides everything about a patient
    by_rules : whether the labels' rules hold, lower and stop doses

    Returns
    -------
    DataFrame
        ``entry_day``, ``cut_day`` (from entry), ``lost_day``, ``death_day`` (with a lesion model),
        traits of the tumour, the columns of
        :class:`her2sim.virtual_patient.outcomes.PatientOutcomes` and, in early disease, those of
        :func:`her2sim.early.run.run_early`.
    """
    people, groups = _treated(trial, arm, patients, seed, by_rules, threads)
    frame = observed_frame(trial, people, patients, _outcomes(groups))
    if trial.early is None:
        return frame
    import polars as pl

    records = {
        given.name: _of_arm(treated.protocol_run.record, given.rows) for given, treated in groups
    }
    courses = early_courses(trial, arm, people, records, seed)
    places = np.arange(patients.numbers.size)
    columns = run_early(
        early_plan(trial), people, courses, places, crossing=crossing_of(trial, arm),
        threads=threads,
    )  # fmt: skip
    return frame.hstack(pl.DataFrame(columns))


def _of_arm(record: DosingRecord, rows: Positions) -> DosingRecord:
    """Doses of a group of patients, who count as in their arm."""
    return replace(record, patient=rows[record.patient])


def run_arm_with_scans(
    trial: Trial, arm: Arm, patients: ArmPatients, seed: int, *, by_rules: bool = True
) -> tuple[pl.DataFrame, list[tuple[Array, Array]]]:
    """As :func:`run_arm`, and the scans of each patient: days, and the measured sum over the first.

    The scans are those until progression, on their planned days.
    """
    people, groups = _treated(trial, arm, patients, seed, by_rules, None)
    series: list[tuple[Array, Array]] = [(np.empty(0), np.empty(0))] * patients.numbers.size
    for given, treated in groups:
        parts = treated.instruments.scans.series
        if not parts:
            continue
        who, day, share = (np.concatenate(column) for column in zip(*parts, strict=True))
        for place, row in enumerate(given.rows):
            series[row] = (day[who == place], share[who == place])
    return observed_frame(trial, people, patients, _outcomes(groups)), series


def _treated(
    trial: Trial,
    arm: Arm,
    patients: ArmPatients,
    seed: int,
    by_rules: bool,
    threads: int | None,
) -> tuple[VirtualCohort, list[tuple[RegimenGroup, Treated]]]:
    """The people of an arm, and those of each regimen treated."""
    people = enrol(trial, arm, patients.numbers, seed, patients.members)
    how = treatment_plan(trial, arm, by_rules)
    return people, [
        (given, treat(given.drugs, people.take(given.rows), how, threads=threads))
        for given in regimen_groups(arm, patients.numbers, seed)
    ]


def _outcomes(groups: Sequence[tuple[RegimenGroup, Treated]]) -> pl.DataFrame:
    """Outcomes of the patients of some groups, in the order of their rows."""
    import polars as pl

    frames = [
        pl.DataFrame({"regimen": np.full(given.rows.size, given.name)}).hstack(
            patient_outcomes(treated).frame()
        )
        for given, treated in groups
    ]
    order = np.argsort(np.concatenate([given.rows for given, _ in groups]))
    return pl.concat(frames, how="diagonal_relaxed")[order]


def observed_frame(
    trial: Trial, people: VirtualCohort, patients: ArmPatients, outcomes: pl.DataFrame
) -> pl.DataFrame:
    """Outcomes of patients of an arm, dated and beside what the trial observes of them.

    Parameters
    ----------
    trial, people, patients : whose they are
    outcomes : what scans tell (``SCANNED``) and more, one row a patient
    """
    import polars as pl

    dated = _dated(outcomes, people)
    first = pl.DataFrame(
        {
            "patient": patients.numbers,
            "member": patients.members.ids,
            **_observed(trial, people, dated["progressed_day"].to_numpy()),
            **{name: _plain(people.tumours.traits[name]) for name in TRAITS},
            RECEPTORS: people.tumours.parameters[RECEPTORS],
        }
    )
    return pl.concat([first, dated], how="horizontal")


def _dated(outcomes: pl.DataFrame, people: VirtualCohort) -> pl.DataFrame:
    """Scans where they fall: some days before or after the planned one."""
    window_day = assessment_number("scan_window")
    stream = people.cohort.stream(Purpose.VISITS)
    dates = {
        name: outcomes[name].to_numpy() + window_day * (2 * stream.uniform(f"on:{name}") - 1)
        for name in DATED
    }
    return outcomes.with_columns(**dates)


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(str) if values.dtype.kind not in "bif" else values


def treatment_plan(trial: Trial, arm: Arm, by_rules: bool = True) -> TreatmentPlan:
    """How patients of an arm are treated."""
    least = trial.enrolled.lvef_least
    return TreatmentPlan(
        trial.end_month * DAY_PER_MONTH,
        trial.setting,
        trial.region,
        by_rules,
        scan=trial.lvef_method,
        lvef_entry_percent=None if least is None else least.value,
        given_with=arm.given_with,
        scans=_calendar(trial.scans) if trial.scans else SCANS,
        lvef_tests=_calendar(trial.lvef_tests) if trial.lvef_tests else None,
    )


def _calendar(paces: tuple[Pace, ...]) -> Calendar:
    return Calendar(
        tuple(
            (
                pace.every_week * DAY_PER_WEEK,
                np.inf if pace.until_week is None else pace.until_week * DAY_PER_WEEK,
            )
            for pace in paces
        )
    )


@dataclass(frozen=True, eq=False)
class RegimenGroup:
    """A regimen of an arm, and the patients who get it by their rows."""

    name: str
    drugs: Sequence[Treatment]
    rows: Positions


def regimen_groups(arm: Arm, numbers: Positions, seed: int) -> Iterator[RegimenGroup]:
    """Which patients get which regimen of an arm; those that nobody gets are left out."""
    if not arm.regimen:
        yield RegimenGroup("none", (), np.arange(numbers.size))
        return
    for name, drugs, rows in given_groups(arm.regimen, numbers, seed):
        yield RegimenGroup(name, drugs, rows)


def _observed(trial: Trial, people: VirtualCohort, progressed_day: Array) -> dict[str, Array]:
    """When each patient comes in, is cut off, is lost, and dies; days from entry but the first."""
    design, stream = trial.design, people.cohort.stream(Purpose.DROPOUT)
    entry = stream.uniform("entry") * design.accrual.to("day")
    rate = -np.log1p(-min(design.lost.share, 1 - 1e-9)) / DAY_PER_YEAR
    with np.errstate(divide="ignore"):
        lost = -np.log(stream.uniform("lost")) / rate
    has_deaths = bool(people.tumours.has_lesion_model.all())  # they follow progression
    deaths = (
        {"death_day": death_days(people, progressed_day, design.began_year)} if has_deaths else {}
    )
    return {
        "entry_day": entry,
        "cut_day": trial.end_month * DAY_PER_MONTH - entry,
        "lost_day": lost,
        **deaths,
    }
