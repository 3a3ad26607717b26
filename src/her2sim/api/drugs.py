"""Which drug is meant, and how it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from her2sim.drugs.interactions import Kind
    from her2sim.pk.treatment import Treatment


def treatment_of(
    drug: str, regimen: str | None = None, interactions: Sequence[tuple[Kind, str]] = ()
) -> Treatment:
    """A drug with its regimen, as in ``trastuzumab/q3w``; the drug's first one without it.

    Raises
    ------
    Her2SimError
        If a name is unknown, means several drugs, or the regimen is given twice or not at all.
    """
    from her2sim.drugs.drug import first_regimen
    from her2sim.errors import DataError
    from her2sim.pk.treatment import load_treatment
    from her2sim.regimens.library import require_one_drug

    name, sign, written = drug.partition("/")
    if sign and not (name and written):
        raise DataError(f"{drug!r}: write DRUG/REGIMEN, as in trastuzumab/q3w")
    if sign and regimen is not None:
        raise DataError(f"{drug!r} and regimen {regimen!r}: give the regimen once")
    require_one_drug(name)
    chosen = written if sign else regimen
    return load_treatment(name, first_regimen(name) if chosen is None else chosen, interactions)


def arm_of(text: str) -> Treatment:
    """A drug that is written with its regimen, as in ``trastuzumab-sc/q3w``.

    Raises
    ------
    Her2SimError
        If it is not written so, or a name is unknown.
    """
    from her2sim.errors import DataError

    if "/" not in text:
        raise DataError(f"{text!r}: write an arm as DRUG/REGIMEN, as in trastuzumab-sc/q3w")
    return treatment_of(text)
