"""Where a command writes is checked before it runs; nothing that is there is destroyed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from her2sim.errors import DataError
from her2sim.store.files import write_text

EXAMPLES = Path(__file__).parents[2] / "examples"
RUN = ("trial", "run", str(EXAMPLES / "trial_own.toml"), "--per-arm", "3000", "--seed", "1")
SIMULATE = ("simulate", "events.csv", "--drug", "trastuzumab", "--typical", "--time-unit", "day")
QUICK_SECONDS = 20.0
"""A refused run of thousands of patients ends long before this; run, it takes minutes."""


def command(folder: Path, *call: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "her2sim", *call],
        cwd=folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with an event table, a file of somebody's, and a folder in it."""
    events = (EXAMPLES / "trastuzumab_events.csv").read_text(encoding="utf-8")
    (tmp_path / "events.csv").write_text(events, encoding="utf-8")
    (tmp_path / "there").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ((*RUN, "--figure", "curves.xyz"), "--figure curves.xyz: no such kind of figure"),
        ((*RUN, "--html", "nowhere/page.html"), "the folder nowhere does not exist"),
        ((*RUN, "--html", "there"), "--html there: is a folder; name a file"),
        ((*RUN, "--html", "a.svg", "--figure", "a.svg"), "a.svg: is --html too"),
        (("course", "p.toml", "--regimen", "thp", "--html", "p.toml"), "is the input PATIENT"),
        ((*SIMULATE, "-o", "events.csv"), "--output events.csv: is the input EVENTS"),
        ((*SIMULATE, "-o", "out.csv", "--doses", "./out.csv"), "is --doses too"),
        (
            (*RUN, "--figure", "a.xyz", "--html", "nowhere/page.html"),
            "trial run: 2 faults",
        ),
    ],
)
def test_a_place_that_cannot_be_is_refused_before_the_run(call, words: str, place: Path) -> None:
    (place / "p.toml").write_bytes((EXAMPLES / "patient_mbc.toml").read_bytes())
    before = {p: p.read_bytes() for p in place.rglob("*") if p.is_file()}
    begun = time.monotonic()
    done = command(place, *call)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - begun < QUICK_SECONDS
    assert {p: p.read_bytes() for p in place.rglob("*") if p.is_file()} == before


def test_a_link_is_followed_and_kept(place: Path) -> None:
    (place / "real.csv").write_text("old", encoding="utf-8")
    (place / "link.csv").symlink_to("real.csv")
    assert command(place, *SIMULATE, "-o", "link.csv").returncode == 0
    assert (place / "link.csv").is_symlink()
    assert (place / "real.csv").read_text(encoding="utf-8").startswith("ID,TIME")


def test_a_link_to_the_input_is_the_input(place: Path) -> None:
    (place / "link.csv").symlink_to("events.csv")
    done = command(place, *SIMULATE, "-o", "link.csv")
    assert done.returncode == 2
    assert "is the input EVENTS" in done.stderr


def test_a_device_is_written_to_and_stays(place: Path) -> None:
    assert command(place, *SIMULATE, "-o", "/dev/null").returncode == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_pipe_is_written_to(place: Path) -> None:
    os.mkfifo(place / "pipe")
    with subprocess.Popen(["cat", "pipe"], cwd=place, stdout=subprocess.PIPE, text=True) as reader:
        assert command(place, *SIMULATE, "-o", "pipe").returncode == 0
        assert reader.stdout is not None
        assert reader.stdout.read().startswith("ID,TIME")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
def test_a_full_disk_is_said_in_one_message(place: Path) -> None:
    done = command(place, *SIMULATE, "-o", "/dev/full")
    assert done.returncode == 2
    assert "/dev/full: cannot be written (the disk is full)" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_fails_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    (tmp_path / "gone").mkdir()
    with pytest.raises(DataError, match="does not exist"):
        write_text(tmp_path / "missing" / "a.txt", "new")
    write_text(path, "new")
    assert path.read_text(encoding="utf-8") == "new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "gone"]
