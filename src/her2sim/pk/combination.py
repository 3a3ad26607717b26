"""Several drugs in one patient: a regimen of many treatments, run side by side.

Each drug keeps its own model; what one does to another acts through published folds. The same
patient (characteristics, and random effects of each drug) is treated by all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from her2sim.arrays import Array
from her2sim.drugs.drug import Drug, load_drug
from her2sim.drugs.mechanism import load_mechanism
from her2sim.patients.cohort import Cohort
from her2sim.pk.exposure_run import ExposureResult, simulate
from her2sim.pk.treatment import Treatment
from her2sim.regimens.library import load_regimen
from her2sim.regimens.together import planned_drugs

FITTED_TO = "calibration:trials of "
"""How the source of a number begins that was fitted in one tumour type."""
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
        If a substance is there twice, or two drugs are not to be combined.
    """
    regimen = load_regimen(text)
    planned = planned_drugs(regimen)
    notes = [
        f"{other} belongs to the regimen and is not simulated." for other in regimen.with_others
    ]
    notes += [remark for one in planned for remark in one.remarks]
    notes += [text for one in planned if (text := _taken_from(one.drug))]
    treatments = tuple(Treatment(p.drug, p.pk, p.regimen, p.interactions) for p in planned)
    return Combination(regimen.id, regimen.title, treatments, tuple(notes))


def _taken_from(drug: Drug) -> str:
    """That a drug acts with numbers of another drug, or of one tumour type; empty otherwise."""
    mechanism = load_mechanism(drug.id)
    if mechanism is None:
        return ""
    if mechanism.like is None:
        kill = mechanism.parameter.get("chemo_kill")
        if kill is None:
            return ""
        if kill.status == "assumed":
            return f"How {drug.title.lower()} kills is assumed: no trial of it was fitted."
        _, _, of = (kill.source or "").partition(FITTED_TO)
        return f"How {drug.title.lower()} kills was fitted in {of} only." if of else ""
    other = load_drug(mechanism.like).title.lower()
    name = drug.title.lower()
    return f"No trial of {name} was fitted: it is taken to act on a tumour as {other} does."


def simulate_together(
    combination: Combination,
    cohort: Cohort,
    n_cycles: int,
    *,
    grid_day: Array | None = None,
    threads: int | None = None,
) -> Iterator[ExposureResult]:
    """Treat every patient of a cohort with all drugs; one course a drug, in their order.

    Courses come one by one: nothing keeps them but who asked for them.
    """
    ends_day = [CYCLE_DAY * (k + 1) for k in range(n_cycles)]
    for treatment in combination.treatments:
        yield simulate(treatment, cohort, ends_day, grid_day=grid_day, threads=threads)
