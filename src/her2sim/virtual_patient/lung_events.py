"""Interstitial lung disease of each patient: how bad it is and how long it lasts, if it comes."""

from __future__ import annotations

import numpy as np

from her2sim.arrays import Array, Positions
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.drugs.supportive import ratio_of_days
from her2sim.random import Purpose
from her2sim.virtual_patient.composition import VirtualPatient


class LungEvents:
    """Grades, drawn once for each patient."""

    def __init__(
        self, whole: VirtualPatient, people: VirtualCohort, given_with: tuple[str, ...] = ()
    ) -> None:
        drug = whole.organs.on_lung
        self.known = None if drug is None else drug.toxicity.lung
        drugs = () if drug is None else (drug.toxicity.drug,)
        self.shorter = ratio_of_days(given_with, drugs, "ild")
        self.drawn = people.cohort.stream(Purpose.HAZARDS).uniform("ild:grade")

    def worst(self) -> Positions:
        """Grade of each patient if it comes."""
        if self.known is None:
            return np.zeros(self.drawn.size, dtype=np.int64)
        k = self.known
        later = np.cumsum([k.grade_5.value, k.grade_4.value, k.grade_3.value, k.grade_2.value])
        return 5 - np.searchsorted(later, self.drawn).astype(np.int64)

    def grade(self, onset_day: Array, who: Positions, day: Array) -> Array:
        """Grade on a day."""
        assert self.known is not None
        over = onset_day + self.shorter * self.known.duration.to("day")
        is_on = (onset_day <= day) & (day < over)
        return np.where(is_on, self.worst()[who], 0).astype(np.float64)
