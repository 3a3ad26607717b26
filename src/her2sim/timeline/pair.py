"""Two patients side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.errors import DataError
from her2sim.patients.patient import Patient
from her2sim.pk.needs import require_characteristics
from her2sim.pk.treatment import Treatment
from her2sim.timeline.modelled import virtual_cohort_of
from her2sim.timeline.run import PATIENT_FILE


def pair_of_patients(
    first: Patient, second: Patient, treatments: Sequence[Treatment], seed: int
) -> VirtualCohort:
    """Two patients as a cohort; each is drawn with a number of its own.

    Raises
    ------
    DataError
        If one lacks a characteristic that a model needs.
    """
    found = []
    for number, patient in enumerate((first, second), start=1):
        one = replace(patient.cohort(seed), numbers=np.array([number]))
        try:
            require_characteristics(one, treatments, PATIENT_FILE)
        except DataError as error:
            raise DataError(f"patient {number}: {error}") from None
        found.append(virtual_cohort_of(patient, one, patient.drugs_before))
    return found[0].beside(found[1])
