"""Doses that are known, for a cohort in which patients may come again."""

from __future__ import annotations

import numpy as np

from her2sim.arrays import Positions
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.engine.schedule import Schedule
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.virtual_patient.composition import VirtualPatient
from her2sim.virtual_patient.dosing import dose_schedule, has_lasting_changes, over_day


class KnownDoses:
    """Doses of a cohort in which patients come again: rows are made once for each of them."""

    def __init__(
        self, record: DosingRecord, whole: VirtualPatient, people: VirtualCohort, places: Positions
    ) -> None:
        """``places`` says which patient of the record each of the cohort is, shape (n,)."""
        self.whole = whole
        own, first, self.place = np.unique(places, return_index=True, return_inverse=True)
        self.people = people.take(first)
        self.record = record.of_patients(own)
        self.over_day = np.full(self.record.day.size, np.inf)  # until when a dose matters
        for position, drug in enumerate(whole.drugs):
            if not has_lasting_changes(drug):
                mine = np.flatnonzero(self.record.drug == position)
                self.over_day[mine] = over_day(drug, self.record.take(mine).doses())

    def between(self, who: Positions, from_day: float, until_day: float) -> Schedule:
        """Rows of some patients between two days."""
        own, place = np.unique(self.place[who], return_inverse=True)
        matters = (self.record.day < until_day) & (self.over_day > from_day)
        record = self.record.take(matters).of_patients(own)
        people, ends = self.people.take(own), np.full(own.size, until_day)
        rows = dose_schedule(self.whole, people, record, ends, np.empty(0), from_day)
        return rows.of_patients(place)
