"""Which numbers of early disease the patients of an arm feel: all but those of other drugs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from her2sim.arrays import Mask
from her2sim.drugs.drug import is_drug
from her2sim.drugs.mechanism import load_mechanism

OF_DRUG = "early:kill_"
"""Names of numbers by which drugs differ begin so; what follows is the drug."""
OF_PAYLOADS = "early:payload_kill"


def felt_in_early(names: Sequence[str], drugs: Collection[str]) -> Mask:
    """Which parameters are felt where some drugs are given, shape (n_parameters,)."""
    kinds = [load_mechanism(drug) for drug in drugs]
    has_payload = any(kind is not None and kind.kind == "conjugate" for kind in kinds)

    def is_felt(name: str) -> bool:
        if name == OF_PAYLOADS:
            return has_payload
        drug = name.removeprefix(OF_DRUG).replace("_", "-")
        return not name.startswith(OF_DRUG) or not is_drug(drug) or drug in drugs

    return np.array([is_felt(name) for name in names])
