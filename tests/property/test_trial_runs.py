"""A trial gives equal tables however it is cut, wherever it runs, and after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from her2sim.trials.folder import TrialFolder
from her2sim.trials.library import load_trial
from her2sim.trials.run import RunSettings, run_trial

PER_ARM = 60
ASKED = RunSettings(PER_ARM, 7, 3)
TRIAL = "nala"  # tablets, holds for diarrhoea


def tables(folder: Path, **how: object) -> dict[str, pl.DataFrame]:
    """Outcomes of all arms."""
    folder.mkdir(exist_ok=True)
    with TrialFolder(folder) as store:
        run = run_trial(load_trial(TRIAL), ASKED, store, **how)  # type: ignore[arg-type]
        return {arm: pl.read_parquet(path) for arm, path in run.paths.items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """In one process, in one piece."""
    return tables(tmp_path_factory.mktemp("whole"), workers=1, chunk=PER_ARM)


def require_equal(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    assert one.keys() == other.keys()
    for arm, frame in one.items():
        assert frame.equals(other[arm], null_equal=True), arm


@pytest.mark.parametrize("chunk", [7, 20])
def test_chunks_change_nothing(tmp_path: Path, whole: dict[str, pl.DataFrame], chunk: int) -> None:
    require_equal(whole, tables(tmp_path, workers=1, chunk=chunk))


def test_two_cores_change_nothing(tmp_path: Path, whole: dict[str, pl.DataFrame]) -> None:
    require_equal(whole, tables(tmp_path, workers=2, chunk=20))


def test_arms_treat_the_same_patients(whole: dict[str, pl.DataFrame]) -> None:
    one, other = whole.values()
    for column in ("patient", "member", "pik3ca", "entry_day", "genotype", "ihc"):
        assert one[column].to_list() == other[column].to_list()


def test_a_third_has_the_numbers_that_fit_best_and_members_share_the_rest(
    whole: dict[str, pl.DataFrame],
) -> None:
    for frame in whole.values():
        counts = dict(frame["member"].value_counts().iter_rows())
        assert counts == {0: PER_ARM // 3, 1: 14, 2: 13, 3: 13}


def test_replicates_have_patients_of_their_own(tmp_path: Path) -> None:
    asked = replace(ASKED, per_arm=10, replicates=3)
    with TrialFolder(tmp_path) as store:
        run = run_trial(load_trial(TRIAL), asked, store, workers=1)
        patients = [pl.read_parquet(path) for path in run.paths.values()]
    numbers = np.concatenate([frame["patient"].to_numpy() for frame in patients])
    assert np.unique(numbers).size == 2 * 3 * 10
    for frame in patients:
        assert frame["replicate"].to_list() == [0] * 10 + [1] * 10 + [2] * 10
        assert frame.group_by("replicate").agg(pl.col("member").n_unique())["member"].max() == 1


def test_a_killed_run_goes_on_and_loses_or_doubles_nobody(
    tmp_path: Path, whole: dict[str, pl.DataFrame]
) -> None:
    folder = tmp_path / "kept"
    code = (
        "from pathlib import Path; import tests.property.test_trial_runs as t;"
        f"t.tables(Path({str(folder)!r}), workers=1, chunk=5)"
    )
    root = Path(__file__).parents[2]
    killed = subprocess.Popen([sys.executable, "-c", code], cwd=root, env=dict(os.environ))
    deadline = time.monotonic() + 120
    while len(list(folder.glob("*.parts/part-*.parquet"))) < 5:
        assert time.monotonic() < deadline
        assert killed.poll() is None, "it was too fast to be killed"
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    parts = sorted(folder.glob("*.parts/part-*.parquet"))
    stamps = {path: path.stat().st_mtime_ns for path in parts}
    seen: list[int] = []
    with TrialFolder(folder) as store:
        run = run_trial(
            load_trial(TRIAL), ASKED, store, workers=1, chunk=5,
            progress=lambda done, total: seen.append(done),
        )  # fmt: skip
        again = {arm: pl.read_parquet(path) for arm, path in run.paths.items()}
    # Finished parts were taken as they are; the last may have been killed before it was noted.
    assert 5 * (len(stamps) - 1) <= seen[0] <= 5 * len(stamps)
    require_equal(whole, again)
    assert not list(folder.glob(".*")) + list(folder.glob("*.parts"))


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    tables(tmp_path, workers=1)
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")}
    tables(tmp_path, workers=1)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")} == stamps


def test_a_cluster_that_loses_a_worker_gives_the_same(
    tmp_path: Path, whole: dict[str, pl.DataFrame]
) -> None:
    python = [sys.executable, "-m"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "10")
        file = tmp_path / "scheduler.json"
        started = [
            subprocess.Popen(
                [*python, "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard",
                 "--scheduler-file", str(file)], **quiet,
            )
        ]  # fmt: skip
        deadline = time.monotonic() + 60
        while not file.is_file():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        started += [
            subprocess.Popen(
                [*python, "distributed.cli.dask_worker", "--scheduler-file", str(file),
                 "--nthreads", "1", "--no-nanny", "--no-dashboard",
                 "--local-directory", str(tmp_path)], **quiet,
            )
            for _ in range(2)
        ]  # fmt: skip
        import json

        address = json.loads(file.read_text())["address"]
        killed: list[int] = []

        def progress(done: int, total: int) -> None:
            if done >= 20 and not killed:
                started[-1].kill()
                killed.append(done)

        try:
            found = tables(tmp_path / "kept", cluster=address, chunk=5, progress=progress)
        finally:
            for process in started:
                process.kill()
                process.wait()
    assert killed
    assert killed[0] < 2 * PER_ARM  # in mid-run
    require_equal(whole, found)
