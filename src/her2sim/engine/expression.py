"""A small expression graph: what a traced equation becomes before it is machine code.

Nodes are interned, so equal sub-expressions are one node (common sub-expression elimination comes
for free). The operations are those that equations need: ``+ - * /`` and negation, and the functions
of :mod:`her2sim.engine.functions`; lowering adds the fused multiply-add.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from her2sim.errors import ModelError

T = TypeVar("T")
Number = int | float


class Node:
    """One value of the graph; made by arithmetic on other nodes, never by hand."""

    __slots__ = ("args", "graph", "index", "name", "op", "symbols", "value")

    def __init__(
        self,
        graph: Graph,
        op: str,
        args: tuple[Node, ...] = (),
        value: float = 0.0,
        name: str = "",
    ) -> None:
        self.graph, self.op, self.args, self.value, self.name = graph, op, args, value, name
        self.index = len(graph.nodes)
        own = frozenset({name}) if op == "symbol" else frozenset()
        self.symbols: frozenset[str] = own.union(*(a.symbols for a in args))

    def __add__(self, other: Node | Number) -> Node:
        return self.graph.add(self, self.graph.lift(other))

    def __radd__(self, other: Number) -> Node:
        return self.graph.add(self.graph.lift(other), self)

    def __sub__(self, other: Node | Number) -> Node:
        return self.graph.sub(self, self.graph.lift(other))

    def __rsub__(self, other: Number) -> Node:
        return self.graph.sub(self.graph.lift(other), self)

    def __mul__(self, other: Node | Number) -> Node:
        return self.graph.mul(self, self.graph.lift(other))

    def __rmul__(self, other: Number) -> Node:
        return self.graph.mul(self.graph.lift(other), self)

    def __truediv__(self, other: Node | Number) -> Node:
        return self.graph.div(self, self.graph.lift(other))

    def __rtruediv__(self, other: Number) -> Node:
        return self.graph.div(self.graph.lift(other), self)

    def __neg__(self) -> Node:
        return self.graph.neg(self)

    def __bool__(self) -> bool:
        raise ModelError("an equation cannot branch on a value; write it without if, and, or")

    def __str__(self) -> str:
        return render(self)


class Graph:
    """The nodes of one model, interned by operation and arguments."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._interned: dict[tuple[object, ...], Node] = {}

    def _node(
        self, op: str, args: tuple[Node, ...] = (), value: float = 0.0, name: str = ""
    ) -> Node:
        key = (op, tuple(a.index for a in args), value, name)
        if key not in self._interned:
            node = Node(self, op, args, value, name)
            self._interned[key] = node
            self.nodes.append(node)
        return self._interned[key]

    def constant(self, value: Number) -> Node:
        """A number written in an equation."""
        return self._node("const", value=float(value))

    def symbol(self, name: str) -> Node:
        """A state or parameter."""
        return self._node("symbol", name=name)

    def operation(self, op: str, *args: Node) -> Node:
        """Apply an operation by name."""
        build: dict[str, Callable[..., Node]] = {
            "add": self.add,
            "sub": self.sub,
            "mul": self.mul,
            "div": self.div,
            "neg": self.neg,
        }
        return build[op](*args) if op in build else self._node(op, args)

    def lift(self, value: Node | Number) -> Node:
        """Turn a number into a node."""
        return value if isinstance(value, Node) else self.constant(value)

    def add(self, a: Node, b: Node) -> Node:
        if a.op == b.op == "const":
            return self.constant(a.value + b.value)
        if _is(a, 0.0):
            return b
        if _is(b, 0.0):
            return a
        return self._node("add", (a, b))

    def sub(self, a: Node, b: Node) -> Node:
        if a.op == b.op == "const":
            return self.constant(a.value - b.value)
        if _is(b, 0.0):
            return a
        if _is(a, 0.0):
            return self.neg(b)
        return self._node("sub", (a, b))

    def mul(self, a: Node, b: Node) -> Node:
        if a.op == b.op == "const":
            return self.constant(a.value * b.value)
        if _is(a, 0.0) or _is(b, 0.0):
            return self.constant(0.0)
        if _is(a, 1.0):
            return b
        if _is(b, 1.0):
            return a
        return self._node("mul", (a, b))

    def div(self, a: Node, b: Node) -> Node:
        if _is(b, 0.0):
            raise ModelError("an equation divides by zero")
        if a.op == b.op == "const":
            return self.constant(a.value / b.value)
        if _is(a, 0.0):
            return a
        return a if _is(b, 1.0) else self._node("div", (a, b))

    def neg(self, a: Node) -> Node:
        if a.op == "const":
            return self.constant(-a.value)
        return a.args[0] if a.op == "neg" else self._node("neg", (a,))


def _is(node: Node, value: float) -> bool:
    return node.op == "const" and node.value == value


