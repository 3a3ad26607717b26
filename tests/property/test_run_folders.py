"""A place of results belongs to one run: others are refused, and nothing is mixed or lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from her2sim.errors import DataError
from her2sim.store.parts import FolderLock, PartStore
from her2sim.trials.folder import TrialFolder
from her2sim.trials.library import load_trial
from her2sim.trials.run import RunSettings, run_trial

MANIFEST: dict[str, Any] = {"seed": 1, "patients": 6, "trial_sha256": "abc"}


def frame(number: int) -> pl.DataFrame:
    return pl.DataFrame({"patient": [2 * number, 2 * number + 1]})


def fill(store: PartStore, numbers: range = range(3)) -> None:
    for number in numbers:
        if not store.has(number):
            store.write(number, frame(number))


def finished(folder: Path, **changed: object) -> Path:
    path = folder / "out.parquet"
    with PartStore(path, MANIFEST | changed, restart=True) as store:
        fill(store)
        store.finish()
    return path


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_a_finished_run_leaves_its_table_and_its_manifest_alone(tmp_path: Path) -> None:
    path = finished(tmp_path)
    assert pl.read_parquet(path)["patient"].to_list() == list(range(6))
    assert files(tmp_path) == ["out.parquet", "out.parquet.manifest.json"]
    with PartStore(path, MANIFEST) as again:
        assert again.is_finished()
    assert files(tmp_path) == ["out.parquet", "out.parquet.manifest.json"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"seed": 2}, r"holds another run \(seed 1, asked 2\)"),
        ({"seed": 2, "patients": 8}, r"patients 6, asked 8; seed 1, asked 2"),
        ({"trial_sha256": "other"}, r"\(other trial\)"),
        ({"members": 3}, r"members None, asked 3"),
    ],
)
@pytest.mark.parametrize("is_finished", [True, False])
def test_another_run_is_refused_with_the_difference(
    changed: dict[str, Any], words: str, is_finished: bool, tmp_path: Path
) -> None:
    path = tmp_path / "out.parquet"
    with PartStore(path, MANIFEST) as store:
        fill(store, range(2))
        if is_finished:
            fill(store)
            store.finish()
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p.name != "lock"}
    with pytest.raises(DataError, match=words):
        PartStore(path, MANIFEST | changed)
    assert before == {
        p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p.name != "lock"
    }
    with PartStore(path, MANIFEST | changed, restart=True) as other:
        assert not other.is_finished()
        assert not other.has(0)
        fill(other)
        other.finish()
    assert files(tmp_path) == ["out.parquet", "out.parquet.manifest.json"]


def test_what_is_broken_off_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    with PartStore(path, MANIFEST) as store:
        fill(store, range(2))
    assert (tmp_path / "out.parquet.parts").is_dir()
    (tmp_path / "out.parquet.parts" / ".part-000002-half.parquet").write_text("half")
    with PartStore(path, MANIFEST) as store:
        assert [store.has(number) for number in range(3)] == [True, True, False]
        fill(store)
        store.finish()
    assert files(tmp_path) == ["out.parquet", "out.parquet.manifest.json"]


def test_nothing_is_left_of_a_run_that_wrote_nothing(tmp_path: Path) -> None:
    with PartStore(tmp_path / "out.parquet", MANIFEST):
        pass
    assert files(tmp_path) == []


def test_a_run_killed_between_table_and_manifest_goes_on(tmp_path: Path) -> None:
    """The table is joined first: the parts and their manifest are there until its own is."""
    path = tmp_path / "out.parquet"
    with PartStore(path, MANIFEST) as store:
        fill(store)
        path.write_bytes(b"")
    with PartStore(path, MANIFEST) as store:
        assert not store.is_finished()
        store.finish()
    assert pl.read_parquet(path)["patient"].to_list() == list(range(6))


def test_a_file_of_nobody_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    path.write_text("mine")
    with pytest.raises(DataError, match="is there already, and nothing says which run it is of"):
        PartStore(path, MANIFEST)
    assert path.read_text() == "mine"
    assert files(tmp_path) == ["out.parquet"]


def test_two_at_once_in_one_process(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    with PartStore(path, MANIFEST) as first:
        with pytest.raises(DataError, match="another run is writing it; wait until it ends"):
            PartStore(path, MANIFEST)
        fill(first)
        first.finish()
    with PartStore(path, MANIFEST) as second:
        assert second.is_finished()


def test_a_thread_of_a_run_that_was_broken_off_writes_nothing_more(tmp_path: Path) -> None:
    """It may still compute when another run begins: what it has comes too late."""
    path = tmp_path / "out.parquet"
    store = PartStore(path, MANIFEST)
    fill(store, range(1))
    store.close()
    with PartStore(path, MANIFEST | {"seed": 2}, restart=True) as other:
        store.write(1, frame(7))
        assert not other.has(1)
        fill(other)
        other.finish()
    assert pl.read_parquet(path)["patient"].to_list() == list(range(6))


def test_a_folder_belongs_to_one_trial_and_seed(tmp_path: Path) -> None:
    """With and without the labels' rules may lie together; another seed or trial may not."""

    def run(name: str, seed: int, *, by_rules: bool = True, restart: bool = False) -> None:
        with TrialFolder(tmp_path) as folder:
            asked = RunSettings(2, seed, 1, by_rules=by_rules)
            run_trial(load_trial(name), asked, folder, restart=restart)

    run("emilia", 1)
    run("emilia", 1, by_rules=False)
    before = files(tmp_path)
    assert len(before) == 9
    with pytest.raises(DataError, match=r"of another run \(seed 1, asked 2\)"):
        run("emilia", 2)
    with pytest.raises(DataError, match=r"of another run \(.*trial EMILIA, asked H0649g"):
        run("h0649g", 1)
    assert files(tmp_path) == before
    run("emilia", 2, restart=True)
    assert len(files(tmp_path)) == 5  # nothing of seed 1 is left


