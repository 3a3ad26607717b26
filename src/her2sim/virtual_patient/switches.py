"""Mechanisms that can be switched off, and the numbers that this sets."""

from __future__ import annotations

from collections.abc import Sequence

from her2sim.arrays import Array
from her2sim.engine.model import Model
from her2sim.errors import UnknownNameError, did_you_mean

SWITCHES: dict[str, tuple[tuple[str, ...], float]] = {
    "signalling-block": (("block_iv", "block_ii", "cross_iv", "cross_ii", "clustering"), 0.0),
    "kinase-inhibition": (("unbound_",), 0.0),
    "adcc": (("adcc_max",), 0.0),
    "payload": (("kmax_",), 0.0),
    "bystander": (("influx_",), 0.0),
    "release-outside-cells": (("clipping_",), 0.0),
    "chemotherapy": (("chemo_kill_",), 0.0),
    "new-lesions": (("new_lesions",), 0.0),
    "heart": (("heart_weight_", "failure_base", "failure_hazard"), 0.0),
    "blood": (("neutrophils_slope_", "platelets_slope_", "pool_rate_", "fever_rate"), 0.0),
    "lung": (("lung_share",), 0.0),
}
"""Parameters of each mechanism (a name that ends in _ means all that begin so), and their value."""
CLONES = {"her2-low-clone": "cells_l", "resistant-clone": "cells_m"}
"""Clones that can be left out: their cells are sensitive ones then."""


def check_switches(names: Sequence[str]) -> None:
    """Refuse a mechanism that does not exist."""
    known = (*SWITCHES, *CLONES)
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise UnknownNameError(f"unknown mechanism {name!r}{hint} (one of {', '.join(known)})")


def switched_off(model: Model, parameters: Array, names: Sequence[str]) -> Array:
    """Parameters, shape (n_parameters, n), with some mechanisms off."""
    found = parameters.copy()
    for name in names:
        for wanted in SWITCHES.get(name, ((), 0.0))[0]:
            for k, parameter in enumerate(model.parameters):
                is_one = parameter.startswith(wanted) if wanted.endswith("_") else False
                if parameter == wanted or is_one:
                    found[k] = SWITCHES[name][1]
    return found


def without_clones(model: Model, states: Array, names: Sequence[str]) -> Array:
    """States at the start, shape (n_states, n), with some clones left out."""
    found = states.copy()
    for name in names:
        clone = CLONES.get(name)
        for k, state in enumerate(model.states):
            if clone is not None and state.startswith(clone):
                sensitive = model.index("states", state.replace(clone, "cells_s"))
                found[sensitive] = found[sensitive] + found[k]
                found[k] = 0.0
    return found
