"""Tables written chunk by chunk: finished chunks survive a break, and a repeated run resumes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from her2sim.errors import DataError
from her2sim.store.files import write_text, written_whole

if TYPE_CHECKING:
    import polars as pl

MANIFEST = "manifest.json"
FORMAT_NUMBER = 1


class PartStore:
    """A Parquet file in the making, with a JSON manifest beside it.

    Parts lie in ``.NAME.parts`` until :meth:`finish` joins them. Opening the same path with an
    equal manifest takes up the parts that are there; with another manifest they are thrown away.
    """

    def __init__(self, path: Path, manifest: Mapping[str, Any]) -> None:
        if path.suffix != ".parquet":
            raise DataError(f"{path}: the output is a Parquet file; name it *.parquet")
        if not path.parent.is_dir():
            raise DataError(f"{path}: the folder {path.parent} does not exist; make it first")
        self.path, self.folder = path, path.parent / f".{path.name}.parts"
        self.manifest = {"format": FORMAT_NUMBER, **manifest}
        text = json.dumps(self.manifest, indent=2, sort_keys=True)
        if self.folder.is_dir() and self._stored_manifest() != text:
            shutil.rmtree(self.folder)
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise DataError(f"{path}: cannot be written ({error.strerror})") from None
        write_text(self.folder / MANIFEST, text)

    def _stored_manifest(self) -> str:
        try:
            return (self.folder / MANIFEST).read_text(encoding="utf-8")
        except OSError:
            return ""

    def _part(self, number: int) -> Path:
        return self.folder / f"part-{number:06d}.parquet"

    def has(self, number: int) -> bool:
        """Whether an earlier run finished a part."""
        return self._part(number).is_file()

    def is_finished(self) -> bool:
        """Whether the joined file of an earlier run with an equal manifest is there."""
        try:
            stored = self._joined_manifest().read_text(encoding="utf-8")
        except OSError:
            return False
        text = json.dumps(self.manifest, indent=2, sort_keys=True)
        return self.path.is_file() and stored.strip() == text

    def _joined_manifest(self) -> Path:
        return self.path.with_name(self.path.name + ".manifest.json")

    def read(self, number: int) -> pl.DataFrame | None:
        """A part that an earlier run finished, or None."""
        import polars as pl

        path = self._part(number)
        return pl.read_parquet(path) if path.is_file() else None

    def write(self, number: int, frame: pl.DataFrame) -> None:
        """Store a finished part."""
        with written_whole(self._part(number)) as partial:
            frame.write_parquet(partial)

    def finish(self) -> None:
        """Join the parts in order into the file, and write the manifest beside it."""
        import polars as pl

        parts = sorted(self.folder.glob("part-*.parquet"))
        with written_whole(self.path) as partial:
            pl.scan_parquet(parts).sink_parquet(partial)
        write_text(
            self._joined_manifest(),
            json.dumps(self.manifest, indent=2, sort_keys=True) + os.linesep,
        )
        shutil.rmtree(self.folder)
