"""The demonstration: a published trial, run again and laid beside what it published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from her2sim.biology.ensemble import ensemble
from her2sim.report.trials.asked import asked_reports
from her2sim.report.trials.figure import trial_figure
from her2sim.report.trials.page import trial_page
from her2sim.report.trials.report import TrialReport
from her2sim.report.trials.run import Asked, TrialFolder, usual_members
from her2sim.trials.named import load_trial
from her2sim.trials.workers import n_cores

TRIAL = "destiny-breast03"
"""One that the calibration did not see."""


def run_demo(
    per_arm: int, seed: int, folder: Path, progress: Callable[[int, int], None]
) -> tuple[TrialReport, tuple[Path, Path]]:
    """Run the trial; returns the report, and the paths of the figure and of the page."""
    trial = load_trial(TRIAL)
    members = usual_members(per_arm, 1, len(ensemble().draws))
    with TrialFolder(None) as store:
        asked = Asked(per_arm, seed, members)
        report = asked_reports(trial, asked, store, workers=n_cores(), chunk=250, progress=progress)
        figure, page = folder / f"{TRIAL}.png", folder / f"{TRIAL}.html"
        trial_figure(figure, report)
        trial_page(page, [report])
    return report, (figure, page)
