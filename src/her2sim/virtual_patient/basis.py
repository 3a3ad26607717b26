"""What each number of a whole patient's model rests on: its fact, with status and source."""

from __future__ import annotations

from dataclasses import dataclass

from her2sim.biology.blood import blood_facts
from her2sim.biology.heart import heart_facts
from her2sim.biology.tumour_profile import tumour_facts
from her2sim.facts import Claim, FactFile, UncertainQuantity
from her2sim.virtual_patient.composition import VirtualPatient
from her2sim.virtual_patient.drugs import PatientDrug


@dataclass(frozen=True)
class Basis:
    """Status of a number, and its source or the reason why it was assumed."""

    status: str
    text: str
    is_uncertain: bool


def basis_of(whole: VirtualPatient) -> dict[str, Basis]:
    """Basis of every parameter of the model that a fact file holds, by its name there."""
    found: dict[str, Basis] = {}
    for facts in (tumour_facts(), heart_facts(), blood_facts()):
        for name, quantity in facts.parameter.items():
            found[name] = _basis(quantity, facts)
    tumour = tumour_facts()
    for clone in ("s", "l"):
        found[f"own_growth_{clone}"] = _basis(tumour.parameter["own_growth"], tumour)
    found["receptors_s"] = _basis(tumour.parameter["receptors_ihc3"], tumour)
    found["lvef_start"] = _basis(heart_facts().parameter["lvef_before"], heart_facts())
    found["troponin"] = _basis(heart_facts().parameter["troponin_start"], heart_facts())
    for drug in whole.drugs:
        found |= _of_drug(drug)
    return {name: found[name] for name in whole.model.parameters if name in found}


def _of_drug(drug: PatientDrug) -> dict[str, Basis]:
    mechanism, toxicity, pk = drug.mechanism, drug.toxicity, drug.treatment.pk
    found = {drug.symbol(n): _basis(q, pk) for n, q in pk.parameter.items()}
    found |= {drug.symbol(n): _basis(q, mechanism) for n, q in mechanism.parameter.items()}
    if toxicity.heart is not None:
        found[drug.symbol("heart_weight")] = _basis(toxicity.heart.weight, toxicity)
    for line, known in toxicity.blood.items():
        found[f"{line}_slope_{drug.tag}"] = _basis(known.slope, toxicity)
        for base in ("base", "maturation", "feedback"):
            found.setdefault(f"{base}_{line}", _basis(getattr(known, base), toxicity))
    return found


def _basis(claim: Claim, facts: FactFile) -> Basis:
    text = facts.source_text(claim.source) if claim.source else (claim.reason or "")
    has_range = isinstance(claim, UncertainQuantity) and claim.low is not None
    return Basis(claim.status, text, has_range)
