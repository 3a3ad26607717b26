"""Per-patient numbers kept on disk while a cohort runs, so that memory does not grow with it."""

from __future__ import annotations

import tempfile
from threading import Lock

import numpy as np
from numpy.typing import NDArray


class Spool:
    """Columns of numbers, written chunk by chunk and read back one column at a time."""

    def __init__(self, n_columns: int) -> None:
        self.n_columns = n_columns
        self.sizes: list[int] = []
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._lock = Lock()

    def add(self, columns: NDArray[np.float64]) -> None:
        """Add a chunk of shape (n_columns, n)."""
        self._file.seek(0, 2)
        np.ascontiguousarray(columns, dtype=np.float64).tofile(self._file)
        self.sizes.append(columns.shape[1])

    def column(self, number: int) -> NDArray[np.float64]:
        """One column over all chunks, shape (n,); threads may ask at once."""
        values = np.empty(sum(self.sizes))
        offset, filled = 0, 0
        with self._lock:
            for size in self.sizes:
                self._file.seek(8 * (offset + number * size))
                values[filled : filled + size] = np.fromfile(self._file, count=size)
                offset += size * self.n_columns
                filled += size
        return values

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()
