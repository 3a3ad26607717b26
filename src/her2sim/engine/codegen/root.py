"""Generated code that finds where a curve crosses zero, the same number of rounds in every lane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from her2sim.engine.codegen.emitter import I32, Emitter, Value, stack_room, while_loop

ROUNDS = 12  # of the Illinois method; smooth curves need about eight

Function = Callable[[Value], Value]


class RootFinder:
    """A bracket around a change of sign, and what narrows it."""

    def __init__(self, emitter: Emitter) -> None:
        self.e = emitter
        self.bracket = Bracket(*(emitter.scratch() for _ in range(4)))
        self.found_at = emitter.scratch()
        self.counter = stack_room(emitter.b, I32)

    def halve(self, function: Function, times: int) -> None:
        """Halve the bracket some times."""
        b, e = self.e.b, self.e
        b.store(I32(0), self.counter)
        with while_loop(b, "halve", lambda: self._counts_below(times)):
            a, at_a, z, at_z = self.bracket.get(e)
            middle = b.fmul(b.fadd(a, z), e.constant(0.5))
            value = function(middle)
            is_like_a = b.fcmp_ordered(">", b.fmul(value, at_a), e.constant(0.0))
            self.bracket.set(
                e,
                b.select(is_like_a, middle, a),
                b.select(is_like_a, value, at_a),
                b.select(is_like_a, z, middle),
                b.select(is_like_a, at_z, value),
            )
            self._count()

    def illinois(self, function: Function) -> Value:
        """Where the function is zero, by the Illinois method."""
        b, e = self.e.b, self.e
        b.store(I32(0), self.counter)
        with while_loop(b, "root", lambda: self._counts_below(ROUNDS)):
            xa, fa, xb, fb = self.bracket.get(e)
            slope = b.fdiv(b.fsub(xb, xa), b.fsub(fb, fa))
            x = e.fma(b.fneg(fb), slope, xb)
            is_number = b.fcmp_ordered("ord", x, x)
            x = b.select(is_number, x, xb)
            f = function(x)
            is_opposite = b.fcmp_ordered("<", b.fmul(f, fb), e.constant(0.0))
            self.bracket.set(
                e,
                b.select(is_opposite, xb, xa),
                b.select(is_opposite, fb, b.fmul(fa, e.constant(0.5))),
                x,
                f,
            )
            b.store(x, self.found_at)
            self._count()
        return b.load(self.found_at, typ=e.real)

    def _counts_below(self, limit: int) -> Value:
        return self.e.b.icmp_signed("<", self.e.b.load(self.counter, typ=I32), I32(limit))

    def _count(self) -> None:
        b = self.e.b
        b.store(b.add(b.load(self.counter, typ=I32), I32(1)), self.counter)


@dataclass(frozen=True)
class Bracket:
    """Room for two points and the values there."""

    left_at: Value
    left_value: Value
    right_at: Value
    right_value: Value

    def set(self, e: Emitter, *values: Value) -> None:
        for place, value in zip(self._places(), values, strict=True):
            e.b.store(value, place)

    def get(self, e: Emitter) -> tuple[Value, ...]:
        return tuple(e.b.load(place, typ=e.real) for place in self._places())

    def _places(self) -> tuple[Value, ...]:
        return self.left_at, self.left_value, self.right_at, self.right_value
