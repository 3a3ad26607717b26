"""NONMEM-style event tables: checked columns, before anything is unrolled.

Times are whole milliseconds inside, so that a dose repeated every 4.5 h and a reading written as
4.5, 9.0, ... fall on the same instant, and any time of a real table is kept exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Whole

MS_PER_DAY = 86_400_000
MS_PER_UNIT = {"h": 3_600_000, "day": MS_PER_DAY}

OBSERVATION, DOSE, OTHER, RESET, RESET_AND_DOSE = 0, 1, 2, 3, 4
MODELLED_RATE, MODELLED_DURATION = -1.0, -2.0


@dataclass(frozen=True, eq=False)
class EventTable:
    """Records of all subjects in file order; one array entry a record.

    ``subject`` counts subjects from 0; ``label`` is the ID as written, ``time_text`` the time as
    written. ``duration_ms`` is NaN where no DUR column gave one. ``columns`` holds all other
    columns by upper-case heading; ``headings`` are all headings of the file.
    ``missing_dv`` is the column MDV: 1 where DV does not count;
    ``told_compartment`` the column CMT as it stands, of observations too.
    """

    line: Whole
    subject: Whole
    label: NDArray[np.str_]
    time_text: NDArray[np.str_]
    time_ms: Whole
    evid: Whole
    amount: Array
    rate: Array
    duration_ms: Array
    interval_ms: Whole
    additional: Whole
    steady_state: Whole
    compartment: Whole
    dv: NDArray[np.str_]
    columns: Mapping[str, NDArray[Any]]
    headings: tuple[str, ...]
    missing_dv: Whole | None = None
    told_compartment: Whole | None = None

    @property
    def n_records(self) -> int:
        """How many records."""
        return self.line.size

    @property
    def n_subjects(self) -> int:
        """How many subjects."""
        return int(self.subject[-1]) + 1 if self.subject.size else 0

    def first_records(self) -> Whole:
        """Position of the first record of each subject."""
        return np.flatnonzero(np.diff(self.subject, prepend=-1))
