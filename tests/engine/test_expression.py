"""The expression graph: interning, folding, reading back, derivatives."""

from __future__ import annotations

import operator

import pytest

from her2sim.engine.expression import Graph, directional_derivative, evaluate, render
from her2sim.errors import ModelError

NUMBERS = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
}


def value(node, **symbols: float) -> float:
    return evaluate([node], symbols, NUMBERS, float)[0]


def test_equal_expressions_are_one_node() -> None:
    graph = Graph()
    x, y = graph.symbol("x"), graph.symbol("y")
    assert x * y + 1 is x * y + 1
    assert graph.symbol("x") is x


def test_arithmetic_with_zero_and_one_vanishes() -> None:
    graph = Graph()
    x = graph.symbol("x")
    assert x + 0 is x
    assert 1 * x is x
    assert (0 * x).value == 0
    negative = -x
    assert -negative is x


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda x, y: x - (y - 1), "x - (y - 1)"),
        (lambda x, y: x / (y * 2), "x/(y 2)"),
        (lambda x, y: -(x + y) * 3, "-(x + y) 3"),
        (lambda x, y: x * y / 2, "x y/2"),
        (lambda x, y: x + -y * 2, "x - y 2"),
        (lambda x, y: x - (-y), "x + y"),
        (lambda x, y: x * (-y), "x (-y)"),
        (lambda x, y: -(x - y) - y / x, "-(x - y) - y/x"),
    ],
)
def test_formulas_read_back_as_written(build, text: str) -> None:
    graph = Graph()
    assert render(build(graph.symbol("x"), graph.symbol("y"))) == text


def test_derivative_equals_difference_quotient() -> None:
    graph = Graph()
    x, k = graph.symbol("x"), graph.symbol("k")
    f = (3 * x - k) / (x * x + 2) - x
    slope = directional_derivative(f, {"x": graph.constant(1.0)})
    h = 1e-6
    difference = (value(f, x=1.3 + h, k=0.7) - value(f, x=1.3 - h, k=0.7)) / (2 * h)
    assert value(slope, x=1.3, k=0.7) == pytest.approx(difference, rel=1e-8)  # O(h^2)


def test_an_equation_cannot_branch() -> None:
    x = Graph().symbol("x")
    with pytest.raises(ModelError, match="cannot branch"):
        _ = 1 if x else 2


def test_division_by_zero_is_refused() -> None:
    with pytest.raises(ModelError, match="divides by zero"):
        _ = Graph().symbol("x") / 0
