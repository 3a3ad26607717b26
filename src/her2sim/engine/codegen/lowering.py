"""From traced equations to equations that are cheap to repeat.

What depends on parameters alone is computed once a patient (``constants``); divisions by such a
value become multiplications by its reciprocal; products that are added become fused
multiply-adds. Fusing is done here, explicitly, so that results do not depend on a compiler's
choice or on the number of lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from her2sim.engine.expression import (
    Graph,
    Node,
    copy_into,
    directional_derivative,
    rewrite,
)
from her2sim.engine.model import Model


@dataclass(frozen=True)
class Lowered:
    """Equations as the generated code evaluates them.

    ``constants`` are nodes in parameters only, to be computed once a patient under the names
    ``constant_names``; all other nodes are in states, parameters and those names.
    ``concentration_slopes`` has one entry an analyte. Of stiff models, ``jacobian`` holds the
    derivatives of the rates of integrated states by such states, ``drifts`` how these rates change
    by all other states, whose own rates are the symbols ``d STATE``; both without zeros.
    """

    constants: tuple[Node, ...]
    constant_names: tuple[str, ...]
    rates: tuple[Node, ...]
    outputs: tuple[Node, ...]
    concentration_slopes: tuple[Node, ...]
    jacobian: Mapping[tuple[int, int], Node]
    drifts: Mapping[int, Node]


def lower(model: Model, exact: frozenset[int] = frozenset()) -> Lowered:
    """Lower the equations of a model; ``concentration_slopes`` use the symbols ``d STATE``.

    ``exact`` are the states, by position, that are not integrated step by step.
    """
    graph = Graph()
    parameters = frozenset(model.parameters)

    def fixed(node: Node) -> bool:
        return node.symbols <= parameters

    def reciprocal(node: Node) -> Node | None:
        if node.op == "div" and fixed(node.args[1]) and not fixed(node.args[0]):
            return node.args[0] * (1.0 / node.args[1])
        return None

    slopes = {s: graph.symbol(f"d {s}") for s in model.states}
    roots = [copy_into(n, graph) for n in (*model.rate_nodes, *model.output_nodes)]
    outputs = roots[len(model.states) :]
    shown = [outputs[model.outputs.index(a.concentration)] for a in model.analytes]
    roots += [directional_derivative(n, slopes) for n in shown]
    derivatives = _derivatives(model, roots, slopes, exact) if model.is_stiff else {}
    roots += derivatives.values()
    roots = [rewrite(root, reciprocal) for root in roots]

    hoisted: dict[int, Node] = {}

    def hoist(node: Node) -> Node | None:
        return hoisted.get(node.index)

    found = _maximal_fixed(roots, fixed)
    for position, node in enumerate(found):
        hoisted[node.index] = graph.symbol(f"constant {position}")
    roots = [rewrite(rewrite(root, hoist), _fuse) for root in roots]
    n, m, k = len(model.states), len(model.outputs), len(shown)
    derived = dict(zip(derivatives, roots[n + m + k :], strict=True))
    return Lowered(
        tuple(found),
        tuple(f"constant {position}" for position in range(len(found))),
        tuple(roots[:n]),
        tuple(roots[n : n + m]),
        tuple(roots[n + m : n + m + k]),
        {place: node for place, node in derived.items() if isinstance(place, tuple)},
        {place: node for place, node in derived.items() if isinstance(place, int)},
    )


def _derivatives(
    model: Model, rates: Sequence[Node], slopes: Mapping[str, Node], exact: frozenset[int]
) -> dict[tuple[int, int] | int, Node]:
    """Derivatives of rates by (row, column), and by row their change by exact states."""
    one = rates[0].graph.constant(1.0)
    solved = [i for i in range(len(model.states)) if i not in exact]
    moving = {model.states[i]: slopes[model.states[i]] for i in exact}
    found: dict[tuple[int, int] | int, Node] = {}
    for i in solved:
        for j in solved:
            found[i, j] = directional_derivative(rates[i], {model.states[j]: one})
        found[i] = directional_derivative(rates[i], moving)
    return {p: n for p, n in found.items() if not (n.op == "const" and n.value == 0.0)}


def _maximal_fixed(roots: list[Node], fixed: Callable[[Node], bool]) -> list[Node]:
    """Largest sub-expressions in parameters only, in order of appearance; no plain symbols."""
    found: dict[int, Node] = {}

    def visit(node: Node) -> None:
        if node.op == "const" or node.op == "symbol":
            return
        if fixed(node):
            found.setdefault(node.index, node)
            return
        for argument in node.args:
            visit(argument)

    for root in roots:
        visit(root)
    return list(found.values())


def _fuse(node: Node) -> Node | None:
    """Turn a sum with a product into a fused multiply-add."""
    graph = node.graph
    if node.op in ("add", "sub"):
        a, b = node.args
        if a.op == "mul":
            return graph.operation("fma", *a.args, b if node.op == "add" else -b)
        if b.op == "mul":
            left = b.args[0] if node.op == "add" else -b.args[0]
            return graph.operation("fma", left, b.args[1], a)
    return None
