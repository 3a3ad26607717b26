"""Generated code of what is reduced inside the loop: peak and time above a level.

Trough and AUC need nothing here: they are read from the states when a cycle closes.
"""

from __future__ import annotations

from her2sim.engine.emitter import I32, Value, stack_room, while_loop
from her2sim.engine.equations import EquationCode
from her2sim.engine.step_curve import Curve, Step

ROOT_ITERATIONS = 12  # of the Illinois method; smooth curves need about eight


class ReductionCode:
    """Emits the update of peak and time above a level after a step."""

    def __init__(self, code: EquationCode, time_above: bool) -> None:
        self.code, self.e, self.time_above = code, code.emitter, time_above
        self.root_scratch = [self.e.scratch() for _ in range(4)]
        self.counter = stack_room(self.e.b, I32)

    def emit(self, step: Step, level: Value) -> None:
        """Update all analytes after a step (rejected lanes keep what they have)."""
        b, e, code = self.e.b, self.e, self.code
        before = code.concentrations(step.states)
        after = code.concentrations(step.new_states)
        rising = code.concentration_slopes(step.states, step.stages[0])
        falling = code.concentration_slopes(step.new_states, step.stages[6])
        for k, (c0, c1, d0, d1) in enumerate(zip(before, after, rising, falling, strict=True)):
            middle, summit = self._summit(step, k, (c0, c1, d0, d1))
            peak = code.load("peak", k)
            higher = e.maximum(e.maximum(peak, c1), summit)
            code.store(b.select(step.is_accepted, higher, peak), "peak", k)
            if self.time_above:
                self._add_time_above(step, k, level, (c0, summit, c1), middle)

    def _summit(
        self, step: Step, k: int, ends: tuple[Value, Value, Value, Value]
    ) -> tuple[Value, Value]:
        """Fraction and height of the summit inside the step; without one, its end."""
        b, e = self.e.b, self.e
        _, c1, d0, d1 = ends
        is_up = b.fcmp_ordered(">", d0, e.constant(0.0))
        is_down = b.fcmp_ordered("<", d1, e.constant(0.0))
        has_peak = b.and_(b.and_(is_up, is_down), step.is_accepted)
        start = b.block
        with b.if_then(e.any(has_peak), likely=False):
            fraction, height = self._find_peak(step, k, has_peak, ends)
            found = b.block
        values = []
        for inside, otherwise in ((fraction, e.constant(1.0)), (height, c1)):
            value = b.phi(e.real)
            value.add_incoming(inside, found)
            value.add_incoming(otherwise, start)
            values.append(value)
        return values[0], values[1]

    def _find_peak(
        self, step: Step, k: int, has_peak: Value, ends: tuple[Value, Value, Value, Value]
    ) -> tuple[Value, Value]:
        """Summit of the cubic through both ends; its height comes from the interpolant."""
        b, e = self.e.b, self.e
        c0, c1, d0, d1 = ends
        m0, m1 = b.fmul(d0, step.size), b.fmul(d1, step.size)
        rise = b.fsub(c1, c0)
        a = e.fma(e.constant(-2.0), rise, b.fadd(m0, m1))
        half = b.fsub(e.fma(e.constant(3.0), rise, b.fmul(e.constant(-2.0), m0)), m1)
        inside = e.fma(half, half, b.fmul(b.fmul(e.constant(-3.0), a), m0))
        root = e.sqrt(e.maximum(inside, e.constant(0.0)))
        fraction = b.fdiv(m0, b.fsub(root, half))
        fraction = e.minimum(e.maximum(fraction, e.constant(0.0)), e.constant(1.0))
        fraction = b.select(has_peak, fraction, e.constant(1.0))
        height = self._concentration_at(step, k, fraction)
        return fraction, b.select(has_peak, height, c1)

    def _concentration_at(self, step: Step, k: int, fraction: Value) -> Value:
        return self.code.concentrations(Curve(step, self.code).states_at(fraction))[k]

    def _add_time_above(
        self,
        step: Step,
        k: int,
        level: Value,
        heights: tuple[Value, Value, Value],
        middle: Value,
    ) -> None:
        """Add the part of the step above the level: from start to summit, from there to end."""
        b, e, code = self.e.b, self.e, self.code
        c0, summit, c1 = heights
        first = self._part_above(step, k, level, (e.constant(0.0), c0), (middle, summit))
        second = self._part_above(step, k, level, (middle, summit), (e.constant(1.0), c1))
        above = code.load("above", k)
        total = e.fma(b.fadd(first, second), step.size, above)
        code.store(b.select(step.is_accepted, total, above), "above", k)

    def _part_above(
        self,
        step: Step,
        k: int,
        level: Value,
        left: tuple[Value, Value],
        right: tuple[Value, Value],
    ) -> Value:
        """Fraction of the step between two points that is above the level (curve monotone)."""
        b, e = self.e.b, self.e
        (x0, c0), (x1, c1) = left, right
        starts, ends = b.fcmp_ordered(">", c0, level), b.fcmp_ordered(">", c1, level)
        crosses = b.and_(b.xor(starts, ends), step.is_accepted)
        root_at = self.root_scratch[3]
        b.store(x0, root_at)
        with b.if_then(e.any(crosses), likely=False):
            self._find_root(step, k, level, left, right)
        root = b.load(root_at, typ=e.real)
        partly = b.select(starts, b.fsub(root, x0), b.fsub(x1, root))
        whole = b.select(starts, b.fsub(x1, x0), e.constant(0.0))
        return b.select(crosses, partly, whole)

    def _find_root(
        self,
        step: Step,
        k: int,
        level: Value,
        left: tuple[Value, Value],
        right: tuple[Value, Value],
    ) -> None:
        """Illinois method, the same number of iterations in every lane."""
        b, e = self.e.b, self.e
        (x0, c0), (x1, c1) = left, right
        at_a, value_a, value_b, at_b = self.root_scratch
        b.store(x0, at_a)
        b.store(b.fsub(c0, level), value_a)
        b.store(x1, at_b)
        b.store(b.fsub(c1, level), value_b)
        b.store(I32(0), self.counter)

        def go_on() -> Value:
            return b.icmp_signed("<", b.load(self.counter, typ=I32), I32(ROOT_ITERATIONS))

        with while_loop(b, "root", go_on):
            xa, xb = b.load(at_a, typ=e.real), b.load(at_b, typ=e.real)
            fa, fb = b.load(value_a, typ=e.real), b.load(value_b, typ=e.real)
            slope = b.fdiv(b.fsub(xb, xa), b.fsub(fb, fa))
            x = e.fma(b.fneg(fb), slope, xb)
            is_number = b.fcmp_ordered("ord", x, x)
            x = b.select(is_number, x, xb)
            f = b.fsub(self._concentration_at(step, k, x), level)
            is_opposite = b.fcmp_ordered("<", b.fmul(f, fb), e.constant(0.0))
            b.store(b.select(is_opposite, xb, xa), at_a)
            b.store(b.select(is_opposite, fb, b.fmul(fa, e.constant(0.5))), value_a)
            b.store(x, at_b)
            b.store(f, value_b)
            b.store(b.add(b.load(self.counter, typ=I32), I32(1)), self.counter)
