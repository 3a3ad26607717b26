"""Drugs of one regimen, given together: each as planned, with what the others do to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from her2sim.drugs.drug import Drug, load_drug, load_pk
from her2sim.drugs.interactions import Interaction, interactions_together
from her2sim.drugs.pk import PkModel
from her2sim.errors import DataError, Faults, all_of
from her2sim.regimens.changes import as_planned
from her2sim.regimens.library import NamedRegimen, RegimenPart
from her2sim.regimens.regimen import Regimen, labelled_regimen


@dataclass(frozen=True, eq=False)
class PlannedDrug:
    """A drug of a regimen: its model, its plan, and what the other drugs do to it."""

    drug: Drug
    pk: PkModel
    regimen: Regimen
    interactions: tuple[Interaction, ...]
    remarks: tuple[str, ...]


def planned_drugs(regimen: NamedRegimen) -> tuple[PlannedDrug, ...]:
    """The drugs of a regimen, in its order.

    Raises
    ------
    DataError
        If a substance is there twice, by itself or in a conjugate, or if two drugs are not to be
        combined (all of it is named).
    """
    plain = all_of(*(partial(_alone, part) for part in regimen.part))
    drugs = [drug for drug, _, _ in plain]
    _require_different(drugs, regimen.id)
    return tuple(all_of(*(partial(_with_others, d, pk, own, drugs) for d, pk, own in plain)))


def _alone(part: RegimenPart) -> tuple[Drug, PkModel, Regimen]:
    drug = load_drug(part.drug)
    return drug, load_pk(part.drug), as_planned(labelled_regimen(drug, part.regimen), part)


def _with_others(drug: Drug, pk: PkModel, regimen: Regimen, drugs: list[Drug]) -> PlannedDrug:
    rows, remarks = interactions_together(drug, [other for other in drugs if other is not drug])
    for row in rows:
        row.require_carrier(pk)
    return PlannedDrug(drug, pk, regimen, rows, remarks)


def _require_different(drugs: list[Drug], regimen: str) -> None:
    """Refuse a substance that is there twice, naming what brings it."""
    faults = Faults(regimen)
    brought = [(substance, drug.id) for drug in drugs for substance in _substances(drug)]
    for substance in dict.fromkeys(name for name, _ in brought):
        bringing = [drug for name, drug in brought if name == substance]
        if len(bringing) > 1:
            faults.add(
                f"{substance} is in the regimen twice ({', '.join(bringing)}); keep one of them"
            )
    faults.raise_if_any(DataError)


def _substances(drug: Drug) -> Iterator[str]:
    """What a drug brings: itself, and the antibody that a conjugate carries."""
    yield drug.substance or drug.id
    if drug.antibody is not None:
        yield drug.antibody
