"""A small expression graph: what a traced equation becomes before it is machine code.

Nodes are interned, so equal sub-expressions are one node (common sub-expression elimination comes
for free). The operations are those that equations need so far: ``+ - * /``
and negation; lowering adds the fused multiply-add.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from her2sim.errors import ModelError

T = TypeVar("T")
Number = int | float


class Node:
    """One value of the graph; made by arithmetic on other nodes, never by hand."""

    __slots__ = ("args", "graph", "index", "name", "op", "value")

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


def symbols_of(node: Node) -> frozenset[str]:
    """Names of all symbols below a node."""
    if node.op == "symbol":
        return frozenset({node.name})
    return frozenset().union(*(symbols_of(a) for a in node.args))


def copy_into(node: Node, graph: Graph) -> Node:
    """The same expression as a node of another graph."""
    if node.op == "const":
        return graph.constant(node.value)
    if node.op == "symbol":
        return graph.symbol(node.name)
    return graph.operation(node.op, *(copy_into(a, graph) for a in node.args))


def rewrite(node: Node, replace: Callable[[Node], Node | None]) -> Node:
    """Rebuild a node bottom-up; ``replace`` may return another node for a rebuilt one."""
    graph, done = node.graph, dict[int, Node]()

    def visit(n: Node) -> Node:
        if n.index not in done:
            rebuilt = graph.operation(n.op, *(visit(a) for a in n.args)) if n.args else n
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
        if n.op == "const":
            out = graph.constant(0.0)
        elif n.op == "symbol":
            out = directions.get(n.name, graph.constant(0.0))
        elif n.op == "neg":
            out = -visit(n.args[0])
        else:
            a, b = n.args
            da, db = visit(a), visit(b)
            if n.op == "add":
                out = da + db
            elif n.op == "sub":
                out = da - db
            elif n.op == "mul":
                out = da * b + a * db
            else:
                out = (da - n * db) / b
        done[n.index] = out
        return out

    return visit(node)


_PRECEDENCE = {"add": 1, "sub": 1, "mul": 2, "div": 2, "neg": 2}
_SIGNS = {"add": " + ", "sub": " - ", "mul": " ", "div": "/"}


def render(node: Node, parent: str = "", is_right: bool = False) -> str:
    """Write a node as a readable formula."""
    if node.op == "const":
        return f"{node.value:g}"
    if node.op == "symbol":
        return node.name
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
