"""Generated code of what is reduced inside the loop: peak and time above a level.

Trough and AUC need nothing here: they are read from the states when a cycle closes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from her2sim.engine.codegen.emitter import I32, Value, stack_room, while_loop
from her2sim.engine.codegen.equations import EquationCode
from her2sim.engine.codegen.pieces import Candidate, Point
from her2sim.engine.codegen.root import RootFinder
from her2sim.engine.codegen.step_curve import Curve, Step

SAME_PEAK = 1e-9  # relative: peaks are told apart by no less where tablets repeat
DEEP = 2  # one-way flows before a concentration from which a step is looked at in pieces
PIECES = 12  # the first is 2^-12 of the step, each further one as long as all before it
HALVINGS = 12  # beforehand, where a step may span days of an exact curve
HALVINGS_IN_PIECE = 6


class ReductionCode:
    """Emits the update of peak and time above a level after a step."""

    def __init__(self, code: EquationCode, time_above: bool) -> None:
        self.code, self.e, self.time_above = code, code.emitter, time_above
        self.root = RootFinder(self.e)
        self.root_at = self.e.scratch()
        deep = [k for k in range(len(code.layout.analyte_outputs)) if self._is_deep(k)]
        self.best = {k: Candidate(self.e) for k in deep}
        self.left_at = {k: [self.e.scratch() for _ in range(3)] for k in deep}
        self.fraction_at, self.piece_at = self.e.scratch(), stack_room(self.e.b, I32)

    def _is_exact(self, k: int) -> bool:
        """Whether the concentration of an analyte depends on linear blocks alone."""
        layout = self.code.layout
        node = layout.model.output_nodes[layout.analyte_outputs[k]]
        solved = {layout.model.states[i] for i in layout.solved}
        return not node.symbols & solved

    def _is_deep(self, k: int) -> bool:
        """Whether a concentration lies two or more one-way flows behind the doses.

        It may then fall, rise and fall again between two doses, which its slopes at both do not
        show.
        """
        layout = self.code.layout
        node = layout.model.output_nodes[layout.analyte_outputs[k]]
        states = {layout.model.states.index(n) for n in node.symbols & {*layout.model.states}}
        groups = [(depth, g) for bl in layout.blocks for depth, g in enumerate(bl.groups)]
        return self._is_exact(k) and any(states & set(g) for depth, g in groups if depth >= DEEP)

    def emit(self, step: Step, level: Value) -> None:
        """Update all analytes after a step (rejected lanes keep what they have)."""
        if self.time_above or not self.code.layout.is_ordered:
            self._emit_all(step, level)
            return
        news = self._emit_is_new(step)
        with self.e.b.if_then(self.e.any(news)):
            self._emit_all(replace(step, is_accepted=news), level)

    def _emit_is_new(self, step: Step) -> Value:
        """Whether a step may have a higher peak than one of its cycle that was searched.

        It has none where that one began with as much in each compartment, as much was infused, and
        it was as long: tablets reach the same peak dose after dose.
        """
        b, e, code = self.e.b, self.e, self.code
        cores = code.layout.cores
        now = [*(step.states[i] for i in cores), *(step.infusion[i] for i in cores), step.size]
        is_new = step.is_accepted
        for place, value in enumerate(now):
            kept = b.fmul(code.load("searched", place), e.constant(1.0 + SAME_PEAK))
            more = b.fcmp_unordered(">", value, kept)
            is_new = more if place == 0 else b.or_(is_new, more)
        is_new = b.and_(is_new, step.is_accepted)
        for place, value in enumerate(now):
            kept = code.load("searched", place)
            code.store(b.select(is_new, value, kept), "searched", place)
        return is_new

    def _emit_all(self, step: Step, level: Value) -> None:
        e, code = self.e, self.code
        before = code.concentrations(step.states)
        after = code.concentrations(step.new_states)
        rising = code.concentration_slopes(step.states, step.stages[0])
        falling = code.concentration_slopes(step.new_states, step.stages[-1])
        deep: dict[int, Point] = {}
        for k, (c0, c1, d0, d1) in enumerate(zip(before, after, rising, falling, strict=True)):
            start = Point(e.constant(0.0), c0, d0)
            if self._is_deep(k):
                deep[k] = start
            else:
                self._emit_piece(step, k, level, start, Point(e.constant(1.0), c1, d1))
        if deep and self.time_above:
            for k, left, right in self._each_piece(step, deep):
                self._emit_piece(step, k, level, left, right)
        elif deep:
            self._emit_summits(step, level, deep)

    def _emit_summits(self, step: Step, level: Value, starts: dict[int, Point]) -> None:
        """Peaks of curves in pieces: only that piece is searched which can hold the highest point.

        Where a piece is concave, it is below its tangents at both ends; of any other with a summit
        nothing is known beforehand. Where another piece could still hold a higher point than was
        found, all are searched.
        """
        b, e = self.e.b, self.e
        for candidate in self.best.values():
            candidate.clear()
        for k, left, right in self._each_piece(step, starts):
            self._raise_peak(step, k, right.height)
            self.best[k].offer(left, right, step.size)
        missed = None
        for k, candidate in self.best.items():
            is_hope = self._is_hope(step, k, candidate.bound())
            with b.if_then(e.any(is_hope), likely=False):
                left, right = candidate.ends()
                _, height = self._find_peak(step, k, is_hope, left, right)
                self._raise_peak(step, k, height)
            is_missed = self._is_hope(step, k, candidate.next_bound())
            missed = is_missed if missed is None else b.or_(missed, is_missed)
        with b.if_then(e.any(missed), likely=False):
            own = replace(step, is_accepted=missed)
            for k, left, right in self._each_piece(own, starts):
                self._emit_piece(own, k, level, left, right)

    def _is_hope(self, step: Step, k: int, bound: Value) -> Value:
        b = self.e.b
        is_higher = b.fcmp_ordered(">", bound, self.code.load("peak", k))
        return b.and_(is_higher, step.is_accepted)

    def _raise_peak(self, step: Step, k: int, height: Value) -> None:
        peak = self.code.load("peak", k)
        higher = self.e.maximum(peak, height)
        self.code.store(self.e.b.select(step.is_accepted, higher, peak), "peak", k)

    def _each_piece(
        self, step: Step, starts: dict[int, Point]
    ) -> Iterator[tuple[int, Point, Point]]:
        """Emit a walk through the step in pieces, the first ones short: what is fast comes first.

        What is emitted for each analyte and the ends of a piece is inside the walk.
        """
        b, e = self.e.b, self.e
        fraction_at, number = self.fraction_at, self.piece_at
        for k, start in starts.items():
            for place, value in zip(self.left_at[k], start, strict=True):
                b.store(value, place)
        b.store(e.constant(0.5**PIECES), fraction_at)
        b.store(I32(0), number)

        def some_left() -> Value:
            return b.icmp_signed("<=", b.load(number, typ=I32), I32(PIECES))

        with while_loop(b, "pieces", some_left):
            fraction = b.load(fraction_at, typ=e.real)
            points = self._points_at(step, fraction)
            for k in starts:
                left = Point(*(b.load(place, typ=e.real) for place in self.left_at[k]))
                yield k, left, points[k]
                for place, value in zip(self.left_at[k], points[k], strict=True):
                    b.store(value, place)
            b.store(b.fmul(fraction, e.constant(2.0)), fraction_at)
            b.store(b.add(b.load(number, typ=I32), I32(1)), number)

    def _emit_piece(self, step: Step, k: int, level: Value, left: Point, right: Point) -> None:
        """Update peak and time above with what lies between two points of the step."""
        b, e, code = self.e.b, self.e, self.code
        middle, summit = self._summit(step, k, left, right)
        peak = code.load("peak", k)
        higher = e.maximum(e.maximum(peak, right.height), summit)
        code.store(b.select(step.is_accepted, higher, peak), "peak", k)
        if self.time_above:
            self._add_time_above(step, k, level, (left, right), (middle, summit))

    def _summit(self, step: Step, k: int, left: Point, right: Point) -> tuple[Value, Value]:
        """Fraction and height of the summit between two points; without one, the second."""
        b, e = self.e.b, self.e
        is_up = b.fcmp_ordered(">", left.slope, e.constant(0.0))
        is_down = b.fcmp_ordered("<=", right.slope, e.constant(0.0))
        has_peak = b.and_(b.and_(is_up, is_down), step.is_accepted)
        start = b.block
        with b.if_then(e.any(has_peak), likely=False):
            fraction, height = self._find_peak(step, k, has_peak, left, right)
            found = b.block
        values = []
        for inside, otherwise in ((fraction, right.fraction), (height, right.height)):
            value = b.phi(e.real)
            value.add_incoming(inside, found)
            value.add_incoming(otherwise, start)
            values.append(value)
        return values[0], values[1]

    def _find_peak(
        self, step: Step, k: int, has_peak: Value, left: Point, right: Point
    ) -> tuple[Value, Value]:
        """Summit of the cubic through both points; its height comes from the interpolant.

        On an exact curve the points first move together: a step may be long beside the summit.
        """
        b, e = self.e.b, self.e
        near, far = left, right
        if self._is_exact(k):
            self.root.bracket.set(e, left.fraction, left.slope, right.fraction, right.slope)
            self.root.halve(lambda x: self._point_at(step, k, x).slope, self._halvings(k))
            a, _, z, _ = self.root.bracket.get(e)
            near, far = self._point_at(step, k, a), self._point_at(step, k, z)
        width = b.fsub(far.fraction, near.fraction)
        length = b.fmul(step.size, width)
        slopes = b.fmul(near.slope, length), b.fmul(far.slope, length)
        inside = self._cubic_summit(near.height, far.height, *slopes)
        fraction = b.select(has_peak, e.fma(inside, width, near.fraction), right.fraction)
        height = self._concentration_at(step, k, fraction)
        return fraction, b.select(has_peak, height, right.height)

    def _cubic_summit(self, c0: Value, c1: Value, m0: Value, m1: Value) -> Value:
        """Where between 0 and 1 the cubic with these ends and slopes is highest."""
        b, e = self.e.b, self.e
        rise = b.fsub(c1, c0)
        a = e.fma(e.constant(-2.0), rise, b.fadd(m0, m1))
        half = b.fsub(e.fma(e.constant(3.0), rise, b.fmul(e.constant(-2.0), m0)), m1)
        inside = e.fma(half, half, b.fmul(b.fmul(e.constant(-3.0), a), m0))
        root = e.sqrt(e.maximum(inside, e.constant(0.0)))
        fraction = b.fdiv(m0, b.fsub(root, half))
        return e.minimum(e.maximum(fraction, e.constant(0.0)), e.constant(1.0))

    def _halvings(self, k: int) -> int:
        return HALVINGS_IN_PIECE if self._is_deep(k) else HALVINGS

    def _point_at(self, step: Step, k: int, fraction: Value) -> Point:
        """A point of an exact curve."""
        return self._points_at(step, fraction)[k]

    def _points_at(self, step: Step, fraction: Value) -> list[Point]:
        """Points of all curves; those that nobody uses cost nothing."""
        code = self.code
        states = Curve(step, code).states_at(fraction)
        slopes = code.concentration_slopes(states, code.rates(states, step.infusion))
        heights = code.concentrations(states)
        return [Point(fraction, h, s) for h, s in zip(heights, slopes, strict=True)]

    def _concentration_at(self, step: Step, k: int, fraction: Value) -> Value:
        return self.code.concentrations(Curve(step, self.code).states_at(fraction))[k]

    def _add_time_above(
        self,
        step: Step,
        k: int,
        level: Value,
        ends: tuple[Point, Point],
        summit: tuple[Value, Value],
    ) -> None:
        """Add the part above the level: from the first end to the summit, from there on."""
        b, e, code = self.e.b, self.e, self.code
        left, right = ((end.fraction, end.height) for end in ends)
        first = self._part_above(step, k, level, left, summit)
        second = self._part_above(step, k, level, summit, right)
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
        b.store(x0, self.root_at)
        with b.if_then(e.any(crosses), likely=False):
            self._find_root(step, k, level, left, right)
        root = b.load(self.root_at, typ=e.real)
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
        b = self.e.b
        (x0, c0), (x1, c1) = left, right
        self.root.bracket.set(self.e, x0, b.fsub(c0, level), x1, b.fsub(c1, level))

        def distance(x: Value) -> Value:
            return b.fsub(self._concentration_at(step, k, x), level)

        if self._is_exact(k):
            self.root.halve(distance, self._halvings(k))
        b.store(self.root.illinois(distance), self.root_at)
