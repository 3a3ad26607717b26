"""The object cache: survives a new process and a broken file, and is not fooled."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from her2sim.engine.codegen import cache
from her2sim.engine.codegen import identity as identities
from her2sim.engine.codegen.identity import kernel_identity
from her2sim.engine.codegen.kernel import kernel_ir
from her2sim.engine.codegen.machine import Machine, this_machine
from her2sim.engine.model import Model, Part, compose
from her2sim.engine.trajectories import Reductions
from her2sim.models.symbols import SYMBOLS
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


def identity(**changes: object) -> str:
    asked = {"lanes": 4, "reductions": Reductions.CYCLES, "varying": frozenset[str]()} | changes
    return kernel_identity(asked.pop("model", None) or trastuzumab_model(), **asked)


def made() -> bytes:
    return cache.compiled_object(identity(), source, this_machine())


def test_the_second_time_nothing_is_compiled(folder: Path, compilations: list[str]) -> None:
    first = made()
    assert made() == first
    assert len(compilations) == 1
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_new_process_uses_the_file(folder: Path) -> None:
    made()
    stamps = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    code = (
        "from her2sim.engine.codegen import cache\n"
        "def refuse(*_): raise SystemExit('made again')\n"
        "cache.compile_object = refuse\n"
        "from her2sim.engine import advance as door\n"
        "door.kernel_ir = refuse\n"
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


def test_many_threads_compile_at_once_in_a_new_process(folder: Path) -> None:
    """As two arms of a trial do: tables of llvmlite are filled on first use, by one thread only."""
    code = (
        "import threading\n"
        "from her2sim.engine.advance import kernel_of\n"
        "from her2sim.engine.trajectories import Reductions\n"
        "from her2sim.models.structures import STRUCTURES\n"
        "models = [s.model for s in STRUCTURES.values()][:6] * 2\n"
        "together, kernels = threading.Barrier(12), []\n"
        "def ask(model):\n"
        "    together.wait()\n"
        "    kernels.append(kernel_of(model, Reductions.NONE, frozenset()))\n"
        "threads = [threading.Thread(target=ask, args=(m,)) for m in models]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "print(len(kernels), len({id(k) for k in kernels}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.stdout.strip(), done.stderr) == ("12 6", "")


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-9], lambda b: b"", lambda b: b[:60] + b"x" + b[61:]]
)
def test_a_damaged_file_is_compiled_anew(folder: Path, compilations: list[str], damage) -> None:
    first = made()
    (path,) = folder.glob("*.o")
    path.write_bytes(damage(path.read_bytes()))
    assert made() == first
    assert len(compilations) == 2
    assert made() == first
    assert len(compilations) == 2


def test_another_cpu_gets_another_file() -> None:
    here = this_machine()
    other = Machine(here.triple, here.cpu, here.features + ",-avx512f", here.vector)
    assert here.key(identity()) != other.key(identity())


def test_what_decides_the_code_decides_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert identity() == identity()  # traced anew
    other = replace(trastuzumab_model(), infused=())
    told = {
        identity(), identity(lanes=8), identity(reductions=Reductions.TIME_ABOVE),
        identity(varying=frozenset({"cl"})), identity(model=other),
        identity(model=two_compartments(1.0)), identity(model=two_compartments(1.0 + 1e-15)),
    }  # fmt: skip
    assert len(told) == 7
    monkeypatch.setattr(identities, "generator_hash", lambda: "another version")
    assert identity() not in told


def two_compartments(factor: float) -> Model:
    """A model with a number in its equations."""

    def elimination(central: Any, cl: Any, vc: Any) -> Part:
        return Part(rates={"central": -factor * cl / vc * central})

    return compose("one", [elimination], SYMBOLS)


def test_a_folder_that_others_can_write_to_is_not_used(
    folder: Path, compilations: list[str]
) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    for _ in range(2):
        made()
    assert len(compilations) == 2
    assert not list(folder.iterdir())


def test_a_link_is_not_followed(tmp_path: Path, folder: Path, compilations: list[str]) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    for _ in range(2):
        made()
    assert len(compilations) == 2
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_relative_folder_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, compilations: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(cache.FOLDER_VARIABLE, "objects")
    made()
    assert not list(tmp_path.iterdir())
