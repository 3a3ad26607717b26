"""Generated code that notes when a watched state first reaches its level."""

from __future__ import annotations

import math

from her2sim.engine.codegen.emitter import Value
from her2sim.engine.codegen.equations import EquationCode
from her2sim.engine.codegen.root import RootFinder
from her2sim.engine.codegen.step_curve import Curve, Step


class CrossingCode:
    """Emits the search for first crossings after a step."""

    def __init__(self, code: EquationCode) -> None:
        self.code, self.e = code, code.emitter
        self.root = RootFinder(self.e)

    def emit(self, step: Step) -> None:
        """Note the crossings of all watched states within a step."""
        for number, state in enumerate(self.code.layout.watched):
            self._emit_one(step, number, state)

    def _emit_one(self, step: Step, number: int, state: int) -> None:
        b, e, code = self.e.b, self.e, self.code
        level, known = code.load("watch_level", number), code.load("crossing", number)
        is_open = b.fcmp_ordered("==", known, e.constant(math.inf))
        is_there = b.fcmp_ordered(">=", step.new_states[state], level)
        crosses = b.and_(b.and_(is_open, is_there), step.is_accepted)
        with b.if_then(e.any(crosses), likely=False):
            curve = Curve(step, code)

            def distance(fraction: Value) -> Value:
                return b.fsub(curve.states_at(fraction)[state], level)

            before = b.fsub(step.states[state], level)
            after = b.fsub(step.new_states[state], level)
            self.root.bracket.set(e, e.constant(0.0), before, e.constant(1.0), after)
            inside = self.root.illinois(distance)
            was_there = b.fcmp_ordered(">=", before, e.constant(0.0))
            fraction = b.select(was_there, e.constant(0.0), inside)
            day = e.fma(step.size, fraction, step.time)
            code.store(b.select(crosses, day, known), "crossing", number)
