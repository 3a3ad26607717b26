"""Where the outcomes of a trial are stored."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from her2sim.errors import DataError, reason
from her2sim.store.parts import difference, left_in

OF_ALL_ARMS = (
    "her2sim", "format", "trial", "trial_sha256", "seed", "members", "replicates", "best_of",
    "chunk",
)  # fmt: skip
"""What all files of a folder have in common, with the rules of the labels and without them."""


def require_own(folder: Path, manifest: Mapping[str, Any], *, restart: bool) -> None:
    """Refuse a folder that has files of another run; with ``restart`` they are taken away.

    Raises
    ------
    DataError
        With what is different.
    """
    for path, stored in left_in(folder):
        names = [n for n in OF_ALL_ARMS if n in stored and stored[n] != manifest.get(n)]
        if not names:
            continue
        if not restart:
            told = difference({n: stored[n] for n in names}, {n: manifest.get(n) for n in names})
            raise DataError(
                f"{folder}: has {path.name} of another run ({told}); name another folder, or "
                "--restart to replace it"
            )
        for file in (path, path.with_name(path.name + ".manifest.json")):
            file.unlink(missing_ok=True)


class TrialFolder:
    """Where outcomes are stored: a folder of one's own, or one that vanishes afterwards."""

    def __init__(self, folder: Path | None) -> None:
        self._stack, self.vanishes = ExitStack(), folder is None
        weakref.finalize(self, self._stack.close)
        if folder is None:
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        elif folder.is_file():
            raise DataError(f"{folder}: is a file; name a folder")
        else:
            try:
                folder.mkdir(exist_ok=True)
            except OSError as error:
                raise DataError(f"{folder}: cannot be made ({reason(error)})") from None
        self.path = folder

    def __enter__(self) -> TrialFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __deepcopy__(self, memo: object) -> TrialFolder:
        return self

    def __reduce__(self) -> tuple[type[TrialFolder], tuple[Path]]:
        if self.vanishes:
            raise DataError("outcomes lie in a folder that vanishes; name one to pickle the trial")
        return TrialFolder, (self.path,)

    def close(self) -> None:
        """Remove the folder, if it is one that vanishes."""
        self._stack.close()
