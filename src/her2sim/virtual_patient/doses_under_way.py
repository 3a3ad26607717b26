"""Doses that are not over yet: they still enter the body, or still act."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from her2sim.arrays import Array, Positions
from her2sim.patients.cohort import Cohort
from her2sim.regimens.dose_rows import Doses
from her2sim.virtual_patient.dosing import acts_until_day, over_day
from her2sim.virtual_patient.drugs import PatientDrug


class DosesUnderWay:
    """Doses of one drug of a cohort; ``acts_until_day`` is how long the last of each counts."""

    def __init__(self, drug: PatientDrug, cohort: Cohort) -> None:
        self.drug, self.planned_mg = drug, drug.planned_mg(cohort)
        n = cohort.n_patients
        self.acts_until_day = np.full(n, -np.inf)
        none, nothing = np.empty(0, dtype=np.int64), np.empty(0)
        self.doses = Doses(none, nothing, nothing, nothing, none, none, nothing)
        self._over_day = nothing  # of each dose: when it is in, and acts no more
        self._place = np.full(n, -1, dtype=np.int64)

    def add(self, doses: Doses) -> None:
        """Doses that were given."""
        self.acts_until_day[doses.patient] = acts_until_day(self.drug, doses)
        self._over_day = np.concatenate([self._over_day, over_day(self.drug, doses)])
        pairs = ((mine, getattr(doses, name)) for name, mine in vars(self.doses).items())
        self.doses = Doses(*(np.concatenate(pair) for pair in pairs))

    def of(self, who: Positions) -> tuple[Doses, Array]:
        """Doses of some patients, who count from 0 here, in order; and their full doses."""
        self._place[who] = np.arange(who.size)
        place = self._place[self.doses.patient]
        self._place[who] = -1
        rows = np.flatnonzero(place >= 0)
        rows = rows[np.lexsort((self.doses.day[rows], place[rows]))]
        own = self.doses.take(rows)
        return replace(own, patient=place[rows]), self.planned_mg[who]

    def drop_finished(self, day: Array) -> None:
        """Forget what is over by the day of each patient of the cohort, shape (n,)."""
        is_over = self._over_day <= day[self.doses.patient]
        if not is_over.any():
            return
        rest = np.flatnonzero(~is_over)
        self.doses, self._over_day = self.doses.take(rest), self._over_day[rest]
