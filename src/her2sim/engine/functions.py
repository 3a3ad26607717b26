"""Functions that equations may use beside arithmetic: on numbers, arrays, units and nodes.

The same equation runs on numbers (the reference solver), on units (the check) and on expression
nodes (the generated code), so each function knows all three.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from her2sim.engine.expression import Node
from her2sim.units import DIMENSIONLESS, Unit

SCALAR_OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "pow": np.power,
    "max": np.maximum,
    "pick": lambda a, b, x, y: np.where(a >= b, x, y),
}
"""Every operation of a graph on numbers and arrays."""


def exp(x: Any) -> Any:
    """Exponential of a number without a unit."""
    return _apply("exp", _unit_free, x)


def log(x: Any) -> Any:
    """Natural logarithm of a number without a unit; minus infinity at zero, NaN below."""
    return _apply("log", _unit_free, x)


def sqrt(x: Any) -> Any:
    """Square root."""
    return _apply("sqrt", lambda unit: unit.root(), x)


def power(x: Any, y: Any) -> Any:
    """``x`` to the power ``y``; both without a unit, ``x`` not below zero."""
    return _apply("pow", _unit_free, x, y)


def maximum(x: Any, y: Any) -> Any:
    """The larger of two; NaN if one is."""
    return _apply("max", lambda a, b: a + b, x, y)


def positive(x: Any) -> Any:
    """A quantity, or zero where it is below.

    For what saturates, x / (half + x): between the points that a solver accepts an amount may come
    out below zero, and has a pole at minus half.
    """
    return _apply("max", lambda a, b: a, x, 0.0)


def _apply(op: str, on_units: Callable[..., Unit], *args: Any) -> Any:
    nodes = [a for a in args if isinstance(a, Node)]
    if nodes:
        graph = nodes[0].graph
        return graph.operation(op, *(graph.lift(a) for a in args))
    if any(isinstance(a, Unit) for a in args):
        return on_units(*(a if isinstance(a, Unit) else DIMENSIONLESS for a in args))
    return SCALAR_OPERATIONS[op](*args)


def _unit_free(*units: Unit) -> Unit:
    for unit in units:
        DIMENSIONLESS + unit
    return DIMENSIONLESS
