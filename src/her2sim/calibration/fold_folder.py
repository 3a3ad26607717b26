"""Finished folds of a cross-validation in a folder: a run that was stopped goes on from there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from her2sim.calibration.anchors import Anchor
from her2sim.calibration.crossvalidation import Fold
from her2sim.errors import DataError, reason
from her2sim.store.files import write_text

MANIFEST = "manifest.json"


class FoldFolder:
    """Folds of one run; without a folder nothing is kept.

    Raises
    ------
    DataError
        If the folder holds folds of another run, or cannot be made.
    """

    def __init__(self, folder: Path | None, asked: Mapping[str, Any]) -> None:
        self.folder = folder
        if folder is None:
            return
        if not folder.parent.is_dir():
            raise DataError(f"{folder}: the folder {folder.parent} does not exist; make it first")
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise DataError(f"{folder}: cannot be made ({reason(error)})") from None
        text, path = json.dumps(dict(asked), indent=2, sort_keys=True), folder / MANIFEST
        if not path.is_file() and any(folder.iterdir()):
            raise DataError(f"{folder}: holds other files; name a new folder")
        if not path.is_file():
            write_text(path, text)
        elif path.read_text(encoding="utf-8") != text:
            known = json.loads(path.read_text(encoding="utf-8"))
            other = [f"{k} {known.get(k)} there, {v} here" for k, v in asked.items()
                     if known.get(k) != v]  # fmt: skip
            raise DataError(
                f"{folder}: holds folds of another run ({'; '.join(other)}); name another folder"
            )

    def _path(self, trials: tuple[str, ...]) -> Path | None:
        name = re.sub(r"[^a-z0-9]+", "-", "_".join(trials).lower())
        return None if self.folder is None else self.folder / f"{name}.json"

    def read(self, trials: tuple[str, ...], anchors: tuple[Anchor, ...]) -> Fold | None:
        """A fold that an earlier run finished; None if there is none."""
        path = self._path(trials)
        if path is None or not path.is_file():
            return None
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            own = tuple(anchor for anchor in anchors if anchor.trial in trials)
            return Fold(
                trials, own, np.array(told["best"]), np.array(told["members"]),
                np.array(told["at"]),
            )  # fmt: skip
        except (ValueError, KeyError):
            raise DataError(f"{path}: is damaged; delete it and run again") from None

    def write(self, fold: Fold) -> None:
        """Keep a fold."""
        path = self._path(fold.trials)
        if path is not None:
            told = {name: getattr(fold, name).tolist() for name in ("best", "members", "at")}
            write_text(path, json.dumps(told))
