"""Measurements of the LVEF, and what trials make of them."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from her2sim.arrays import Array, Mask, Positions
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.protocol.readings import Visit
from her2sim.protocol.variables import VARIABLES
from her2sim.random import Purpose, codes_by
from her2sim.virtual_patient.calendar import ON_THE_DAY, Calendar

LOW_PERCENT = 50.0
FALLS: dict[str, tuple[float, float]] = {
    "lvef_below_50": (LOW_PERCENT, -np.inf),
    "lvef_drop": (LOW_PERCENT, 10.0),
    "lvef_drop_16": (LOW_PERCENT, 16.0),
    "lvef_points_10": (np.inf, 10.0),
    "lvef_points_20": (np.inf, 20.0),
}
"""What trials count as a fall: below so many per cent, and so many points down from the first."""
USUAL = "lvef_drop"


class HeartTests:
    """LVEF of each patient as measured so far.

    ``first`` is NaN without a measurement; ``fell_day`` has the day on which each of ``FALLS`` was
    first seen, ``fell_twice_day`` that on which the usual one was seen the second time in a row
    (infinite: never). With ``entry_percent`` the first measurement is not below it.
    """

    def __init__(
        self,
        people: VirtualCohort,
        scan_sd: float,
        calendar: Calendar | None,
        entry_percent: float | None = None,
    ) -> None:
        n = people.cohort.n_patients
        self.people, self.scan_sd, self.calendar = people, scan_sd, calendar
        self.entry_percent = entry_percent
        self.first = np.full(n, np.nan)
        self.fell_day = {name: np.full(n, np.inf) for name in FALLS}
        self.fell_twice_day = np.full(n, np.inf)
        self.last_fell = np.zeros(n, dtype=bool)
        self.tested_day = np.full(n, -np.inf)
        self.next_day = np.full(n, np.inf if calendar is None else 0.0)

    def measure(self, visit: Visit, true_lvef: Array, repeat: int = 0) -> Array:
        """Measured values of the patients of a visit."""
        who, stream = visit.who, self.people.cohort.stream(Purpose.VISITS)
        scores = stream.of(who).normal(codes_by(lambda one: f"lvef:{one:g}:{repeat}", visit.day))
        if self.entry_percent is not None and self.scan_sd > 0:
            least = ndtr((self.entry_percent - true_lvef) / self.scan_sd)
            entering = ndtri(least + ndtr(scores) * (1 - least))
            scores = np.where(np.isnan(self.first[who]), entering, scores)
        limits = VARIABLES["lvef"]
        found: Array = np.clip(true_lvef + self.scan_sd * scores, limits.low, limits.high)
        return found

    def is_due(self, visit: Visit) -> Mask:
        """Who of a visit is tested by the calendar."""
        found: Mask = self.next_day[visit.who] <= visit.day + ON_THE_DAY
        return found

    def end_for(self, who: Positions) -> None:
        """Test some patients no more by the calendar."""
        self.next_day[who] = np.inf

    def note(self, visit: Visit, lvef: Array) -> None:
        """Keep measured values of the patients of a visit; the first of a day counts."""
        is_new = self.tested_day[visit.who] < visit.day
        who, lvef, day = visit.who[is_new], lvef[is_new], visit.day[is_new]
        first = self.first[who]
        self.first[who] = np.where(np.isnan(first), lvef, first)
        points = self.first[who] - lvef
        for name, (percent, least) in FALLS.items():
            fell = (lvef < percent) & (points >= least)
            seen = self.fell_day[name]
            seen[who] = np.where(fell, np.minimum(seen[who], day), seen[who])
            if name == USUAL:
                twice = fell & self.last_fell[who]
                seen = self.fell_twice_day
                seen[who] = np.where(twice, np.minimum(seen[who], day), seen[who])
                self.last_fell[who] = fell
        self.tested_day[who] = day
        if self.calendar is not None:
            goes_on = np.isfinite(self.next_day[who])
            self.next_day[who] = np.where(goes_on, self.calendar.after(day), np.inf)
