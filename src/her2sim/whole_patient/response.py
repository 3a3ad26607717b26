"""Scans of the tumour and what RECIST 1.1 makes of them: best response and progression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from her2sim.biology.people import People
from her2sim.biology.tumour import tumour_facts
from her2sim.protocol.readings import Visit
from her2sim.random import Purpose, normals

Array = NDArray[np.float64]
Positions = NDArray[np.int64]
PARTIAL = 0.70
"""Share of the first sum of diameters below which a response begins."""
LARGER, LARGER_MM = 1.20, 5.0
"""Progression of target lesions: over the smallest sum so far, by both."""
SCAN_DAY = 63.0


class Scans:
    """Measured sums of diameters of each patient so far.

    ``best`` is the smallest measured sum over the first, ``progressed_day`` the day of the scan
    that showed progression (infinite if none did), ``by_target`` whether target lesions did.
    """

    def __init__(
        self,
        people: People,
        true_mm: Array | None = None,
        start_day: float = 0.0,
        every_day: float = SCAN_DAY,
    ) -> None:
        n = people.cohort.n_patients
        true_mm = people.tumours.parameters["baseline_mm"] if true_mm is None else true_mm
        self.people, self.every_day = people, every_day
        self.error = tumour_facts().parameter["reading_error"].value
        self.first_mm = self._measured(true_mm, np.arange(n), round(start_day))
        self.nadir_mm = self.first_mm.copy()
        self.best = np.ones(n)
        self.progressed_day = np.full(n, np.inf)
        self.by_target = np.zeros(n, dtype=bool)
        self.next_day = np.full(n, start_day + every_day)

    def _measured(self, true_mm: Array, who: Positions, number: int) -> Array:
        cohort = self.people.cohort
        key = (cohort.seed, cohort.replicate, cohort.numbers[who], Purpose.VISITS)
        found: Array = true_mm * np.exp(self.error * normals(*key, f"diameters:{number}"))
        return found

    def look(self, visit: Visit, true_mm: Array, elsewhere_day: Array) -> Array:
        """Scans that are due at a visit: 1 for progression, 0 for none, NaN without a scan.

        Parameters
        ----------
        visit : who comes, and when
        true_mm : sums of diameters of those who come
        elsewhere_day : when lesions outside the targets progress
        """
        due = (self.next_day[visit.who] <= visit.day + 1e-6) & np.isinf(
            self.progressed_day[visit.who]
        )
        found = np.full(visit.who.size, np.nan)
        who = visit.who[due]
        if not who.size:
            return found
        measured = self._measured(true_mm[due], who, round(visit.day))
        nadir = self.nadir_mm[who]
        target = (measured >= LARGER * nadir) & (measured - nadir >= LARGER_MM)
        progressed = target | (elsewhere_day[due] <= visit.day)
        self.nadir_mm[who] = np.minimum(nadir, measured)
        kept = who[~progressed]  # a response counts before progression
        self.best[kept] = np.minimum(self.best[kept], (measured / self.first_mm[who])[~progressed])
        self.progressed_day[who[progressed]] = visit.day
        self.by_target[who] = target
        self.next_day[who] = visit.day + self.every_day
        found[due] = progressed
        return found
