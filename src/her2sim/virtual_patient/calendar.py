"""When patients are seen whatever is given: scans and tests by the calendar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array
from her2sim.virtual_patient.assessment_facts import assessment_number

ON_THE_DAY = 1e-6


@dataclass(frozen=True)
class Calendar:
    """Days since the start that repeat: every so many days until a day, then the next pace.

    ``paces`` holds pairs of interval and last day; the last day of the last pace is infinite.
    """

    paces: tuple[tuple[float, float], ...]

    def after(self, day: Array) -> Array:
        """The first day of the calendar after each of some days."""
        found = np.full(day.shape, np.inf)
        begins = 0.0
        for every, until in self.paces:
            steps = np.floor(np.maximum(day - begins, 0.0) / every + ON_THE_DAY) + 1
            following = begins + steps * every
            here = np.isinf(found) & (following <= until + ON_THE_DAY)
            found = np.where(here, following, found)
            if np.isfinite(until):
                begins += np.floor((until - begins) / every + ON_THE_DAY) * every
        return found


def every_day(interval: float) -> Calendar:
    """A calendar of one pace."""
    return Calendar(((interval, np.inf),))


SCANS = every_day(assessment_number("scan_interval"))
"""Scans where a trial does not say."""
