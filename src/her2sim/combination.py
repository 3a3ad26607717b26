"""Several drugs in one patient: a regimen of many treatments, run side by side.

Each drug keeps its own model; what one does to another acts through published folds. The same
patient (characteristics, and random effects of each drug) is treated by all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from her2sim.course import Array, Course, Treatment, load_treatment, simulate
from her2sim.drugs.drug import Drug
from her2sim.drugs.interactions import interactions_together
from her2sim.errors import DataError
from her2sim.patients.cohort import Cohort
from her2sim.regimens.changes import as_planned
from her2sim.regimens.named import load_regimen

CYCLE_DAY = 21.0
"""Exposures of all drugs are read over cycles of three weeks, however often they are given."""


@dataclass(frozen=True, eq=False)
class Combination:
    """Treatments that are given together, and what a reader must know of them."""

    name: str
    title: str
    treatments: tuple[Treatment, ...]
    notes: tuple[str, ...]


def load_combination(text: str) -> Combination:
    """A regimen of several drugs by name or as an expression, interactions included.

    Raises
    ------
    DataError
        If a drug is there twice, or two of them are not to be combined.
    """
    regimen = load_regimen(text)
    plain = [load_treatment(part.drug, part.regimen) for part in regimen.part]
    drugs = [treatment.drug for treatment in plain]
    _require_different(drugs)
    treatments = list[Treatment]()
    notes = [
        f"{other} belongs to the regimen and is not simulated." for other in regimen.with_others
    ]
    for part, treatment in zip(regimen.part, plain, strict=True):
        others = [drug for drug in drugs if drug is not treatment.drug]
        rows, remarks = interactions_together(treatment.drug, others)
        for row in rows:
            row.require_carrier(treatment.pk)
        planned = as_planned(treatment.regimen, part)
        treatments.append(replace(treatment, regimen=planned, interactions=rows))
        notes += remarks
    return Combination(regimen.id, regimen.title, tuple(treatments), tuple(notes))


def _require_different(drugs: list[Drug]) -> None:
    substances = [drug.substance or drug.id for drug in drugs]
    twice = sorted({s for s in substances if substances.count(s) > 1})
    if twice:
        raise DataError(f"{', '.join(twice)} is in the regimen twice; give each drug once")


def simulate_together(
    combination: Combination,
    cohort: Cohort,
    n_cycles: int,
    *,
    grid_day: Array | None = None,
    threads: int | None = None,
) -> Iterator[Course]:
    """Treat every patient of a cohort with all drugs; one course a drug, in their order.

    Courses come one by one: nothing keeps them but who asked for them.
    """
    ends_day = [CYCLE_DAY * (k + 1) for k in range(n_cycles)]
    for treatment in combination.treatments:
        yield simulate(treatment, cohort, ends_day, grid_day=grid_day, threads=threads)
