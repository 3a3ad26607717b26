"""What the models of some drugs ask of patients."""

from __future__ import annotations

from collections.abc import Iterable

from her2sim.errors import DataError, Faults
from her2sim.patients.cohort import Cohort
from her2sim.pk.treatment import Treatment
from her2sim.regimens.dose import size_needed


def require_characteristics(cohort: Cohort, treatments: Iterable[Treatment], where: str) -> None:
    """Refuse patients without what the models of some drugs need, naming all of it.

    Parameters
    ----------
    cohort : patients
    treatments : what they are given
    where : what would have to tell it

    Raises
    ------
    DataError
        With every characteristic that is missing, and the drugs that need it.
    """
    faults, needed = Faults(where), dict[str, list[str]]()
    for treatment in treatments:
        bases = [size_needed(unit) for unit in treatment.regimen.routes.values()]
        for name in (*treatment.pk.needed_covariates(), *(b for b in bases if b is not None)):
            needed.setdefault(name, []).append(treatment.drug.id)
    for name, drugs in needed.items():
        if name not in cohort.covariates:
            faults.add(f"{name} is missing; needed for {', '.join(dict.fromkeys(drugs))}")
    faults.raise_if_any(DataError)
