"""Linear blocks: states whose equations need no solver, found in the traced equations.

Where rates are linear in the states with coefficients that do not change, the solution is a sum of
exponentials. A block holds such states: its core (amounts that move and decay) and its integrals
(areas that only add up what the core does). Between two stops the core is followed in modal
coordinates z = W y, each of which decays by its own rate constant: d z/dt = lambda z + W r.

Eigenvalues come from Jacobi rotations in plain arithmetic, so that a patient's numbers do not
depend on how many are computed at once. Cores are trees of compartments, which have real ones.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array
from her2sim.engine.expression import (
    Graph,
    Node,
    copy_into,
    directional_derivative,
    evaluate,
    rewrite,
)
from her2sim.engine.functions import SCALAR_OPERATIONS
from her2sim.engine.model import Model

Coefficients = Mapping[tuple[int, int], Node]
SWEEPS = 6  # of Jacobi rotations; convergence is quadratic and five are enough for three states
CLOSEST = 1e-8
"""Relative distance below which two rate constants are held apart: equal ones have no modes. The
error this makes is of the same size."""
SLOWEST_PER_DAY = 1e-12
NEGLIGIBLE = 1e-20  # of the diagonal: rotating it away would change nothing


@dataclass(frozen=True, eq=False)
class LinearBlock:
    """States that belong together, by position in ``model.states``.

    ``groups`` are the parts of the core between which exchange goes both ways, upstream first;
    ``coefficients`` maps (row, column) to the derivative of a rate by a state.
    """

    groups: tuple[tuple[int, ...], ...]
    integrals: tuple[int, ...]
    coefficients: Coefficients

    @property
    def core(self) -> tuple[int, ...]:
        """States of all groups, in the order of the modal arrays."""
        return tuple(s for group in self.groups for s in group)

    @property
    def sizes(self) -> dict[str, int]:
        """Numbers kept a patient: rate constants, modes, what these give to the integrals."""
        k = len(self.core)
        return {"rate": k, "per_rate": k, "mode": k * k, "inverse": k * k, "gain": self._n_gain}

    @property
    def _n_gain(self) -> int:
        return len(self.integrals) * len(self.core)


@functools.lru_cache(maxsize=256)
def linear_blocks(model: Model, varying: frozenset[str]) -> tuple[LinearBlock, ...]:
    """Blocks of a model while the parameters named in ``varying`` may change on the way."""
    table = _coefficients(model)
    linear = _closed_linear_states(model, table, varying)
    while True:
        edges = {p for p in table if p[0] in linear and p[1] in linear}
        integrals = {s for s in linear if not any(column == s for _, column in edges)}
        core_edges = {frozenset(p) for p in edges if p[0] != p[1] and p[0] not in integrals}
        parts = _connected(linear - integrals, core_edges)
        looped = [p for p in parts if sum(e <= set(p) for e in core_edges) > len(p) - 1]
        if not looped:
            break
        linear = _closed(linear - {s for part in looped for s in part}, table)
    found = []
    for part in _connected(linear, {frozenset(p) for p in edges if p[0] != p[1]}):
        core = [s for s in part if s not in integrals]
        if core:
            inside = {p: table[p] for p in edges if p[0] in part}
            sums = tuple(s for s in part if s in integrals)
            found.append(LinearBlock(_groups(core, inside), sums, inside))
    return tuple(found)


def _coefficients(model: Model) -> dict[tuple[int, int], Node]:
    """Derivatives of all rates by all states, those that are zero left out."""
    graph = Graph()
    one, table = graph.constant(1.0), {}
    for row, node in enumerate(model.rate_nodes):
        rate = copy_into(node, graph)
        for column, state in enumerate(model.states):
            if state not in rate.symbols:
                continue
            slope = directional_derivative(rate, {state: one})
            if not (slope.op == "const" and slope.value == 0.0):
                table[row, column] = slope
    return table


def _closed_linear_states(
    model: Model, table: Coefficients, varying: frozenset[str]
) -> frozenset[int]:
    """States whose rates are linear, without a constant part, in other such states."""
    unsteady = varying | set(model.states)
    linear = set()
    for row, node in enumerate(model.rate_nodes):
        slopes = [slope for (r, _), slope in table.items() if r == row]
        if all(not (slope.symbols & unsteady) for slope in slopes) and _is_zero(node, model):
            linear.add(row)
    return _closed(frozenset(linear), table)


def _is_zero(rate: Node, model: Model) -> bool:
    """Whether a rate vanishes where all states are zero."""
    graph = Graph()

    def zero(node: Node) -> Node | None:
        is_state = node.op == "symbol" and node.name in model.states
        return graph.constant(0.0) if is_state else None

    rest = rewrite(copy_into(rate, graph), zero)
    return rest.op == "const" and rest.value == 0.0


def _closed(states: frozenset[int], table: Coefficients) -> frozenset[int]:
    """The largest part of some states whose rates depend on nothing outside it."""
    while True:
        kept = {s for s in states if all(c in states for r, c in table if r == s)}
        if len(kept) == len(states):
            return frozenset(kept)
        states = frozenset(kept)


def _connected(states: Iterable[int], edges: Iterable[frozenset[int]]) -> list[tuple[int, ...]]:
    """Connected parts, each sorted, in order of their first state."""
    part = {s: {s} for s in states}
    for edge in edges:
        a, b = edge
        if a in part and b in part and part[a] is not part[b]:
            part[a] |= part[b]
            for s in part[b]:
                part[s] = part[a]
    unique = {id(p): tuple(sorted(p)) for p in part.values()}
    return sorted(unique.values())


def _groups(core: Sequence[int], inside: Coefficients) -> tuple[tuple[int, ...], ...]:
    """Parts of a tree with exchange both ways, upstream first."""
    both = {frozenset(p) for p in inside if p[0] != p[1] and (p[1], p[0]) in inside}
    waiting, ordered = _connected(core, both), []
    while waiting:
        here = next(
            g
            for g in waiting
            if not any(r in g and c not in g and c in w for r, c in inside for w in waiting)
        )
        waiting.remove(here)
        ordered.append(here)
    return tuple(ordered)


def states_of(blocks: Iterable[LinearBlock]) -> frozenset[int]:
    """Positions of the states of some blocks."""
    return frozenset(s for block in blocks for s in (*block.core, *block.integrals))


def modal_arrays(block: LinearBlock, model: Model, parameters: Array) -> Array:
    """Numbers of a block for patients with parameters of shape (n_parameters, n).

    Returns
    -------
    array of shape (sum of ``block.sizes``, n): per mode, row by row
    """
    n = parameters.shape[1]
    values = _numbers(block.coefficients, model, parameters)
    core, zero = block.core, np.zeros(n)
    rate = dict[int, Array]()
    mode = dict.fromkeys(((s, i) for s in core for i in core), zero)
    inverse = dict(mode)
    for position, group in enumerate(block.groups):
        rates, modes, inverses = _own_modes(group, values)
        rate |= rates
        mode |= modes
        inverse |= inverses
        upstream = [s for g in block.groups[:position] for s in g]
        _join(group, upstream, values, rate, mode, inverse)
    rows = [rate[i] for i in core] + [1.0 / rate[i] for i in core]
    rows += [mode[s, i] for s in core for i in core] + [inverse[i, s] for i in core for s in core]
    for total in block.integrals:
        fed = [(s, values[total, s]) for s in core if (total, s) in values]
        rows += [sum((k * mode[s, i] for s, k in fed), zero) for i in core]
    return np.array(rows)


def _numbers(
    coefficients: Coefficients, model: Model, parameters: Array
) -> dict[tuple[int, int], Array]:
    symbols = dict(zip(model.parameters, parameters, strict=True))
    found = evaluate(coefficients.values(), symbols, SCALAR_OPERATIONS, np.float64)
    n = parameters.shape[1]
    return {
        p: v if np.shape(v) == (n,) else np.broadcast_to(v, n)
        for p, v in zip(coefficients, found, strict=True)
    }


def _own_modes(
    group: Sequence[int], values: Mapping[tuple[int, int], Array]
) -> tuple[dict[int, Array], dict[tuple[int, int], Array], dict[tuple[int, int], Array]]:
    """Rate constants, modes and inverse modes of a group alone (modes are named by its states)."""
    root = group[0]
    one = np.ones_like(values[root, root])
    weight, reached = {root: one}, [root]
    for parent in reached:
        for child in group:
            if child not in weight and (child, parent) in values:
                weight[child] = weight[parent] * np.sqrt(
                    values[child, parent] / values[parent, child]
                )
                reached.append(child)
    symmetric = {(i, j): 0.0 * one for i in group for j in group}
    vectors = {(i, j): one if i == j else 0.0 * one for i in group for j in group}
    for i in group:
        symmetric[i, i] = values[i, i].copy()
        for j in group:
            if i != j and (i, j) in values:
                symmetric[i, j] = np.sqrt(values[i, j] * values[j, i])
    pairs = [(p, q) for a, p in enumerate(group) for q in group[a + 1 :]]
    for _ in range(1 if len(pairs) == 1 else SWEEPS):
        for p, q in pairs:
            _rotate(symmetric, vectors, group, p, q)
    rate = {i: np.minimum(symmetric[i, i], -SLOWEST_PER_DAY) for i in group}
    mode = {(s, i): weight[s] * vectors[s, i] for s in group for i in group}
    inverse = {(i, s): vectors[s, i] / weight[s] for s in group for i in group}
    return rate, mode, inverse


def _rotate(
    symmetric: dict[tuple[int, int], Array],
    vectors: dict[tuple[int, int], Array],
    group: Sequence[int],
    p: int,
    q: int,
) -> None:
    """One Jacobi rotation: makes the element (p, q) zero."""
    off = symmetric[p, q]
    is_done = np.abs(off) <= NEGLIGIBLE * np.abs(symmetric[p, p] + symmetric[q, q])
    theta = (symmetric[q, q] - symmetric[p, p]) / (2.0 * np.where(is_done, 1.0, off))
    tangent = np.where(theta < 0, -1.0, 1.0) / (np.abs(theta) + np.sqrt(theta * theta + 1.0))
    tangent = np.where(is_done, 0.0, tangent)
    cosine = 1.0 / np.sqrt(tangent * tangent + 1.0)
    sine = tangent * cosine
    symmetric[p, p] = symmetric[p, p] - tangent * off
    symmetric[q, q] = symmetric[q, q] + tangent * off
    symmetric[p, q] = symmetric[q, p] = 0.0 * off
    for r in group:
        if r not in (p, q):
            a, b = symmetric[r, p], symmetric[r, q]
            symmetric[r, p] = symmetric[p, r] = cosine * a - sine * b
            symmetric[r, q] = symmetric[q, r] = sine * a + cosine * b
        a, b = vectors[r, p], vectors[r, q]
        vectors[r, p], vectors[r, q] = cosine * a - sine * b, sine * a + cosine * b


def _join(
    group: Sequence[int],
    upstream: Sequence[int],
    values: Mapping[tuple[int, int], Array],
    rate: dict[int, Array],
    mode: dict[tuple[int, int], Array],
    inverse: dict[tuple[int, int], Array],
) -> None:
    """Extend the modes of what lies upstream into a group."""
    inflows = [(r, s) for r in group for s in upstream if (r, s) in values]
    if not inflows:
        return
    _hold_apart(group, upstream, rate)
    for i in upstream:
        strength = {}
        for j in group:
            fed = sum(inverse[j, r] * values[r, s] * mode[s, i] for r, s in inflows)
            strength[j] = fed / (rate[i] - rate[j])
        for r in group:
            mode[r, i] = sum((mode[r, j] * strength[j] for j in group), 0.0 * rate[i])
        for j in group:
            for s in upstream:
                inverse[j, s] = inverse[j, s] - strength[j] * inverse[i, s]


def _hold_apart(group: Sequence[int], upstream: Sequence[int], rate: dict[int, Array]) -> None:
    """Move rate constants of a group that coincide with one upstream a little away from it."""
    for j in group:
        for i in upstream:
            least = CLOSEST * np.abs(rate[i])
            difference = rate[j] - rate[i]
            moved = rate[i] + np.where(difference < 0, -least, least)
            rate[j] = np.where(np.abs(difference) < least, moved, rate[j])
