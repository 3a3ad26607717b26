"""Drugs that were given before, by any of their names, and that change how later ones act."""

from __future__ import annotations

from collections.abc import Iterable

from her2sim.drug_names import find_meaning, substance_of, unknown_name_text
from her2sim.errors import DataError
from her2sim.patients.covariates import EARLIER_DRUGS


def earlier_drug_ids(names: Iterable[str]) -> tuple[str, ...]:
    """Substances that some names mean, each once, in the order they are told.

    A brand, a biosimilar or a form means its substance; a fixed combination means all of it.

    Raises
    ------
    DataError
        With every name that is unknown, or whose drug changes nothing when it was given before.
    """
    found, faults = list[str](), list[str]()
    for name in names:
        meaning = find_meaning(name)
        if meaning is None:
            faults.append(f"earlier drug {name!r}: {unknown_name_text(name)}")
            continue
        substances = [substance_of(drug) for drug in meaning.drugs]
        idle = [one for one in substances if one not in EARLIER_DRUGS]
        if idle:
            known = ", ".join(EARLIER_DRUGS)
            shown = name if idle == [name] else f"{name} ({' and '.join(idle)})"
            faults.append(
                f"earlier drug {shown}: only {known} change something when they were given before"
            )
        found += substances
    if faults:
        raise DataError("; ".join(faults))
    return tuple(dict.fromkeys(found))
