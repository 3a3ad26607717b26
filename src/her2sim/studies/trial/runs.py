"""Trials run and reported: one with and without the rules, or all that come with her2sim."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from her2sim.arrays import Progress, no_progress
from her2sim.studies.trial.report import TrialReport, trial_report
from her2sim.trials.folder import TrialFolder
from her2sim.trials.library import load_trial
from her2sim.trials.run import CHUNK, RunSettings, run_trial
from her2sim.trials.trial import Trial


def asked_reports(
    trial: Trial,
    asked: RunSettings,
    store: TrialFolder,
    *,
    also_without_rules: bool = False,
    workers: int = 1,
    cluster: str | None = None,
    chunk: int = CHUNK,
    progress: Progress = no_progress,
    restart: bool = False,
) -> TrialReport:
    """The report on a trial; if asked with the same patients without rules beside it."""
    kinds = (replace(asked, by_rules=False), asked) if also_without_rules else (asked,)
    without: TrialReport | None = None
    report: TrialReport | None = None
    for turn, kind in enumerate(kinds):

        def told(done: int, total: int, turn: int = turn) -> None:
            progress(done + turn * total, total * len(kinds))

        run = run_trial(
            trial, kind, store, workers=workers, cluster=cluster, chunk=chunk, progress=told,
            restart=restart,
        )  # fmt: skip
        report = trial_report(run, without)
        without = report
    assert report is not None
    return report


def all_reports(
    names: Sequence[str],
    per_arm: int,
    members: int,
    seed: int,
    *,
    folder: Path | None = None,
    workers: int = 1,
    begins: Callable[[str], None] = lambda name: None,
) -> Iterator[TrialReport]:
    """Reports on some trials of those that come with her2sim, one after the other."""
    for name in names:
        begins(name)
        trial = load_trial(name)
        with TrialFolder(folder) as store:
            asked = RunSettings(per_arm, seed, members)
            yield asked_reports(trial, asked, store, workers=workers)
