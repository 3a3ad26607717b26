"""Measurements of the LVEF, and what trials make of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from her2sim.biology.people import People
from her2sim.protocol.readings import Visit
from her2sim.protocol.variables import VARIABLES
from her2sim.random import Purpose, normals
from her2sim.whole_patient.calendar import Calendar

Array = NDArray[np.float64]
LOW_PERCENT, FALL_POINTS = 50.0, 10.0
"""What most trials count as a fall: below 50 %, and by 10 points or more from the first."""


class HeartTests:
    """LVEF of each patient as measured so far.

    ``first`` and ``lowest`` are NaN without a measurement; ``fell`` says whether one was below 50 %
    and 10 points down, ``fell_twice`` whether two in a row were.
    """

    def __init__(self, people: People, scan_sd: float, calendar: Calendar | None) -> None:
        n = people.cohort.n_patients
        self.people, self.scan_sd, self.calendar = people, scan_sd, calendar
        self.first, self.lowest = np.full(n, np.nan), np.full(n, np.nan)
        self.fell, self.fell_twice = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        self.last_fell = np.zeros(n, dtype=bool)
        self.tested_day = np.full(n, -np.inf)
        self.next_day = np.full(n, np.inf if calendar is None else 0.0)

    def measure(self, visit: Visit, true_lvef: Array, repeat: int = 0) -> Array:
        """Measured values of the patients of a visit; the first of a day counts."""
        who, cohort = visit.who, self.people.cohort
        name = f"lvef:{visit.day:g}:{repeat}"
        scores = normals(cohort.seed, cohort.replicate, cohort.numbers[who], Purpose.VISITS, name)
        limits = VARIABLES["lvef"]
        found: Array = np.clip(true_lvef + self.scan_sd * scores, limits.low, limits.high)
        is_new = self.tested_day[who] < visit.day
        if repeat == 0 and is_new.any():
            self._note(who[is_new], found[is_new], visit.day)
        return found

    def _note(self, who: NDArray[np.int64], lvef: Array, day: float) -> None:
        first = self.first[who]
        self.first[who] = np.where(np.isnan(first), lvef, first)
        self.lowest[who] = np.fmin(self.lowest[who], lvef)
        fell = (lvef < LOW_PERCENT) & (self.first[who] - lvef >= FALL_POINTS)
        self.fell_twice[who] |= fell & self.last_fell[who]
        self.fell[who] |= fell
        self.last_fell[who] = fell
        self.tested_day[who] = day
        if self.calendar is not None:
            self.next_day[who] = self.calendar.after(np.full(who.size, day))
