"""The named structural models that a drug file can pick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim.engine.model import Analyte, Component, Model, compose
from her2sim.errors import UnknownNameError, did_you_mean
from her2sim.models import pharmacokinetics as pk
from her2sim.models.symbols import SYMBOLS

CENTRAL_ANALYTE = (Analyte("central", "conc", "auc"),)
WITH_PAYLOAD = (*CENTRAL_ANALYTE, Analyte("payload", "conc_payload", "auc_payload"))
WITH_METABOLITES = (
    *CENTRAL_ANALYTE,
    *(Analyte(name, f"conc_{name}", f"auc_{name}") for name in ("dfcr", "dfur", "fu")),
)


@dataclass(frozen=True)
class Structure:
    """A named structural model.

    ``compartments`` fixes the NONMEM numbering (CMT 1 is the first); ``dosed`` says into which
    state a route puts its dose; ``concentration_unit`` is how its concentration is shown. Stiff is
    what has rates of hundreds a day for weeks.
    """

    name: str
    meaning: str
    components: tuple[Component, ...]
    compartments: tuple[str, ...]
    dosed: Mapping[str, str]
    concentration_unit: str
    analytes: tuple[Analyte, ...] = CENTRAL_ANALYTE
    is_stiff: bool = False

    @cached_property
    def model(self) -> Model:
        """The traced model."""
        components = (*self.components, pk.area_under_curve)
        plain = compose(
            self.name, components, SYMBOLS, self.analytes, self.compartments,
            is_stiff=self.is_stiff,
        )  # fmt: skip
        amounts = [name for name in plain.states if SYMBOLS[name].unit == "mg"]
        return replace(plain, fading=(tuple(amounts),))


_IV = {"iv": "central"}
_EXTRAVASCULAR = {"iv": "central", "sc": "depot", "oral": "depot"}
_TWO = (pk.central_concentration, pk.peripheral_exchange)
_ANTIBODY_UNIT, _SMALL_MOLECULE_UNIT = "ug/mL", "ng/mL"

_STRUCTURES = (
    Structure(
        "one_compartment_iv",
        "one compartment, linear elimination",
        (pk.single_concentration, pk.linear_elimination),
        ("central",),
        _IV,
        _SMALL_MOLECULE_UNIT,
    ),
    Structure(
        "one_compartment_oral",
        "one compartment with first-order absorption, linear elimination",
        (pk.single_concentration, pk.linear_elimination, pk.first_order_absorption),
        ("depot", "central"),
        _EXTRAVASCULAR,
        _SMALL_MOLECULE_UNIT,
    ),
    Structure(
        "two_compartment_linear",
        "two compartments, linear elimination",
        (*_TWO, pk.linear_elimination),
        ("central", "peripheral"),
        _IV,
        _ANTIBODY_UNIT,
    ),
    Structure(
        "three_compartment_linear",
        "three compartments, linear elimination",
        (*_TWO, pk.second_peripheral_exchange, pk.linear_elimination),
        ("central", "peripheral", "peripheral2"),
        _IV,
        _SMALL_MOLECULE_UNIT,
    ),
    Structure(
        "three_compartment_saturable",
        "three compartments, saturable elimination and saturable transport to the first peripheral "
        "compartment",
        (
            pk.central_concentration,
            pk.saturable_distribution,
            pk.second_peripheral_exchange,
            pk.michaelis_menten_elimination,
        ),
        ("central", "peripheral", "peripheral2"),
        _IV,
        _SMALL_MOLECULE_UNIT,
        is_stiff=True,
    ),
    Structure(
        "two_compartment_payload",
        "conjugate in two compartments with linear elimination, payload released from it in one",
        (
            *_TWO,
            pk.linear_elimination,
            pk.payload_release,
            pk.payload_disposition,
            pk.area_under_payload,
        ),
        ("central", "peripheral"),
        _IV,
        _ANTIBODY_UNIT,
        WITH_PAYLOAD,
    ),
    Structure(
        "two_compartment_absorption",
        "two compartments with first-order absorption, linear elimination",
        (*_TWO, pk.linear_elimination, pk.first_order_absorption),
        ("depot", "central", "peripheral"),
        _EXTRAVASCULAR,
        _ANTIBODY_UNIT,
    ),
    Structure(
        "two_compartment_michaelis_menten",
        "two compartments, parallel linear and Michaelis-Menten elimination",
        (*_TWO, pk.linear_elimination, pk.michaelis_menten_elimination),
        ("central", "peripheral"),
        _IV,
        _ANTIBODY_UNIT,
    ),
    Structure(
        "two_compartment_absorption_michaelis_menten",
        "two compartments with first-order absorption, parallel linear and Michaelis-Menten "
        "elimination",
        (
            *_TWO,
            pk.linear_elimination,
            pk.michaelis_menten_elimination,
            pk.first_order_absorption,
        ),
        ("depot", "central", "peripheral"),
        _EXTRAVASCULAR,
        _ANTIBODY_UNIT,
    ),
    Structure(
        "capecitabine_cascade",
        "capecitabine in one compartment with first-order absorption, and its metabolites 5'-DFCR, "
        "5'-DFUR and 5-FU one after the other",
        (
            pk.single_concentration,
            pk.linear_elimination,
            pk.first_order_absorption,
            pk.first_metabolite_formation,
            pk.metabolite_cascade,
            pk.metabolite_concentrations,
            pk.areas_under_metabolites,
        ),
        ("depot", "central"),
        _EXTRAVASCULAR,
        _SMALL_MOLECULE_UNIT,
        WITH_METABOLITES,
    ),
)

STRUCTURES = {structure.name: structure for structure in _STRUCTURES}


def structure(name: str) -> Structure:
    """Look a structure up by name."""
    if name not in STRUCTURES:
        raise UnknownNameError(f"unknown structure {name!r}" + did_you_mean(name, STRUCTURES))
    return STRUCTURES[name]


LARGE_AMOUNT_MG = 1e9
"""Far above any saturable elimination, which then no longer counts."""


def slowest_rate_per_day(structure: Structure, parameters: NDArray[np.float64]) -> float:
    """Slowest rate constant of a structure, saturable elimination left out; 0 if there is none."""
    model = structure.model
    columns = []
    states = [s for s in model.states if s in structure.compartments]
    for one in states:
        values: dict[str, Any] = dict(zip(model.parameters, parameters, strict=True))
        values |= {s: LARGE_AMOUNT_MG if s == one else 0.0 for s in model.states}
        rates = dict(zip(model.states, model.rates(values)[0], strict=True))
        columns.append([rates[s] / LARGE_AMOUNT_MG for s in states])
    eigenvalues = np.linalg.eigvals(np.array(columns).T).real
    return float(max(0.0, -eigenvalues.max()))
