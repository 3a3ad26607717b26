"""Tables written chunk by chunk: finished chunks survive a break, and a repeated run resumes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from her2sim.errors import DataError, reason
from her2sim.store.files import plainly, require_target, write_text, written_whole

if TYPE_CHECKING:
    import polars as pl


MANIFEST = "manifest.json"
LOCK = "lock"
TABLE = "table"
"""What the manifest of a finished file notes of its content."""
FORMAT_NUMBER = 1
LONGEST_SHOWN = 40
TURNS = 5
"""How often a folder may be taken away by a run that ends while this one begins."""


class FolderLock(FileLock):
    """The lock of a folder that its last owner takes away, lock and all."""

    def stands(self) -> bool:
        """Whether the file that is locked is still the one at its path."""
        fd = self._context.lock_file_fd
        try:
            return fd is not None and os.path.samestat(os.fstat(fd), os.stat(self.lock_file))
        except FileNotFoundError:
            return False


class PartStore:
    """A Parquet file in the making, with a JSON manifest beside it.

    Parts lie in ``NAME.parts`` until :meth:`finish` joins them. Opening the same path with an
    equal manifest takes up what is there; what another run left is refused, or replaced with
    ``restart``. One process works at a time: until :meth:`close` others are refused.

    Raises
    ------
    DataError
        If the path cannot be written to, another run works there, or holds it.
    """

    def __init__(self, path: Path, manifest: Mapping[str, Any], *, restart: bool = False) -> None:
        if path.suffix != ".parquet":
            raise DataError(f"{path}: the output is a Parquet file; name it *.parquet")
        require_target(path)
        self.path, self.folder = path, path.parent / f"{path.name}.parts"
        self.manifest = {"format": FORMAT_NUMBER, **manifest}
        self._writing = Lock()
        self._lock = self._locked()
        try:
            self._take_up(restart)
        except BaseException:
            self.close()
            raise

    def _locked(self) -> FolderLock:
        """The lock of the folder of parts, which is made if need be."""
        lock = FolderLock(self.folder / LOCK, blocking=False, thread_local=False)
        for _ in range(TURNS):
            try:
                self.folder.mkdir(exist_ok=True)
            except OSError as error:
                raise DataError(f"{self.path}: cannot be written ({reason(error)})") from None
            try:
                lock.acquire()
            except Timeout:
                raise DataError(
                    f"{self.path}: another run is writing it; wait until it ends, or name another "
                    "place"
                ) from None
            except FileNotFoundError:  # the other run ended and took the folder away
                continue
            except OSError as error:
                raise DataError(f"{self.path}: cannot be written ({reason(error)})") from None
            if lock.stands():
                return lock
            lock.release()
        raise DataError(f"{self.path}: other runs come and go there; name another place")

    def _take_up(self, restart: bool) -> None:
        """Go on with what is there, or refuse what another run left."""
        for half in self.folder.glob(".part-*"):  # of a process that was killed
            half.unlink()
        own, joined = _stored(self.folder / MANIFEST), _stored(self._joined_manifest())
        if restart:
            if not self._is_ours(own):
                self._drop_parts()
            if not self._is_ours(joined) or not self._is_whole(joined):
                self._joined_manifest().unlink(missing_ok=True)
        else:
            for stored in (joined, own):
                if stored is not None and not self._is_ours(stored):
                    raise DataError(self._difference(stored))
            if joined is not None and self.path.is_file() and not self._is_whole(joined):
                raise DataError(
                    f"{self.path}: is not as the run left it (damaged or changed); --restart makes "
                    "it anew, or name another place"
                )
            if joined is None and own is None and self.path.exists():
                raise DataError(
                    f"{self.path}: is there already, and nothing says which run it is of; name "
                    "another place, or --restart to replace it"
                )
        write_text(self.folder / MANIFEST, self._text())

    def _drop_parts(self) -> None:
        for part in self.folder.glob("part-*"):
            part.unlink()

    def _text(self) -> str:
        return json.dumps(self.manifest, indent=2, sort_keys=True)

    def _is_ours(self, stored: Mapping[str, Any] | None) -> bool:
        if stored is None:
            return False
        told = {name: value for name, value in stored.items() if name != TABLE}
        return bool(told == json.loads(self._text()))

    def _is_whole(self, stored: Mapping[str, Any] | None) -> bool:
        """Whether the joined file has the content that its manifest notes."""
        table = (stored or {}).get(TABLE) or {}
        return self.path.is_file() and table.get("sha256") == _sha256(self.path)

    def _difference(self, stored: Mapping[str, Any]) -> str:
        """What another run was asked otherwise."""
        stored = {name: value for name, value in stored.items() if name != TABLE}
        told = difference(stored, json.loads(self._text()))
        return (
            f"{self.path}: holds another run ({told}); name another place, or --restart to replace "
            "it"
        )

    def close(self) -> None:
        """Let others work here; the folder of parts goes if none is left to go on with."""
        with self._writing:
            if self._lock.is_locked:
                self._let_go()

    def _let_go(self) -> None:
        if self.is_finished() or not any(self.folder.glob("part-*.parquet")):
            self._take_away()
        self._lock.release()

    def _take_away(self) -> None:
        """Remove the folder of parts, its lock last: whoever finds no lock finds no parts."""
        with suppress(OSError):  # another run may have taken the folder up without the lock
            for file in self.folder.iterdir():
                if file.name != LOCK:
                    file.unlink()
            (self.folder / LOCK).unlink()
            self.folder.rmdir()

    def __enter__(self) -> PartStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _part(self, number: int) -> Path:
        return self.folder / f"part-{number:06d}.parquet"

    def has(self, number: int) -> bool:
        """Whether an earlier run finished a part; one that is not as it was written is taken away,
        to be made again.
        """
        part = self._part(number)
        if part.is_file() and not self._is_as_written(part):
            part.unlink(missing_ok=True)
        return part.is_file()

    def _is_as_written(self, part: Path) -> bool:
        """Whether a part has the content that was noted when it was finished."""
        try:
            noted = _noted(part).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return False
        return noted == f"{part.name} {_sha256(part)}"

    def is_finished(self) -> bool:
        """Whether the joined file of an earlier run with an equal manifest is there."""
        return self.path.is_file() and self._is_ours(_stored(self._joined_manifest()))

    def _joined_manifest(self) -> Path:
        return self.path.with_name(self.path.name + ".manifest.json")

    def read(self, number: int) -> pl.DataFrame | None:
        """A part that an earlier run finished, or None."""
        import polars as pl

        path = self._part(number)
        return pl.read_parquet(path) if self.has(number) else None

    def write(self, number: int, frame: pl.DataFrame) -> None:
        """Store a finished part; nothing is stored after the run was broken off.

        A thread that still computes then must not write into what another run takes up.
        """
        with self._writing:
            if self._lock.is_locked:
                part = self._part(number)
                if not self.folder.is_dir():
                    raise DataError(
                        f"{self.folder}: is gone; it was removed while the run worked there. Run "
                        "the command again"
                    )
                with written_whole(part) as partial:
                    frame.write_parquet(partial)
                write_text(_noted(part), f"{part.name} {_sha256(part)}")

    def finish(self) -> None:
        """Join the parts in order into the file, and write the manifest beside it."""
        import polars as pl

        joined, parts = self.folder / self.path.name, sorted(self.folder.glob("part-*.parquet"))
        damaged = [part for part in parts if not self._is_as_written(part)]
        for part in damaged:
            part.unlink(missing_ok=True)
        if damaged:
            names = ", ".join(part.name for part in damaged)
            raise DataError(
                f"{self.folder}: {names} was damaged and is removed; run the command again, which "
                "makes it anew"
            )
        try:
            with plainly(self.path):
                pl.scan_parquet(parts).sink_parquet(joined)
                told = self.manifest | {TABLE: {"sha256": _sha256(joined)}}
                joined.replace(self.path)
        finally:
            joined.unlink(missing_ok=True)
        write_text(self._joined_manifest(), json.dumps(told, indent=2, sort_keys=True) + os.linesep)
        self.close()


def _noted(part: Path) -> Path:
    """Where the content of a part is noted."""
    return part.with_suffix(".sha256")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stored(path: Path) -> dict[str, Any] | None:
    """A manifest that an earlier run left; None if there is none, or none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def left_in(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Tables that earlier runs finished in a folder, with their manifests."""
    for path in sorted(folder.glob("*.parquet.manifest.json")):
        stored = _stored(path)
        if stored is not None:
            yield path.with_name(path.name.removesuffix(".manifest.json")), stored


def difference(stored: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """What two manifests differ in, in words."""
    told = []
    for name in sorted(n for n in {*asked, *stored} if asked.get(n) != stored.get(n)):
        texts = [str(one.get(name)) for one in (stored, asked)]
        if name.endswith("_sha256") or max(map(len, texts)) > LONGEST_SHOWN:
            told.append(f"other {name.removesuffix('_sha256').replace('_', ' ')}")
        else:
            told.append(f"{name.replace('_', ' ')} {texts[0]}, asked {texts[1]}")
    return "; ".join(told)
