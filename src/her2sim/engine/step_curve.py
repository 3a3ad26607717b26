"""One step of the solver as values of the generated code, and the curve between its ends."""

from __future__ import annotations

from dataclasses import dataclass

from her2sim.engine import tableau
from her2sim.engine.emitter import Value
from her2sim.engine.equations import EquationCode


@dataclass
class Step:
    """One attempted step of all lanes, as values of the generated code."""

    time: Value
    size: Value
    reached: Value
    states: list[Value]
    new_states: list[Value]
    stages: list[list[Value]]
    is_accepted: Value


class Curve:
    """The states between start and end of a step: a quartic in the fraction of the step.

    Its coefficients are emitted once, where the curve is made; each point then costs little.
    """

    def __init__(self, step: Step, code: EquationCode) -> None:
        self.step, self.e = step, code.emitter
        powers = list(zip(*tableau.INTERPOLANT, strict=True))
        self.coefficients = [
            [self.e.combination(weights, [stage[i] for stage in step.stages]) for weights in powers]
            for i in range(code.n_states)
        ]

    def states_at(self, fraction: Value) -> list[Value]:
        """States at a fraction of the step."""
        e, values = self.e, []
        for start, (c1, c2, c3, c4) in zip(self.step.states, self.coefficients, strict=True):
            rise = e.fma(e.fma(e.fma(c4, fraction, c3), fraction, c2), fraction, c1)
            values.append(e.fma(e.b.fmul(self.step.size, fraction), rise, start))
        return values
