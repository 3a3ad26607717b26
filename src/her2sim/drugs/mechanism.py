"""How a drug acts on a tumour: its kind, what it binds, and numbers with their ranges."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import model_validator

from her2sim.drugs.drug import load_drug
from her2sim.errors import DataError
from her2sim.facts import FactFile, UncertainQuantity, read_fact_file
from her2sim.models.agent import Agent, Kind
from her2sim.models.assembly import tag_of

_IMMUNE = ("mass", "fc_affinity", "fc_genotype")
_PAYLOAD = ("dar", "kout", "kmax", "kc50", "hill", "sensitivity", "resist")
_NEEDED = {
    "antibody": _IMMUNE,
    "conjugate": (*_IMMUNE, *_PAYLOAD),
    "reversible": ("mass", "unbound", "ic50", "access_cns"),
    "covalent": ("mass", "unbound", "kinact", "ki", "access_cns"),
    "cytotoxic": ("chemo_kill", "waning", "resist"),
    "endocrine": ("chemo_kill", "waning", "resist"),
    "checkpoint": ("chemo_kill", "waning", "resist"),
}
_MAY_HAVE = {
    "conjugate": ("not_amplified", "not_amplified_spread"),
    "cytotoxic": ("schedule_",),
}
"""Numbers that some drugs have, or how their names begin."""
_PERMEABLE = ("influx", "clipping", "kex_payload", "payload_mass")


class Mechanism(FactFile):
    """What is known of how a drug acts; ``parameter`` has what its kind needs.

    A conjugate may have its sensitivity in tumours without amplification, as a factor
    (``not_amplified``), and the spread there over that in others; a cytotoxic drug the kill under a
    regimen over that under its usual one (``schedule_REGIMEN``). ``like`` names a drug of the same
    kind whose numbers stand for those that are not there: no trial told how this one acts.
    """

    drug: str
    like: str | None = None
    kind: Kind
    epitope: Literal["iv", "ii", "both"] | None = None
    is_permeable: bool = False
    parameter: dict[str, UncertainQuantity]

    @model_validator(mode="after")
    def _is_complete(self) -> Mechanism:
        needed = _NEEDED[self.kind] + (_PERMEABLE if self.is_permeable else ())
        missing = [name for name in needed if name not in self.parameter and not self.like]
        faults = [f"parameter {name} is missing" for name in missing]
        may = (*needed, *_MAY_HAVE.get(self.kind, ()))
        faults += [
            f"parameter {name} is not used"
            for name in self.parameter
            if name not in may and not name.startswith(tuple(n for n in may if n.endswith("_")))
        ]
        if (self.epitope is not None) != (self.kind in ("antibody", "conjugate")):
            faults.append("antibodies and conjugates have an epitope, others none")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def agent(self) -> Agent:
        """Its place in the equations."""
        return Agent(tag_of(self.drug), self.kind, self.epitope, self.is_permeable)


@cache
def load_mechanism(name: str) -> Mechanism | None:
    """How a drug acts on a tumour; None if her2sim has no numbers of it."""
    drug = load_drug(name)
    path = files("her2sim.drugs").joinpath(drug.substance or drug.id, "mechanism.toml")
    return _completed(read_fact_file(path, Mechanism)) if path.is_file() else None


def _completed(found: Mechanism) -> Mechanism:
    """With numbers of the drug that it is taken to be like."""
    if found.like is None:
        return found
    other = load_mechanism(found.like)
    if other is None or other.kind != found.kind or other.is_permeable != found.is_permeable:
        raise DataError(f"{found.drug}: is not of the kind of {found.like}, whose numbers it takes")
    return found.model_copy(update={"parameter": {**other.parameter, **found.parameter}})
