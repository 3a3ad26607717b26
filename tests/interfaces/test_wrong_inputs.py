"""Wrong inputs over all commands: one message with every fault and the remedy, and nothing written.

The commands stand in ``wrong_inputs.toml``. They run in this process, through the same entry as
in a shell; some of them run in a shell too.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from her2sim.cli import main

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
WRONG = tomllib.loads((HERE / "wrong_inputs.toml").read_text(encoding="utf-8"))["wrong"]
FILES = {
    "patient.toml": "patient_mbc.toml",
    "early.toml": "patient_ebc.toml",
    "events.csv": "trastuzumab_events.csv",
    "readings.csv": "readings_mbc.csv",
    "record.csv": "record_clean.csv",
    "trial.toml": "trial_own.toml",
    "patients.csv": "patients.csv",
}
WORDS_OF_LIBRARIES = (
    "Traceback", "Errno", "pydantic", "Invalid value", "not a valid", "Input should be",
    "Got unexpected", "Missing option", "Missing argument", "Expected '='", "invalid literal",
)  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file of each kind."""
    for name, example in FILES.items():
        shutil.copy(EXAMPLES / example, tmp_path / name)
    told = (tmp_path / "patient.toml").read_text(encoding="utf-8")
    other = told.replace('"breast"', '"other"')
    (tmp_path / "other.toml").write_text(other, encoding="utf-8")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(place: Path) -> dict[Path, bytes]:
    return {p: p.read_bytes() if p.is_file() else b"" for p in place.rglob("*")}


def require_one_message(code: int, output: str, message: str, says: list[str]) -> None:
    assert code == 2, message
    assert output == ""
    for words in says:
        assert words in message
    for words in WORDS_OF_LIBRARIES:
        assert words not in message
    first, *more = message.splitlines()
    assert first.startswith("her2sim: ")
    assert all(line.startswith("  ") for line in more)  # one message, its faults below


@pytest.mark.parametrize("wrong", WRONG, ids=[one["command"][:80] for one in WRONG])
def test_wrong_input(wrong: dict, place: Path) -> None:
    if "table" in wrong:
        (place / "e.csv").write_bytes(wrong["table"].encode())
    before = contents(place)
    done = CliRunner().invoke(main, shlex.split(wrong["command"]), prog_name="her2sim")
    assert isinstance(done.exception, SystemExit)
    require_one_message(done.exit_code, done.stdout, done.stderr, wrong["says"])
    assert contents(place) == before  # nothing written, nothing half-written


@pytest.mark.parametrize("wrong", WRONG[::25], ids=[one["command"][:80] for one in WRONG[::25]])
def test_wrong_input_in_a_shell(wrong: dict, place: Path) -> None:
    if "table" in wrong:
        (place / "e.csv").write_bytes(wrong["table"].encode())
    before = contents(place)
    done = subprocess.run(
        f"{shlex.quote(sys.executable)} -m her2sim {wrong['command']}",
        shell=True, cwd=place, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    require_one_message(done.returncode, done.stdout, done.stderr, wrong["says"])
    assert contents(place) == before


def commands(of: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(of, click.Group):
        return [path]
    return [one for name, c in of.commands.items() for one in commands(c, (*path, name))]


def test_every_command_is_among_them() -> None:
    """Two hundred kinds at least, and some of each command that takes anything."""
    assert len(WRONG) >= 200
    tried = Counter()
    for path in commands(main):
        tried[path] = sum(one["command"].split()[: len(path)] == list(path) for one in WRONG)
    assert {path for path, times in tried.items() if times == 0} == set()
    several = {path for path, times in tried.items() if times >= 3}
    few = {("drug", "list"), ("regimen", "list"), ("trial", "list"), ("trial", "schema"),
           ("regimen", "show"), ("schema",)}  # fmt: skip
    assert set(tried) - several <= few  # they take nothing, or one name


def test_faults_of_options_files_and_names_are_told_together() -> None:
    """More than forty entries hold two faults or more."""
    several = [one for one in WRONG if one["says"][0].endswith("faults")]
    assert len(several) >= 40
