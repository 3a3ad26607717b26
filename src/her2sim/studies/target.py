"""The trough that is wanted of a drug."""

from __future__ import annotations

from her2sim.errors import DataError
from her2sim.pk.treatment import Treatment


def wanted_target(treatment: Treatment, target: float | None) -> float | None:
    """The trough that was asked for in the unit of the drug, or the one in the drug's facts.

    Raises
    ------
    DataError
        If the target is not above zero.
    """
    known = treatment.drug.target_trough
    if target is None:
        return None if known is None else known.to(treatment.pk.concentration_unit)
    if not 0 < target < float("inf"):
        raise DataError(f"target {target:g}: must be above zero")
    return target
