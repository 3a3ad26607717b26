"""Names of arrays and callbacks that all of her2sim shares."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
"""Real numbers."""
Mask = NDArray[np.bool_]
"""Yes or no."""
Whole = NDArray[np.int64]
"""Whole numbers."""
Positions = NDArray[np.int64]
"""Places of patients in a cohort, from 0."""
Progress = Callable[[int, int], None]
"""Told how many are done, and how many there are."""


def no_progress(done: int, total: int) -> None:
    """Tell nobody."""
