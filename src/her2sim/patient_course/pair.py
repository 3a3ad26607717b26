"""Two patients side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from her2sim.biology.people import People
from her2sim.course import Treatment
from her2sim.errors import DataError
from her2sim.patient_course.modelled import people_of
from her2sim.patient_course.run import require_characteristics
from her2sim.patients.patient import Patient


def pair_of_patients(
    first: Patient, second: Patient, treatments: Sequence[Treatment], seed: int
) -> People:
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
            require_characteristics(one, treatments)
        except DataError as error:
            raise DataError(f"patient {number}: {error}") from None
        found.append(people_of(patient, one))
    return found[0].beside(found[1])
