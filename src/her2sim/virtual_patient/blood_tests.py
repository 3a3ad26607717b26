"""Blood counts of each patient as tested: at visits, and weekly between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from her2sim.arrays import Array, Positions
from her2sim.biology.blood import CTCAE_LIMITS
from her2sim.drugs.toxicity import Line
from her2sim.virtual_patient.assessment_facts import assessment_number

ADVERSE_GRADE = 2
"""A count below the limit of this grade is an adverse event for as long as it was not better."""


class BloodTests:
    """Counts so far, by cell line.

    ``nadir`` is the lowest count of weekly tests, ``lowest`` that of the counts which a rule asked
    for at a visit (infinite: none did). ``days_low`` are days with a count of grade 2 or more:
    a test below the limit counts until the next one, a week later or at the visit; days of
    neutrophils and of platelets are added, and nothing is counted after the last visit.
    """

    def __init__(self, lines: Sequence[Line], n_patients: int) -> None:
        self.nadir = {line: np.full(n_patients, np.inf) for line in lines}
        self.lowest = {line: np.full(n_patients, np.inf) for line in lines}
        self.days_low = np.zeros(n_patients)

    def between(self, from_day: Array, until: Array) -> Array:
        """Days after ``from_day`` of the tests before the next visit of those who wait longest."""
        if not self.nadir:
            return np.empty(0)
        every_day = assessment_number("blood_test_interval")
        return np.arange(every_day, (until - from_day).max(), every_day)

    def note(self, line: Line, who: Positions, counts: Array, now: Array) -> None:
        """Weekly tests since the last visit, shape (n of who, n_tests), and the count now."""
        nadir = self.nadir[line]
        nadir[who] = np.fmin(nadir[who], np.fmin.reduce(counts, axis=1, initial=np.inf))
        nadir[who] = np.minimum(nadir[who], now)

    def note_days(self, line: Line, who: Positions, counts: Array, lasts: Array) -> None:
        """Days of the tests from the last visit on, that one first, up to the next visit.

        ``counts`` has shape (n of who, 1 + n_tests), NaN without a test; ``lasts`` are the days
        from the last visit to the next.
        """
        every_day = assessment_number("blood_test_interval")
        after = every_day * np.arange(counts.shape[1])
        spans = np.clip(lasts[:, None] - after, 0.0, every_day)
        is_low = counts < CTCAE_LIMITS[line][ADVERSE_GRADE]
        self.days_low[who] += (spans * is_low).sum(axis=1)

    def read(self, line: Line, who: Positions, counts: Array) -> None:
        """A count that a rule asked for at a visit."""
        self.lowest[line][who] = np.minimum(self.lowest[line][who], counts)
