"""Everything about the patients of a cohort that the models need beside the drugs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim.biology.heart import HeartKnown, Hearts, draw_hearts
from her2sim.biology.tumour import Known, Tumours, draw_tumours
from her2sim.patients.cohort import Cohort


@dataclass(frozen=True, eq=False)
class People:
    """A cohort with its tumours and hearts; ``members`` are those of the ensemble, shape (n,)."""

    cohort: Cohort
    tumours: Tumours
    hearts: Hearts
    members: NDArray[np.int64]

    def first(self, n: int) -> People:
        """The first patients."""

        def cut(values: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
            return {name: array[:n] for name, array in values.items()}

        tumours = replace(
            self.tumours,
            parameters=cut(self.tumours.parameters),
            start=cut(self.tumours.start),
            affinity=self.tumours.affinity[:n],
            traits=cut(self.tumours.traits),
        )
        hearts = replace(
            self.hearts,
            parameters=cut(self.hearts.parameters),
            troponin_slope=self.hearts.troponin_slope[:n],
        )
        return People(self.cohort.part(0, n), tumours, hearts, self.members[:n])


def draw_people(
    cohort: Cohort,
    tumour: Known | None = None,
    heart: HeartKnown | None = None,
    members: NDArray[np.int64] | None = None,
) -> People:
    """Draw what is not known of each patient.

    Parameters
    ----------
    cohort : patients
    tumour, heart : what tests told of all of them
    members : member of the ensemble of each patient, shape (n,); 0 if not given
    """
    members = np.zeros(cohort.n_patients, dtype=np.int64) if members is None else members
    return People(
        cohort, draw_tumours(cohort, tumour, members), draw_hearts(cohort, heart), members
    )
