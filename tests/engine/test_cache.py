"""The object cache: survives a new process and a broken file, and is not fooled."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from her2sim.engine.codegen import cache
from her2sim.engine.codegen.kernel import kernel_ir
from her2sim.engine.codegen.machine import Machine, this_machine
from her2sim.engine.trajectories import Reductions
from tests.problems import trastuzumab_model


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "objects"
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(place))
    return place


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes every real compilation (the compiler itself still runs)."""
    done: list[str] = []
    real = cache.compile_object

    def counted(source: str, machine: Machine) -> bytes:
        done.append(source)
        return real(source, machine)

    monkeypatch.setattr(cache, "compile_object", counted)
    return done


def source() -> str:
    return kernel_ir(trastuzumab_model(), 4, Reductions.CYCLES)


def test_the_second_time_nothing_is_compiled(folder: Path, compilations: list[str]) -> None:
    first = cache.compiled_object(source(), this_machine())
    assert cache.compiled_object(source(), this_machine()) == first
    assert len(compilations) == 1
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_new_process_uses_the_file(folder: Path) -> None:
    cache.compiled_object(source(), this_machine())
    stamps = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    code = (
        "from her2sim.engine.codegen import cache\n"
        "def refuse(*_): raise SystemExit('compiled again')\n"
        "cache.compile_object = refuse\n"
        "from her2sim.engine.advance import advance, compile_kernel\n"
        "from tests.problems import trastuzumab_model, trastuzumab_year\n"
        "m = trastuzumab_model()\n"
        "k = compile_kernel(m, lanes=4)\n"
        "print(advance(m, trastuzumab_year(2), kernel=k).status.sum())\n"
    )
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": root}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout.strip(), done.stderr) == ("0", "")
    assert stamps == {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-9], lambda b: b"", lambda b: b[:60] + b"x" + b[61:]]
)
def test_a_damaged_file_is_compiled_anew(folder: Path, compilations: list[str], damage) -> None:
    first = cache.compiled_object(source(), this_machine())
    (path,) = folder.glob("*.o")
    path.write_bytes(damage(path.read_bytes()))
    assert cache.compiled_object(source(), this_machine()) == first
    assert len(compilations) == 2
    assert cache.compiled_object(source(), this_machine()) == first
    assert len(compilations) == 2


def test_another_cpu_gets_another_file() -> None:
    here = this_machine()
    other = Machine(here.triple, here.cpu, here.features + ",-avx512f", here.vector)
    assert here.key(source()) != other.key(source())


def test_a_folder_that_others_can_write_to_is_not_used(
    folder: Path, compilations: list[str]
) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    for _ in range(2):
        cache.compiled_object(source(), this_machine())
    assert len(compilations) == 2
    assert not list(folder.iterdir())


def test_a_link_is_not_followed(tmp_path: Path, folder: Path, compilations: list[str]) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    for _ in range(2):
        cache.compiled_object(source(), this_machine())
    assert len(compilations) == 2
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_relative_folder_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, compilations: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(cache.FOLDER_VARIABLE, "objects")
    cache.compiled_object(source(), this_machine())
    assert not list(tmp_path.iterdir())
