"""What trials cost: a Cox model, power over replicates, and memory at a million patients."""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from her2sim.engine.advance import available_cores
from her2sim.studies.trial.report import trial_report
from her2sim.trials.library import load_trial
from her2sim.trials.run import RunSettings, TrialFolder, run_trial
from her2sim.trials.survival import hazard_ratio, log_rank

SIZES = (100_000, 1_000_000)


def statistics_of_400() -> None:
    random = np.random.default_rng(1)
    month, event = random.exponential(10, 400), random.random(400) < 0.7
    arm = np.arange(400) < 200
    for name, function in (("Cox", hazard_ratio), ("log-rank", log_rank)):
        taken = []
        for _ in range(100):
            start = time.perf_counter()
            function(month, event, arm)
            taken.append(time.perf_counter() - start)
        print(f"{name}, 400 patients: {1e3 * statistics.median(taken):.2f} ms (median of 100)")


def replicates(name: str) -> None:
    with TrialFolder(None) as store:
        start = time.perf_counter()
        run = run_trial(
            load_trial(name), RunSettings(300, 1, 24, 200), store, workers=available_cores()
        )
        report = trial_report(run)
        seconds = time.perf_counter() - start
    for row in report.power:
        print(f"{name}, 200 replicates of 2 x 300, {row.endpoint}: power {100 * row.power:.0f} %")
    print(f"{name}: {seconds:.0f} s")


def million(name: str) -> None:
    for patients in SIZES:
        with tempfile.TemporaryDirectory() as folder, TrialFolder(Path(folder)) as store:
            start = time.perf_counter()
            run_trial(
                load_trial(name), RunSettings(patients, 1, 24), store, workers=available_cores()
            )
            seconds = time.perf_counter() - start
        peaks = [resource.getrusage(who).ru_maxrss / 1024
                 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]  # fmt: skip
        print(f"{name}, {patients} patients: {seconds:.0f} s, peak {peaks[0]:.0f} MB, "
              f"largest worker {peaks[1]:.0f} MB")  # fmt: skip


if __name__ == "__main__":
    statistics_of_400()
    replicates("destiny-breast03")
    replicates("nala")
    million("sakk22-99")
