"""What saturates has no pole below zero, where a solver may look between accepted points."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.engine.functions import positive
from her2sim.models.heart import ejection_fraction
from her2sim.models.pharmacokinetics import michaelis_menten_elimination, saturable_distribution
from her2sim.pk.combination import load_combination
from her2sim.units import parse_unit
from her2sim.virtual_patient.composition import virtual_patient
from her2sim.virtual_patient.drugs import ORGANS

BELOW = -np.geomspace(1e-6, 1e6, 25_001)
"""Amounts so close together that one of them lies next to any pole."""


def test_positive_keeps_the_unit_and_broken_numbers() -> None:
    """Zero below zero, NaN where it is one, and the unit of what goes in."""
    found = positive(np.array([-2.0, 0.0, 3.0, np.nan]))
    assert found[:3].tolist() == [0.0, 0.0, 3.0]
    assert np.isnan(found[3])
    assert positive(parse_unit("mg/L")) == parse_unit("mg/L")


def test_saturable_kinetics_below_zero() -> None:
    """Nothing is eliminated or carried away of less than nothing."""
    assert (michaelis_menten_elimination(8.81, 4.6, BELOW).rates["central"] == 0).all()
    assert (saturable_distribution(3.0, 0.7, 0.1, BELOW, 0.0).rates["central"] == 0).all()


def test_ejection_fraction_below_zero() -> None:
    """An effect on the heart below zero is none."""
    part = ejection_fraction(BELOW, 64.0, 10.0, 1.0, 1.0, 1.0, 0.1, 0.01)
    assert (part.outputs["lvef"] == 64.0).all()


@pytest.mark.parametrize("regimen", ["trastuzumab", "trastuzumab-deruxtecan", "nala", "thp"])
def test_lesions_below_zero(regimen: str) -> None:
    """Whatever amount a solver tries below zero, rates stay those of small numbers.

    A pole at minus half of what saturates gives a rate of any size there, which once passed the
    error control by chance and took a dead clone to e^705 cells.
    """
    regimen = {"nala": "neratinib + capecitabine/bid-750"}.get(regimen, regimen)
    whole = virtual_patient(load_combination(regimen).treatments, ("",), ORGANS)
    model = whole.model
    values = {name: np.full(BELOW.size, 0.5) for name in (*model.parameters, *model.states)}
    values |= {name: np.full(BELOW.size, -1.0) for name in model.states if "log_cells" in name}
    clones = [name for name in model.states if name.startswith("log_cells")]
    amounts = [name for name in model.states if name.startswith(("antibody", "central"))]
    assert clones
    assert amounts
    for amount in amounts:
        rates, _ = model.rates({**values, amount: BELOW})
        for clone in clones:
            rate = np.broadcast_to(rates[model.index("states", clone)], BELOW.shape)
            assert np.abs(rate).max() < 5.0, (amount, clone)  # each kill is 0.5 a day at most here
