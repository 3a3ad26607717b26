"""Runs that cannot go on: full disk, vanished folder, damaged part or table, a scheduler that dies.

Each ends with one message and exit code 2, and what was finished is gone on with.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

ARM = 60
CHUNK = 5
RUN = ("trial", "run", "emilia", "--per-arm", str(ARM), "--seed", "1", "--chunk", str(CHUNK),
       "--members", "1", "-o", "kept")  # fmt: skip
LONG = ("trial", "run", "emilia", "--per-arm", "3000", "--seed", "1", "--chunk", "50",
        "--members", "1", "-o", "kept")  # fmt: skip
SECONDS = 120


def start(folder: Path, *call: str, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "her2sim", *call], cwd=folder, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def ended(run: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and message."""
    _, said = run.communicate(timeout=SECONDS)
    assert "Traceback" not in said
    return run.returncode, said


def tables(folder: Path) -> list[pl.DataFrame]:
    return [pl.read_parquet(path) for path in sorted((folder / "kept").glob("*.parquet"))]


def parts(folder: Path) -> list[Path]:
    return sorted((folder / "kept").glob("*.parts/part-*.parquet"))


def wait_for_parts(folder: Path, run: subprocess.Popen[str], n: int) -> None:
    deadline = time.monotonic() + SECONDS
    while len(parts(folder)) < n:
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[pl.DataFrame]:
    """The tables of a run that nothing disturbs."""
    folder = tmp_path_factory.mktemp("whole")
    assert ended(start(folder, *RUN))[0] == 0
    return tables(folder)


def require_goes_on(folder: Path, whole: list[pl.DataFrame]) -> None:
    """The same command once more ends with the same tables, and leaves nothing else."""
    code, said = ended(start(folder, *RUN))
    assert code == 0, said
    for found, wanted in zip(tables(folder), whole, strict=True):
        assert found.equals(wanted, null_equal=True)
    assert not list((folder / "kept").glob("*.parts"))
    assert not list((folder / "kept").glob(".*"))


def test_a_disk_that_takes_no_more(tmp_path: Path, whole: list[pl.DataFrame]) -> None:
    """A limit on the size of files stands for it: the same error of writing, for any user."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    code, said = ended(start(tmp_path, *RUN, preexec_fn=limited))
    assert code == 2
    assert "cannot be written (" in said
    assert said.count("\n") == 1
    require_goes_on(tmp_path, whole)


def test_a_place_that_takes_no_file(tmp_path: Path) -> None:
    """Where even root writes nothing; refused before the run, whatever the rights say."""
    for option in ("--html", "--figure", "-o"):
        place = "/proc/page.svg" if option != "-o" else "/proc/kept"
        begun = time.monotonic()
        code, said = ended(start(tmp_path, *LONG[:-2], option, place))
        assert code == 2
        assert "cannot be" in said
        assert time.monotonic() - begun < 20


def test_a_folder_that_vanishes(tmp_path: Path) -> None:
    run = start(tmp_path, *LONG)
    wait_for_parts(tmp_path, run, 3)
    shutil.rmtree(tmp_path / "kept", ignore_errors=True)
    shutil.rmtree(tmp_path / "kept", ignore_errors=True)  # a part may have come meanwhile
    code, said = ended(run)
    assert code == 2
    assert "is gone; it was removed while the run worked there" in said or "cannot be" in said


@pytest.mark.parametrize("kind", ["cut off", "empty", "other", "that of another part", "a byte"])
def test_a_damaged_part_is_made_anew(kind: str, tmp_path: Path, whole: list[pl.DataFrame]) -> None:
    run = start(tmp_path, *RUN, "--workers", "1")
    wait_for_parts(tmp_path, run, 2)
    run.kill()
    run.communicate()
    part = parts(tmp_path)[0]
    content = part.read_bytes()
    half = len(content) // 2
    damaged = {
        "cut off": content[:half], "empty": b"", "other": b"x" * 999,
        "that of another part": parts(tmp_path)[1].read_bytes(),
        "a byte": content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :],
    }  # fmt: skip
    part.write_bytes(damaged[kind])
    require_goes_on(tmp_path, whole)


@pytest.mark.parametrize("kind", ["cut off", "that of another arm", "fewer rows"])
def test_a_damaged_table_is_refused_with_the_remedy(
    kind: str, tmp_path: Path, whole: list[pl.DataFrame]
) -> None:
    assert ended(start(tmp_path, *RUN))[0] == 0
    table, other = sorted((tmp_path / "kept").glob("*.parquet"))
    if kind == "fewer rows":
        pl.read_parquet(table).head(15).write_parquet(table)
    else:
        content = table.read_bytes()[:2000] if kind == "cut off" else other.read_bytes()
        table.write_bytes(content)
    damaged = table.read_bytes()
    code, said = ended(start(tmp_path, *RUN))
    assert code == 2
    assert "is not as the run left it (damaged or changed); --restart makes" in said
    assert table.read_bytes() == damaged  # nothing is replaced in silence
    assert ended(start(tmp_path, *RUN, "--restart"))[0] == 0
    require_goes_on(tmp_path, whole)


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A Dask scheduler of its own, and its address."""
    file = tmp_path / "scheduler.json"
    run = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard",
         "--scheduler-file", str(file)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + SECONDS
    while not file.is_file():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield json.loads(file.read_text())["address"], run
    run.kill()
    run.wait()


def test_a_cluster_without_workers(scheduler, tmp_path: Path) -> None:
    code, said = ended(start(tmp_path, *RUN, "--cluster", scheduler[0]))
    assert code == 2
    assert "has no workers; start one" in said


def test_a_scheduler_that_dies(scheduler, tmp_path: Path) -> None:
    address, process = scheduler
    worker = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1",
         "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path / "w")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        run = start(tmp_path, *LONG, "--cluster", address)
        wait_for_parts(tmp_path, run, 3)
        process.kill()
        code, said = ended(run)
    finally:
        worker.kill()
        worker.wait()
    assert code == 2
    assert "the scheduler is gone" in said
    assert parts(tmp_path)  # what was finished is kept


def test_a_file_of_somebody_in_the_folder_is_not_replaced(tmp_path: Path) -> None:
    """Where the table of columns would be; neither a file nor what a link leads to."""
    (tmp_path / "kept").mkdir()
    told = tmp_path / "kept" / "emilia-columns.csv"
    told.write_text("mine", encoding="utf-8")
    code, said = ended(start(tmp_path, *RUN))
    assert code == 2
    assert "is there already and is not of her2sim" in said
    assert told.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["emilia-tdm1-rules.parquet", "emilia-columns.csv", "page.html"])
def test_no_output_lies_in_the_folder_of_a_run(name: str, tmp_path: Path) -> None:
    assert ended(start(tmp_path, *RUN))[0] == 0
    before = {p: p.read_bytes() for p in (tmp_path / "kept").iterdir()}
    code, said = ended(start(tmp_path, *RUN, "--restart", "--html", f"kept/{name}"))
    assert code == 2
    assert "lies in the folder of --folder; name a place outside it" in said
    assert {p: p.read_bytes() for p in (tmp_path / "kept").iterdir()} == before