def test_a_run_that_begins_while_another_cleans_up_loses_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever finds no lock finds no parts either, which would be taken away a moment later."""
    path, unlink, began = tmp_path / "out.parquet", os.unlink, list[PartStore]()

    def unlinked(name: str | os.PathLike[str], *, dir_fd: int | None = None) -> None:
        unlink(name, dir_fd=dir_fd)
        if os.path.basename(name) == "lock" and not began:
            began.append(PartStore(path, MANIFEST))
            fill(began[0], range(19))

    with PartStore(path, MANIFEST) as first:
        fill(first, range(20))
        monkeypatch.setattr(os, "unlink", unlinked)
        first.finish()
    monkeypatch.undo()
    with began[0] as second:
        fill(second, range(19, 20))
        second.finish()
    assert pl.read_parquet(path)["patient"].to_list() == list(range(40))
    assert files(tmp_path) == ["out.parquet", "out.parquet.manifest.json"]


def test_the_lock_of_a_folder_that_is_gone_is_none(tmp_path: Path) -> None:
    """A file that was opened before another run took it away locks nothing."""
    path = tmp_path / "lock"
    with FolderLock(path) as old:
        assert old.stands()
        path.unlink()
        assert not old.stands()
        with FolderLock(path) as new:
            assert new.stands()
            assert not old.stands()
    assert not old.stands()


WORKER = """
import sys, time
from pathlib import Path
from tests.property.test_run_folders import MANIFEST, fill
from her2sim.errors import DataError
from her2sim.store.parts import PartStore
seed, folder = int(sys.argv[1]), Path(sys.argv[2])
try:
    with PartStore(folder / "out.parquet", MANIFEST | {"seed": seed}) as store:
        for number in range(3):
            fill(store, range(number, number + 1))
            time.sleep(0.02)
        store.finish()
except DataError:
    sys.exit(2)
"""


@pytest.mark.parametrize("other", [1, 2])
def test_pairs_of_processes_give_one_table_or_a_refusal(other: int, tmp_path: Path) -> None:
    """Fifteen pairs at once, of equal runs and of different ones: never a mixture."""
    root = Path(__file__).parents[2]
    for turn in range(15):
        folder = tmp_path / str(turn)
        folder.mkdir()
        pair = [
            subprocess.Popen([sys.executable, "-c", WORKER, str(seed), str(folder)], cwd=root)
            for seed in (1, other)
        ]
        codes = sorted(process.wait(timeout=60) for process in pair)
        assert codes in ([0, 0], [0, 2])
        assert other == 1 or codes == [0, 2]
        assert pl.read_parquet(folder / "out.parquet")["patient"].to_list() == list(range(6))
        assert files(folder) == ["out.parquet", "out.parquet.manifest.json"]
