"""A drug in a whole patient: how it is given, how it acts, whether anything looks at its levels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array
from her2sim.biology.ensemble import Members, member_value
from her2sim.drugs.mechanism import Mechanism, load_mechanism
from her2sim.drugs.toxicity import Toxicity, load_toxicity
from her2sim.models.agent import KPD
from her2sim.models.assembly import tag_of
from her2sim.patients.cohort import Cohort
from her2sim.pk.treatment import Treatment

Organ = Literal["heart", "blood", "lung"]
ORGANS: tuple[Organ, ...] = ("heart", "blood", "lung")


@dataclass(frozen=True, eq=False)
class PatientDrug:
    """A drug of the regimen.

    Levels of a cytotoxic or endocrine drug are left out where nothing looks at them: its kill
    follows the doses.
    """

    treatment: Treatment
    mechanism: Mechanism
    toxicity: Toxicity
    has_concentration: bool

    @property
    def tag(self) -> str:
        """Its part of names."""
        return self.mechanism.agent.tag

    @property
    def regimen_tag(self) -> str:
        """The regimen by which it is given, as a part of names."""
        return tag_of(self.treatment.regimen.name)

    @property
    def is_anthracycline(self) -> bool:
        """Whether it raises troponin as anthracyclines do."""
        return "anthracycline" in self.treatment.drug.groups

    @property
    def is_kpd(self) -> bool:
        """Whether its kill follows the doses given, not its levels."""
        return self.mechanism.kind in KPD

    def schedule_factor(self, members: Members) -> Array:
        """Kill of a cytotoxic drug by its regimen over that by its usual one, shape (n,).

        Without a number of its own, a variant of a regimen (``qw-3of4``) has that of ``qw``.
        """
        own, known = self.regimen_tag, self.mechanism.parameter
        for name in (f"schedule_{own}", f"schedule_{own.partition('_')[0]}"):
            if name in known:
                return member_value(f"{self.mechanism.drug}:{name}", known[name], members)
        return np.ones(members.ids.shape)

    def typical_kill(self, members: Members) -> Array:
        """Kill by a cytotoxic drug at full dose by its regimen in the typical tumour, 1/day."""
        quantity = self.mechanism.parameter["chemo_kill"]
        kill = member_value(f"{self.mechanism.drug}:chemo_kill", quantity, members)
        return kill * self.schedule_factor(members)

    def planned_mg(self, cohort: Cohort) -> NDArray[np.float64]:
        """The full dose of each patient, shape (n,)."""
        return self.treatment.maintenance_mg(cohort)

    def symbol(self, name: str) -> str:
        """Name of a symbol of its own in the model of the patient."""
        return f"{name}_{self.tag}"


def patient_drugs(
    treatments: Sequence[Treatment], organs: Sequence[Organ]
) -> Iterator[PatientDrug]:
    """The drugs of some treatments, beside the organs that are modelled."""
    for treatment in treatments:
        mechanism, toxicity = load_mechanism(treatment.drug.id), load_toxicity(treatment.drug.id)
        assert mechanism is not None
        is_watched = "blood" in organs and bool(toxicity.blood)
        has_concentration = mechanism.kind not in KPD or is_watched
        yield PatientDrug(treatment, mechanism, toxicity, has_concentration)
