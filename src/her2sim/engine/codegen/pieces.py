"""Pieces of a step: their ends, and which of them can hold the highest point of a curve."""

from __future__ import annotations

import math
from typing import NamedTuple

from her2sim.engine.codegen.emitter import Emitter, Value

BENT = 0.2  # of the change of slope over a piece: below, it may bend the other way inside


class Point(NamedTuple):
    """A point of a concentration within a step: where, how high, how steep (per day)."""

    fraction: Value
    height: Value
    slope: Value


class Candidate:
    """The piece of a curve that can hold its highest point, in room on the stack."""

    def __init__(self, emitter: Emitter) -> None:
        self.e = emitter
        self.places = [emitter.scratch() for _ in range(8)]

    def _load(self, number: int) -> Value:
        return self.e.b.load(self.places[number], typ=self.e.real)

    def clear(self) -> None:
        """No piece yet."""
        for place in self.places:
            self.e.b.store(self.e.constant(-math.inf), place)

    def ends(self) -> tuple[Point, Point]:
        """Both ends of the piece."""
        values = [self._load(number) for number in range(6)]
        return Point(*values[:3]), Point(*values[3:])

    def bound(self) -> Value:
        """What no point of the piece is above."""
        return self._load(6)

    def next_bound(self) -> Value:
        """The same of all other pieces."""
        return self._load(7)

    def _is_concave(self, left: Point, right: Point, length: Value) -> Value:
        """Whether the cubic through both ends bends down at both, well below a straight line."""
        b, e = self.e.b, self.e
        rise = b.fsub(right.height, left.height)
        m0, m1 = b.fmul(left.slope, length), b.fmul(right.slope, length)
        least = b.fmul(e.constant(BENT), b.fsub(m0, m1))
        three = b.fmul(e.constant(3.0), rise)
        at_left = b.fsub(e.fma(e.constant(2.0), m0, m1), three)  # half the curvature, downwards
        at_right = b.fsub(three, e.fma(e.constant(2.0), m1, m0))
        is_bent = b.fcmp_ordered(">", at_left, least)
        return b.and_(is_bent, b.fcmp_ordered(">", at_right, least))

    def offer(self, left: Point, right: Point, size: Value) -> None:
        """Keep a piece that may hold a higher point than the one so far."""
        b, e = self.e.b, self.e
        is_up = b.fcmp_ordered(">", left.slope, e.constant(0.0))
        is_down = b.fcmp_ordered("<=", right.slope, e.constant(0.0))
        length = b.fmul(size, b.fsub(right.fraction, left.fraction))
        rise = e.fma(b.fneg(right.slope), length, b.fsub(right.height, left.height))
        until = b.fdiv(rise, b.fsub(left.slope, right.slope))
        until = e.minimum(e.maximum(until, e.constant(0.0)), length)
        crossing = e.fma(left.slope, until, left.height)
        bound = b.select(self._is_concave(left, right, length), crossing, e.constant(math.inf))
        bound = b.select(b.and_(is_up, is_down), bound, e.constant(-math.inf))
        is_best = b.fcmp_ordered(">", bound, self.bound())
        loser = b.select(is_best, self.bound(), bound)
        b.store(e.maximum(self.next_bound(), loser), self.places[7])
        for place, value in zip(self.places, (*left, *right, bound), strict=False):
            b.store(b.select(is_best, value, b.load(place, typ=e.real)), place)
