"""A trial whose outcomes are written by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from her2sim.studies.trial.report import TrialReport, trial_report
from her2sim.trials.library import load_trial
from her2sim.trials.run import RunSettings, TrialRun
from her2sim.trials.trial import Safety
from her2sim.units import DAY_PER_MONTH

N_CARRIERS = 4


def lvef(arm: str) -> Safety:
    """A published adverse event that the outcomes below do not have."""
    return Safety(arm=arm, event="lvef_drop", value=8, status="assumed", reason="a test")


@pytest.fixture
def reported(tmp_path):
    """MARGETUXIMAB's trial, its outcomes written by hand: equal members of so many patients.

    Before them come those of the best fit, if there are members at all.
    """

    def report(
        members: int,
        each: int = 40,
        replicates: int = 1,
        carriers: int = N_CARRIERS,
        events: tuple[int, int] | None = None,
    ) -> TrialReport:
        paths = {}
        trial = load_trial("sophia")
        trial = trial.model_copy(update={"safety": (lvef(trial.arm[0].id),)})
        has_best = members > 1 and replicates == 1
        n = (members + has_best) * each
        place = np.arange(n) % each
        for number, arm in enumerate(trial.arm):
            month = 2.0 + 0.5 * place + number + 0.1 * (np.arange(n) // each)
            never = np.full(n, np.inf)
            if events is not None:  # so many of each have the event, the others never
                month = np.where(place < events[number], month, np.inf)
            columns = {
                "member": np.arange(n) // each + (members > 1 and not has_best),
                "replicate": np.arange(n) // each if replicates > 1 else np.zeros(n),
                "cut_day": np.full(n, 60 * DAY_PER_MONTH), "lost_day": never,
                "death_day": 1.5 * month * DAY_PER_MONTH, "progressed_day": month * DAY_PER_MONTH,
                "response_day": np.where(place < 3, 40.0, np.inf), "complete_day": never,
                "confirmed_day": np.where(place < 3, 80.0, np.inf), "complete_confirmed_day": never,
                "days_grade_2": np.zeros(n),
                "genotype": np.where(place < carriers, "VF", "VV"),
                "is_er_positive": np.full(n, True), "pik3ca": np.full(n, False),
            }  # fmt: skip
            paths[arm.id] = tmp_path / f"{arm.id}.parquet"
            pl.DataFrame(columns).write_parquet(paths[arm.id])
        asked = RunSettings(each if replicates > 1 else n, 1, members, replicates)
        return trial_report(TrialRun(trial, asked, paths))

    return report
