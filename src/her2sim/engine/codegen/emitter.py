"""A thin layer over the LLVM builder: lanes, slots of the workspace, loops.

A workspace holds numbered slots, each one number a lane. Vector code loads and stores whole slots;
code for one lane reads and writes its element.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

F64, I64, I32, I8, I1 = (
    ir.DoubleType(),
    ir.IntType(64),
    ir.IntType(32),
    ir.IntType(8),
    ir.IntType(1),
)
POINTER = ir.PointerType()
Value = Any


class Emitter:
    """Emits code for ``lanes`` numbers at once; with one lane, plain scalar code."""

    def __init__(self, builder: ir.IRBuilder, lanes: int) -> None:
        self.b, self.lanes = builder, lanes
        self.real: ir.Type = F64 if lanes == 1 else ir.VectorType(F64, lanes)

    def wide(self, element: ir.Type) -> ir.Type:
        return element if self.lanes == 1 else ir.VectorType(element, self.lanes)

    def constant(self, value: float) -> Value:
        """A number in every lane."""
        if self.lanes == 1:
            return ir.Constant(F64, float(value))
        return ir.Constant(self.real, [ir.Constant(F64, float(value))] * self.lanes)

    def whole(self, value: int) -> Value:
        """A 64-bit whole number in every lane."""
        if self.lanes == 1:
            return I64(value)
        return ir.Constant(ir.VectorType(I64, self.lanes), [I64(value)] * self.lanes)

    def splat(self, scalar: Value) -> Value:
        """A scalar in every lane."""
        if self.lanes == 1:
            return scalar
        one = self.b.insert_element(ir.Constant(self.real, ir.Undefined), scalar, I32(0))
        mask = ir.Constant(ir.VectorType(I32, self.lanes), [I32(0)] * self.lanes)
        return self.b.shuffle_vector(one, ir.Constant(self.real, ir.Undefined), mask)

    # Arithmetic. No fast-math flags: bits must not depend on the number of lanes.

    def _intrinsic(self, name: str, *args: Value) -> Value:
        suffix = "f64" if self.lanes == 1 else f"v{self.lanes}f64"
        kind = ir.FunctionType(self.real, [self.real] * len(args))
        full = f"llvm.{name}.{suffix}"
        function = self.b.module.globals.get(full) or ir.Function(self.b.module, kind, full)
        return self.b.call(function, args)

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        return self._intrinsic("fma", a, b, c)

    def sqrt(self, a: Value) -> Value:
        return self._intrinsic("sqrt", a)

    def fabs(self, a: Value) -> Value:
        return self._intrinsic("fabs", a)

    def maximum(self, a: Value, b: Value) -> Value:
        return self.b.select(self.b.fcmp_ordered(">", a, b), a, b)

    def maximum_or_nan(self, a: Value, b: Value) -> Value:
        """The larger, or NaN if ``a`` is not a number or ``b`` already was none."""
        return self.b.select(self.b.fcmp_ordered("<=", a, b), b, a)

    def larger(self, a: Value, b: Value) -> Value:
        """The larger of two; NaN if one is."""
        bigger = self.b.select(self.b.fcmp_ordered(">", a, b), a, b)
        return self.b.select(self.b.fcmp_unordered("uno", a, a), a, bigger)

    def pick(self, a: Value, b: Value, x: Value, y: Value) -> Value:
        """The third value where the first is not below the second, else the fourth."""
        return self.b.select(self.b.fcmp_ordered(">=", a, b), x, y)

    def minimum(self, a: Value, b: Value) -> Value:
        return self.b.select(self.b.fcmp_ordered("<", a, b), a, b)

    def combination(self, weights: Sequence[float], values: Sequence[Value]) -> Value:
        """Sum of weights times values, left to right, zero weights left out."""
        total = None
        for weight, value in zip(weights, values, strict=True):
            if weight == 0.0:
                continue
            w = self.constant(weight)
            total = self.b.fmul(w, value) if total is None else self.fma(w, value, total)
        return total

    def polynomial(self, coefficients: Sequence[float], x: Value) -> Value:
        """c[0] x + c[1] x^2 + ... by Horner's rule."""
        total = self.constant(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            total = self.fma(total, x, self.constant(c))
        return self.b.fmul(total, x)

    def step_factor(self, squared_error: Value) -> Value:
        """About 0.9 x^(-1/10), from the exponent bits: a step size needs no more precision."""
        wide32, wide64 = self.wide(I32), self.wide(I64)
        shift = (
            ir.Constant(wide64, 32)
            if self.lanes == 1
            else ir.Constant(wide64, [I64(32)] * self.lanes)
        )
        bits = self.b.bitcast(squared_error, wide64)
        high = self.b.sitofp(self.b.trunc(self.b.lshr(bits, shift), wide32), self.real)
        one = 1023.0 - 0.0436  # centres the error of reading the mantissa linearly
        scaled = self.fma(high, self.constant(-0.1), self.constant(1.1 * one * 2.0**20))
        back = self.b.zext(self.b.fptosi(scaled, wide32), wide64)
        power = self.b.bitcast(self.b.shl(back, shift), self.real)
        return self.b.fmul(power, self.constant(0.9))

    # Masks.

    def any(self, mask: Value) -> Value:
        """Whether a mask is set in any lane."""
        bits = self.bits(mask)
        return self.b.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    def bits(self, mask: Value) -> Value:
        """A mask as a 32-bit integer, lane 0 lowest."""
        packed = mask if self.lanes == 1 else self.b.bitcast(mask, ir.IntType(self.lanes))
        return self.b.zext(packed, I32)

    def mask(self, bits: Value) -> Value:
        """A 32-bit integer as a mask."""
        packed = self.b.trunc(bits, ir.IntType(self.lanes))
        return packed if self.lanes == 1 else self.b.bitcast(packed, self.wide(I1))

    # Slots of the workspace.

    def scratch(self, n_slots: int = 1) -> Value:
        """Room on the stack for some slots."""
        return stack_room(self.b, self.real, n_slots, align=64)

    def slot(self, base: Value, number: int) -> Value:
        return self.b.gep(base, [I64(number)], inbounds=True, source_etype=self.real)

    def load(self, base: Value, number: int) -> Value:
        return self.b.load(self.slot(base, number), typ=self.real)

    def store(self, value: Value, base: Value, number: int) -> None:
        self.b.store(value, self.slot(base, number))


class LaneEmitter(Emitter):
    """Emits scalar code that works on one lane of a workspace with ``width`` lanes."""

    def __init__(self, builder: ir.IRBuilder, width: int, lane: Value) -> None:
        super().__init__(builder, 1)
        self.width, self.lane = width, lane

    def slot(self, base: Value, number: int) -> Value:
        index = self.b.add(I64(number * self.width), self.lane)
        return self.b.gep(base, [index], inbounds=True, source_etype=F64)


def stack_room(builder: ir.IRBuilder, kind: ir.Type, size: int = 1, align: int = 8) -> Value:
    """Address of room for ``size`` values on the stack, as an untyped pointer."""
    place = builder.alloca(kind, I32(size))
    place.align = align
    untyped = ir.instructions.CastInstr(builder.block, "bitcast", place, POINTER)
    builder.block.instructions.append(untyped)
    builder.position_at_end(builder.block)
    return untyped


@contextmanager
def while_loop(builder: ir.IRBuilder, name: str, condition: Callable[[], Value]) -> Iterator[None]:
    """Emit ``while condition: body``; ``condition`` emits its own code."""
    head = builder.append_basic_block(f"{name}.head")
    body = builder.append_basic_block(f"{name}.body")
    leave = builder.append_basic_block(f"{name}.leave")
    builder.branch(head)
    builder.position_at_end(head)
    builder.cbranch(condition(), body, leave)
    builder.position_at_end(body)
    yield
    builder.branch(head)
    builder.position_at_end(leave)
