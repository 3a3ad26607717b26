"""Everything about the patients of a cohort that the models need beside the drugs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim.biology.ensemble import Members
from her2sim.biology.heart import CardiacProfile, Hearts, draw_hearts
from her2sim.biology.tumour import Tumours, draw_tumours
from her2sim.biology.tumour_profile import KnownTumours, TumourProfile
from her2sim.patients.cohort import Cohort


@dataclass(frozen=True, eq=False)
class VirtualCohort:
    """A cohort with its tumours and hearts; ``members`` are those of the ensemble."""

    cohort: Cohort
    tumours: Tumours
    hearts: Hearts
    members: Members

    def take(self, rows: NDArray[np.int64]) -> VirtualCohort:
        """The patients at some positions, in that order; a position may come again."""

        def cut(values: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
            return {name: array[rows] for name, array in values.items()}

        cohort = replace(
            self.cohort,
            numbers=self.cohort.numbers[rows],
            covariates=cut(self.cohort.covariates),
        )
        tumours = replace(
            self.tumours,
            parameters=cut(self.tumours.parameters),
            start=cut(self.tumours.start),
            affinity=self.tumours.affinity[rows],
            escape_share=self.tumours.escape_share[rows],
            kill_factor=self.tumours.kill_factor[rows],
            earlier_drugs=cut(self.tumours.earlier_drugs),
            traits=cut(self.tumours.traits),
        )
        hearts = replace(
            self.hearts,
            parameters=cut(self.hearts.parameters),
            troponin_slope=self.hearts.troponin_slope[rows],
        )
        return VirtualCohort(cohort, tumours, hearts, self.members.take(rows))

    def beside(self, other: VirtualCohort) -> VirtualCohort:
        """These patients and others, in one cohort; what only some have is left out."""

        def put(
            a: Mapping[str, NDArray[Any]], b: Mapping[str, NDArray[Any]]
        ) -> dict[str, NDArray[Any]]:
            return {name: np.concatenate([a[name], b[name]]) for name in a if name in b}

        mine, theirs = self.tumours, other.tumours
        cohort = replace(
            self.cohort,
            numbers=np.concatenate([self.cohort.numbers, other.cohort.numbers]),
            covariates=put(self.cohort.covariates, other.cohort.covariates),
        )
        tumours = Tumours(
            put(mine.parameters, theirs.parameters),
            put(mine.start, theirs.start),
            np.concatenate([mine.affinity, theirs.affinity]),
            np.concatenate([mine.escape_share, theirs.escape_share]),
            np.concatenate([mine.kill_factor, theirs.kill_factor]),
            put(mine.earlier_drugs, theirs.earlier_drugs),
            put(mine.traits, theirs.traits),
        )
        hearts = Hearts(
            put(self.hearts.parameters, other.hearts.parameters),
            np.concatenate([self.hearts.troponin_slope, other.hearts.troponin_slope]),
        )
        return VirtualCohort(cohort, tumours, hearts, self.members.beside(other.members))


def draw_virtual_cohort(
    cohort: Cohort,
    tumour: TumourProfile | KnownTumours | None = None,
    heart: CardiacProfile | None = None,
    members: Members | None = None,
) -> VirtualCohort:
    """Draw what is not known of each patient.

    Parameters
    ----------
    cohort : patients
    tumour, heart : what tests and the history told of all of them, or of each
    members : those of the ensemble; member 0 if not given
    """
    members = members or Members(np.zeros(cohort.n_patients, dtype=np.int64))
    return VirtualCohort(
        cohort, draw_tumours(cohort, tumour, members), draw_hearts(cohort, heart, members), members
    )
