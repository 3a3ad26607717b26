"""Composition by name, and the unit check of every component."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from her2sim.engine.model import Part, Symbol, compose
from her2sim.errors import ModelError, UnitError
from her2sim.models import pharmacokinetics as pk
from her2sim.models.structures import STRUCTURES
from her2sim.models.symbols import SYMBOLS


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_structure_composes_and_its_units_agree(name: str) -> None:
    model = STRUCTURES[name].model  # compose() checks the units of every equation
    followed = {"auc", "payload", "auc_payload", "dfcr", "dfur", "fu"}
    followed |= {"auc_dfcr", "auc_dfur", "auc_fu"}
    assert set(STRUCTURES[name].compartments) == set(model.states) - followed
    assert [a.concentration for a in model.analytes] == list(model.outputs)


def test_a_wrong_unit_is_found() -> None:
    def wrong(cl, central):
        return Part(rates={"central": -cl * central})

    with pytest.raises(UnitError, match="d central/dt"):
        compose("wrong", [wrong], SYMBOLS)


def test_adding_unlike_quantities_is_found() -> None:
    def wrong(cl, vc):
        return Part(outputs={"conc": cl + vc})

    with pytest.raises(UnitError, match="cannot add"):
        compose("wrong", [wrong], SYMBOLS)


def test_a_component_that_waits_in_vain_is_named() -> None:
    with pytest.raises(ModelError, match="linear_elimination needs conc"):
        compose("incomplete", [pk.linear_elimination], SYMBOLS)


def test_an_unknown_name_gets_a_suggestion() -> None:
    def misspelt(cl, centrl):
        return Part(rates={"central": -cl * centrl})

    with pytest.raises(ModelError, match="did you mean 'central'"):
        compose("misspelt", [misspelt], SYMBOLS)


def test_two_components_cannot_give_one_output() -> None:
    with pytest.raises(ModelError, match="two components give"):
        compose("twice", [pk.central_concentration, pk.single_concentration], SYMBOLS)


def test_rates_of_several_components_add_up() -> None:
    register = {
        "x": Symbol("x", "state", "mg", "amount"),
        "a": Symbol("a", "parameter", "1/day", "one rate"),
        "b": Symbol("b", "parameter", "1/day", "another rate"),
    }

    def one(x, a):
        return Part(rates={"x": -a * x})

    def other(x, b):
        return Part(rates={"x": -b * x})

    model = compose("sum", [one, other], register)
    assert model.rates({"x": 2.0, "a": 3.0, "b": 4.0})[0] == [-14.0]


def test_one_output_takes_only_the_components_it_needs() -> None:
    calls = []

    def first(a: Any, x: Any) -> Part:
        calls.append("first")
        return Part(rates={"x": -a * x}, outputs={"y": a * x})

    def second(y: Any, b: Any) -> Part:
        calls.append("second")
        return Part(outputs={"z": y * b})

    def third(a: Any) -> Part:
        calls.append("third")
        return Part(outputs={"w": a})

    entries = [
        Symbol("x", "state", "1", ""), Symbol("a", "parameter", "1/day", ""),
        Symbol("b", "parameter", "day", ""), Symbol("y", "output", "1/day", ""),
        Symbol("z", "output", "1", ""), Symbol("w", "output", "1/day", ""),
    ]  # fmt: skip
    model = compose("three", [first, second, third], {e.name: e for e in entries})
    states, parameters = np.array([[2.0, 3.0]]), np.array([[5.0, 5.0], [7.0, 7.0]])
    model.output_of("z", states, parameters)
    calls.clear()
    assert model.output_of("z", states, parameters).tolist() == [70.0, 105.0]
    assert sorted(calls) == ["first", "second"]
    with pytest.raises(ModelError, match="no output 'zz'"):
        model.output_of("zz", states, parameters)
