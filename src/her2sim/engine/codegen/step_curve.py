"""One step of the solver as values of the generated code, and the curve between its ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from her2sim.engine.codegen import tableau
from her2sim.engine.codegen.emitter import Value
from her2sim.engine.codegen.equations import EquationCode
from her2sim.engine.codegen.linear import LinearCode
from her2sim.engine.codegen.rosenbrock import curve_coefficients


@dataclass
class Step:
    """One attempted step of all lanes, as values of the generated code.

    ``stages`` holds the rates at the stages of the solver, the first at the start of the step and
    the last at its end; those two only if nothing is integrated step by step, or by the stiff pair,
    whose ``increments`` are there then. ``linear`` gives the states of linear blocks.
    """

    time: Value
    size: Value
    reached: Value
    states: list[Value]
    new_states: list[Value]
    stages: list[list[Value]]
    is_accepted: Value
    linear: LinearCode
    infusion: list[Value]
    increments: Mapping[int, list[Value]] | None = None


class Curve:
    """The states between start and end of a step.

    Integrated states follow a quartic in the fraction of the step (its coefficients are emitted
    once, where the curve is made); linear blocks are exact.
    """

    def __init__(self, step: Step, code: EquationCode) -> None:
        self.step, self.e = step, code.emitter
        if step.increments is not None:
            self.coefficients = {
                i: curve_coefficients(
                    self.e, increments, self.e.b.fsub(step.new_states[i], step.states[i])
                )
                for i, increments in step.increments.items()
            }
            return
        powers = list(zip(*tableau.INTERPOLANT, strict=True))
        self.coefficients = {
            i: [
                self.e.combination(weights, [stage[i] for stage in step.stages])
                for weights in powers
            ]
            for i in code.layout.solved
        }

    def states_at(self, fraction: Value) -> list[Value]:
        """States at a fraction of the step."""
        e, step = self.e, self.step
        day = e.b.fmul(step.size, fraction)
        found = step.linear.states_at(day)
        along = day if step.increments is None else fraction
        for i, (c1, c2, c3, c4) in self.coefficients.items():
            rise = e.fma(e.fma(e.fma(c4, fraction, c3), fraction, c2), fraction, c1)
            found[i] = e.fma(along, rise, step.states[i])
        return [found[i] for i in range(len(step.states))]
