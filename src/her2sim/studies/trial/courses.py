"""Single patients of a trial: their scans, response, progression and end of observation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from her2sim.arrays import Array
from her2sim.biology.ensemble import Members
from her2sim.trials.arm import ArmPatients, run_arm_with_scans
from her2sim.trials.run import ChunkTask, TrialRun, patient_layout
from her2sim.units import DAY_PER_MONTH

Response = Literal["complete", "partial", "stable", "progression", "not assessed"]
MOST_SHOWN = 200
"""Patients of an arm that a figure can still tell apart."""


@dataclass(frozen=True, eq=False)
class PatientCourse:
    """One patient as the trial sees her, months from entry.

    ``scan_month`` and ``change_percent`` are her scans and the change of the sum of diameters from
    the first one, both from month 0 on. ``response_month`` is infinite without a response that the
    trial counts; ``progressed_month`` and ``death_month`` are infinite where they were not seen
    before ``until_month``.
    """

    number: int
    scan_month: Array
    change_percent: Array
    response_month: float
    is_complete: bool
    progressed_month: float
    death_month: float
    until_month: float

    @property
    def best_percent(self) -> float:
        """Best change at a scan after the first; NaN without one."""
        later = self.change_percent[1:]
        return float(later.min()) if later.size else float("nan")

    @property
    def response(self) -> Response:
        """Best response that the trial counts."""
        if np.isfinite(self.response_month):
            return "complete" if self.is_complete else "partial"
        if not self.change_percent[1:].size:
            return "not assessed"
        first = self.scan_month[1]
        return "progression" if self.progressed_month <= first + 0.5 else "stable"

    @property
    def end_month(self) -> float:
        """Death, or where observation ended."""
        return min(self.death_month, self.until_month)


@dataclass(frozen=True, eq=False)
class ArmCourses:
    """Some patients of an arm: the first of the run."""

    id: str
    title: str
    patients: tuple[PatientCourse, ...]


def trial_courses(run: TrialRun, patients: int = 60) -> tuple[ArmCourses, ...]:
    """The first patients of each arm of a run, followed scan by scan.

    Parameters
    ----------
    run : the trial that was run; the patients are treated once more, with the same numbers (of
        replicates, those of the first)
    patients : of each arm, ``MOST_SHOWN`` at most
    """
    n = min(patients, MOST_SHOWN)
    return tuple(
        ArmCourses(arm.id, arm.title, tuple(_courses(run, arm.id, min(n, run.asked.n_of(arm)))))
        for arm in run.trial.arm
    )


def _courses(run: TrialRun, arm_id: str, n: int) -> Iterator[PatientCourse]:
    trial, asked = run.trial, run.asked
    arm = trial.arm_of(arm_id)
    numbers, members, _ = patient_layout(ChunkTask(trial, arm_id, asked, 0, n), arm)
    frame, series = run_arm_with_scans(
        trial, arm, ArmPatients(numbers, Members(members)), asked.seed, by_rules=asked.by_rules
    )
    day = {name: frame[name].to_numpy() for name in frame.columns if name.endswith("_day")}
    ends = np.minimum(day["cut_day"], day["lost_day"])
    death = day.get("death_day", np.full(n, np.inf))
    until = np.minimum(ends, death)
    kind = "confirmed_" if trial.response == "confirmed" else ""
    counts = day[f"{kind}day" if kind else "response_day"] <= until
    complete = day[f"complete_{kind}day"] <= until
    response = np.where(counts, day["response_day"], np.inf) / DAY_PER_MONTH
    progressed = _seen(day["progressed_day"], until)
    died = _seen(death, ends)
    for k, (scan_day, share) in enumerate(series):
        is_seen = scan_day <= until[k]
        yield PatientCourse(
            int(numbers[k]),
            np.concatenate([[0.0], scan_day[is_seen]]) / DAY_PER_MONTH,
            np.concatenate([[0.0], 100 * (share[is_seen] - 1)]),
            float(response[k]), bool(complete[k]), float(progressed[k]), float(died[k]),
            float(ends[k]) / DAY_PER_MONTH,
        )  # fmt: skip


def _seen(day: Array, until: Array) -> Array:
    """Months of what was seen before observation ended; infinite for the others."""
    with np.errstate(invalid="ignore"):
        found: Array = np.where(day <= until, day, np.inf) / DAY_PER_MONTH
    return found
