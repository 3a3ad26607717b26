"""Mechanisms that can be switched off, and the numbers that are zero then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from her2sim.errors import UnknownNameError, did_you_mean
from her2sim.virtual_patient.drugs import PatientDrug


@dataclass(frozen=True)
class SwitchedNumbers:
    """Parameters of a mechanism: its own, and those that each drug has of it."""

    own: tuple[str, ...] = ()
    of_drugs: tuple[str, ...] = ()


SWITCHES: dict[str, SwitchedNumbers] = {
    "signalling-block": SwitchedNumbers(
        ("block_iv", "block_ii", "cross_iv", "cross_ii", "clustering")
    ),
    "kinase-inhibition": SwitchedNumbers(of_drugs=("unbound",)),
    "adcc": SwitchedNumbers(("adcc_max",)),
    "payload": SwitchedNumbers(of_drugs=("kmax",)),
    "bystander": SwitchedNumbers(of_drugs=("influx",)),
    "release-outside-cells": SwitchedNumbers(of_drugs=("clipping",)),
    "chemotherapy": SwitchedNumbers(of_drugs=("chemo_kill",)),
    "new-lesions": SwitchedNumbers(("new_lesions",)),
    "heart": SwitchedNumbers(("failure_base", "failure_hazard"), ("heart_weight",)),
    "blood": SwitchedNumbers(
        ("pool_rate_neutrophils", "pool_rate_platelets", "fever_rate"),
        ("neutrophils_slope", "platelets_slope"),
    ),
    "lung": SwitchedNumbers(("lung_share",)),
}
CLONES = {"her2-low-clone": "cells_l", "resistant-clone": "cells_m"}
"""Clones that can be left out: their cells are sensitive ones then."""


def check_switches(names: Sequence[str]) -> None:
    """Refuse a mechanism that does not exist."""
    known = (*SWITCHES, *CLONES)
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise UnknownNameError(f"unknown mechanism {name!r}{hint}")


def numbers_off(names: Sequence[str], drugs: Sequence[PatientDrug]) -> Iterator[str]:
    """Parameters that are zero when some mechanisms are off."""
    for switch in (SWITCHES[name] for name in names if name in SWITCHES):
        yield from switch.own
        yield from (drug.symbol(number) for drug in drugs for number in switch.of_drugs)


def clones_off(names: Sequence[str]) -> list[str]:
    """Clones that some names leave out."""
    return [CLONES[name] for name in names if name in CLONES]
