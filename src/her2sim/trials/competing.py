"""Cumulative incidence of several events of which the first counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array, Positions
from her2sim.trials.survival import kaplan_meier
from her2sim.trials.survival_input import checked_times


@dataclass(frozen=True, eq=False)
class CumulativeIncidence:
    """Cumulative incidence of each cause: a step at each time of any event.

    ``time`` has shape (n_times,), ``incidence`` (n_causes, n_times).
    """

    time: Array
    incidence: Array

    def at(self, time: float) -> Array:
        """Incidence of each cause at a time, shape (n_causes,)."""
        place = int(np.searchsorted(self.time, time, side="right"))
        if place == 0:
            return np.zeros(self.incidence.shape[0])
        found: Array = self.incidence[:, place - 1]
        return found


def aalen_johansen(
    time: Array, cause: Positions, n_causes: int, entry: Array | None = None
) -> CumulativeIncidence:
    """Cumulative incidence of competing events.

    Parameters
    ----------
    time : shape (n,)
    cause : of the event, from 0 on; -1 where observation ended without one, shape (n,)
    n_causes : how many there are
    entry : when each comes under observation (late entry); from the start if not given

    Raises
    ------
    DataError
        If there is nobody, a time is missing or below its entry.

    Source
    ------
    Aalen and Johansen 1978, Scand J Stat 5:141-150.
    """
    time, event = checked_times(time, cause >= 0)
    curve = kaplan_meier(time, event, entry)
    before = np.concatenate([[1.0], curve.survival])[:-1]
    place = np.searchsorted(curve.time, time[event])
    counts = np.zeros((n_causes, curve.time.size))
    np.add.at(counts, (cause[event], place), 1.0)
    incidence: Array = np.cumsum(before * counts / curve.at_risk, axis=1)
    return CumulativeIncidence(curve.time, incidence)
