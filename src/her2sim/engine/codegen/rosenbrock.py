"""Generated code of one step of the stiff pair Rodas5P, with the Jacobian of the equations.

A step solves eight linear systems with one matrix, I/(h gamma) - J. The matrix is as sparse as the
equations; its decomposition is unrolled, in an order that keeps it sparse, and needs no pivots.
States of linear blocks are exact at every stage; the change of the rates by them enters as a change
with time.

Source: Steinebach 2023, doi 10.1007/s10543-023-00967-x (coefficients in the transformed form of
Hairer and Wanner, Solving Ordinary Differential Equations II, section IV.7).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from her2sim.engine.codegen.emitter import Emitter, Value
from her2sim.engine.codegen.equations import EquationCode
from her2sim.engine.codegen.linear import LinearCode

Place = tuple[int, int]

GAMMA = 0.21193756319429014
LAST = (
    -7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256,
    0.030198172008377946,
)  # fmt: skip
STAGES: tuple[tuple[float, ...], ...] = (
    (),
    (3.0,),
    (2.849394379747939, 0.45842242204463923),
    (-6.954028509809101, 2.489845061869568, -10.358996098473584),
    (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
    LAST,
    (*LAST, 1.0),
    (*LAST, 1.0, 1.0),
)
"""Weights of earlier increments in the point of each stage."""

COUPLING: tuple[tuple[float, ...], ...] = (
    (),
    (-14.155112264123755,),
    (-17.97296035885952, -2.859693295451294),
    (147.12150275711716, -1.41221402718213, 71.68940251302358),
    (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
    (
        24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125,
        -0.6610691825249471,
    ),
    (
        30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783,
        -19.097331116725623, -28.087943162872662,
    ),
    (
        37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047,
        -40.06618937091002, -54.66780262877968, -9.48861652309627,
    ),
)  # fmt: skip
"""Weights of earlier increments, over the step, on the right-hand side of each stage."""

NODES = (
    0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664,
    1.0, 1.0, 1.0,
)  # fmt: skip
"""Fraction of the step at which the stages are evaluated."""

TIME = (
    0.21193756319429014, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734,
    2.325825639765069, 0.0, 0.0, 0.0,
)  # fmt: skip
"""Weights of the change of the rates with time."""

DENSE = (
    (
        25.948786856663858, -2.5579724845846235, 10.433815404888879, -2.3679251022685204,
        0.524948541321073, 1.1241088310450404, 0.4272876194431874, -0.17202221070155493,
    ),
    (
        -9.91568850695171, -0.9689944594115154, 3.0438037242978453, -24.495224566215796,
        20.176138334709044, 15.98066361424651, -6.789040303419874, -6.710236069923372,
    ),
    (
        11.419903575922262, 2.8879645146136994, 72.92137995996029, 80.12511834622643,
        -52.072871366152654, -59.78993625266729, -0.15582684282751913, 4.883087185713722,
    ),
)  # fmt: skip
"""Weights of the increments in the curve between the ends of a step."""


@dataclass(frozen=True, eq=False)
class StiffStages:
    """What came of the stages of a step.

    ``increments`` holds, for each state that is integrated, those of all stages; ``point`` all
    states at its end, ``start_slopes`` all rates at its start.
    """

    increments: Mapping[int, list[Value]]
    point: list[Value]
    start_slopes: list[Value]

    def error(self, state: int) -> Value:
        """The difference to the embedded method."""
        return self.increments[state][-1]


def emit_stiff_stages(
    code: EquationCode,
    size: Value,
    states: Sequence[Value],
    infusion: Sequence[Value],
    linear: LinearCode,
) -> StiffStages:
    """Emit the stages of a step from some states on."""
    e, b, solved = code.emitter, code.emitter.b, code.layout.solved
    slopes, jacobian, drift = code.rates_and_slopes(states, infusion)
    per_day = b.fdiv(e.constant(1.0), size)
    system = _System(e, solved, jacobian, b.fmul(per_day, e.constant(1.0 / GAMMA)))
    end = linear.states_at(size)
    increments: dict[int, list[Value]] = {i: [] for i in solved}
    rates, point = slopes, list(states)
    for stage, (weights, coupling) in enumerate(zip(STAGES, COUPLING, strict=True)):
        if stage:
            point = _point(e, end, linear, size, NODES[stage], states)
            for i in solved:
                point[i] = b.fadd(states[i], e.combination(weights, increments[i]))
            rates = code.rates(point, infusion)
        wanted = {}
        for i in solved:
            value = rates[i]
            if coupling:
                value = e.fma(e.combination(coupling, increments[i]), per_day, value)
            if i in drift and TIME[stage]:
                value = e.fma(b.fmul(size, e.constant(TIME[stage])), drift[i], value)
            wanted[i] = value
        for i, found in system.solve(wanted).items():
            increments[i].append(found)
    for i in solved:  # the last point and its increment: the method is stiffly accurate
        point[i] = b.fadd(point[i], increments[i][-1])
    return StiffStages(increments, point, slopes)


def _point(
    e: Emitter,
    end: Mapping[int, Value],
    linear: LinearCode,
    size: Value,
    node: float,
    states: Sequence[Value],
) -> list[Value]:
    """States of linear blocks at a fraction of the step, the others as at its start."""
    found = list(states)
    exact = end if node == 1.0 else linear.states_at(e.b.fmul(size, e.constant(node)))
    for i, value in exact.items():
        found[i] = value
    return found


def curve_coefficients(e: Emitter, increments: list[Value], change: Value) -> list[Value]:
    """Coefficients of x to x^4 of a state along a step, over which it changes by ``change``."""
    first, second, third = (e.combination(weights, increments) for weights in DENSE)
    b = e.b
    return [b.fadd(change, first), b.fsub(second, first), b.fsub(third, second), b.fneg(third)]


class _System:
    """The decomposed matrix of a step."""

    def __init__(
        self, e: Emitter, rows: Sequence[int], jacobian: Mapping[Place, Value], diagonal: Value
    ) -> None:
        self.e = e
        b = e.b
        value: dict[Place, Value] = {p: b.fneg(v) for p, v in jacobian.items() if p[0] != p[1]}
        for i in rows:
            own = jacobian.get((i, i))
            value[i, i] = diagonal if own is None else b.fsub(diagonal, own)
        self.order, lower, upper = elimination(rows, set(value))
        self.lower: dict[Place, Value] = {}
        self.reciprocal: dict[int, Value] = {}
        for pivot in self.order:
            self.reciprocal[pivot] = b.fdiv(e.constant(1.0), value[pivot, pivot])
            for row in lower[pivot]:
                factor = b.fmul(value[row, pivot], self.reciprocal[pivot])
                self.lower[row, pivot] = factor
                for column in upper[pivot]:
                    product = value[pivot, column]
                    before = value.get((row, column))
                    minus = b.fneg(factor)
                    value[row, column] = (
                        b.fmul(minus, product) if before is None else e.fma(minus, product, before)
                    )
        self.lower_rows, self.upper_columns = lower, upper
        self.value = value

    def solve(self, wanted: Mapping[int, Value]) -> dict[int, Value]:
        """The solution for a right-hand side."""
        e, b, found = self.e, self.e.b, dict(wanted)
        for pivot in self.order:
            for row in self.lower_rows[pivot]:
                found[row] = e.fma(b.fneg(self.lower[row, pivot]), found[pivot], found[row])
        for pivot in reversed(self.order):
            total = found[pivot]
            for column in self.upper_columns[pivot]:
                total = e.fma(b.fneg(self.value[pivot, column]), found[column], total)
            found[pivot] = b.fmul(total, self.reciprocal[pivot])
        return found


def elimination(
    rows: Sequence[int], filled: set[Place]
) -> tuple[list[int], dict[int, list[int]], dict[int, list[int]]]:
    """Order of pivots with little fill, and for each the rows below and the columns beyond it."""
    filled, left = set(filled), list(rows)
    order: list[int] = []
    lower: dict[int, list[int]] = {}
    upper: dict[int, list[int]] = {}

    def parts(pivot: int) -> tuple[list[int], list[int]]:
        others = [i for i in left if i != pivot]
        below = [i for i in others if (i, pivot) in filled]
        return below, [j for j in others if (pivot, j) in filled]

    while left:
        sizes = {i: len(below) * len(beyond) for i in left for below, beyond in (parts(i),)}
        pivot = min(left, key=lambda i: (sizes[i], rows.index(i)))
        lower[pivot], upper[pivot] = parts(pivot)
        filled |= {(i, j) for i in lower[pivot] for j in upper[pivot]}
        left.remove(pivot)
        order.append(pivot)
    return order, lower, upper
