"""Where the outcomes of a trial are stored."""

from __future__ import annotations

import tempfile
import weakref
from contextlib import ExitStack
from pathlib import Path

from her2sim.errors import DataError


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
                raise DataError(f"{folder}: cannot be made ({error.strerror})") from None
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