def evaluate(
    roots: Iterable[Node],
    symbols: Mapping[str, T],
    operations: Mapping[str, Callable[..., T]],
    constant: Callable[[float], T],
) -> list[T]:
    """Interpret nodes with the given operations (numbers, machine instructions, text, ...).

    Shared sub-expressions are computed once. This is the one walk over the graph: code
    generation and reading back differ only in ``operations``.
    """
    done: dict[int, T] = {}

    def visit(node: Node) -> T:
        if node.index not in done:
            if node.op == "const":
                done[node.index] = constant(node.value)
            elif node.op == "symbol":
                done[node.index] = symbols[node.name]
            else:
                done[node.index] = operations[node.op](*(visit(a) for a in node.args))
        return done[node.index]

    return [visit(root) for root in roots]


def copy_into(node: Node, graph: Graph) -> Node:
    """The same expression as a node of another graph."""
    return rewrite(node, lambda _: None, graph)


def rewrite(node: Node, replace: Callable[[Node], Node | None], graph: Graph | None = None) -> Node:
    """Rebuild a node bottom-up; ``replace`` may return another node for a rebuilt one.

    The result is a node of ``graph``; of the node's own if it is not given.
    """
    target, done = graph or node.graph, dict[int, Node]()

    def visit(n: Node) -> Node:
        if n.index not in done:
            if n.op == "const":
                rebuilt = target.constant(n.value)
            elif n.op == "symbol":
                rebuilt = target.symbol(n.name)
            else:
                rebuilt = target.operation(n.op, *(visit(a) for a in n.args))
            replaced = replace(rebuilt)
            done[n.index] = rebuilt if replaced is None else replaced
        return done[n.index]

    return visit(node)


def directional_derivative(node: Node, directions: Mapping[str, Node]) -> Node:
    """Derivative of a node when each named symbol moves with the given rate (others rest)."""
    graph, done = node.graph, dict[int, Node]()

    def visit(n: Node) -> Node:
        if n.index in done:
            return done[n.index]
        if not (n.symbols & directions.keys()):
            out = graph.constant(0.0)
        elif n.op == "symbol":
            out = directions[n.name]
        else:
            out = _DERIVATIVES[n.op](n, [visit(a) for a in n.args])
        done[n.index] = out
        return out

    return visit(node)


LEAST_BASE = 1e-300


def _power_slope(n: Node, d: list[Node]) -> Node:
    base, exponent = n.args
    least = n.graph.constant(LEAST_BASE)  # at zero the slope is zero for exponents above one
    from_base = n * exponent / n.graph.operation("max", base, least) * d[0]
    if exponent.op == "const":
        return from_base
    return from_base + n * n.graph.operation("log", base) * d[1]


def _larger_slope(n: Node, d: list[Node]) -> Node:
    a, b = n.args
    return n.graph.operation("pick", a, b, *d)


_DERIVATIVES: dict[str, Callable[[Node, list[Node]], Node]] = {
    "neg": lambda n, d: -d[0],
    "add": lambda n, d: d[0] + d[1],
    "sub": lambda n, d: d[0] - d[1],
    "mul": lambda n, d: d[0] * n.args[1] + n.args[0] * d[1],
    "div": lambda n, d: (d[0] - n * d[1]) / n.args[1],
    "exp": lambda n, d: n * d[0],
    "log": lambda n, d: d[0] / n.args[0],
    "sqrt": lambda n, d: d[0] / (2.0 * n),
    "pow": _power_slope,
    "max": _larger_slope,
    "pick": lambda n, d: n.graph.operation("pick", n.args[0], n.args[1], d[2], d[3]),
}
"""Derivative of each operation from those of its arguments."""


_PRECEDENCE = {"add": 1, "sub": 1, "mul": 2, "div": 2, "neg": 2}
_SIGNS = {"add": " + ", "sub": " - ", "mul": " ", "div": "/"}


def render(node: Node, parent: str = "", is_right: bool = False) -> str:
    """Write a node as a readable formula."""
    if node.op == "const":
        return f"{node.value:g}"
    if node.op == "symbol":
        return node.name
    if node.op not in _PRECEDENCE:
        return f"{node.op}({', '.join(render(a) for a in node.args)})"
    if node.op == "neg":
        text = "-" + render(node.args[0], "mul")
    else:
        left, right = render(node.args[0], node.op), render(node.args[1], node.op, True)
        sign = _SIGNS[node.op]
        if right.startswith("-") and node.op in ("add", "sub"):
            sign, right = (" - " if node.op == "add" else " + "), right[1:]
        text = left + sign + right
    level, outer = _PRECEDENCE[node.op], _PRECEDENCE.get(parent, 0)
    is_inner = level < outer or (is_right and level == outer and parent in ("sub", "div"))
    is_negative_factor = is_right and outer == 2 and text.startswith("-")
    return f"({text})" if is_inner or is_negative_factor else text
