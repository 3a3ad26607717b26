"""The demonstration: a published trial, run again."""

from __future__ import annotations

from collections.abc import Callable

from her2sim.biology.ensemble import ensemble
from her2sim.engine.advance import available_cores
from her2sim.studies.trial.report import TrialReport
from her2sim.studies.trial.runs import asked_reports
from her2sim.trials.folder import TrialFolder
from her2sim.trials.library import load_trial
from her2sim.trials.run import RunSettings, usual_members

TRIAL = "destiny-breast03"
"""One with a large difference between its arms."""
CHUNK = 250


def run_demo(per_arm: int, seed: int, progress: Callable[[int, int], None]) -> TrialReport:
    """Run the trial of the demonstration with so many patients an arm.

    The outcomes of its patients are read while they are there: all figures are worked out here.
    """
    trial = load_trial(TRIAL)
    asked = RunSettings(per_arm, seed, usual_members(per_arm, 1, len(ensemble().draws)))
    with TrialFolder(None) as store:
        return asked_reports(
            trial, asked, store, workers=available_cores(), chunk=CHUNK, progress=progress
        )
