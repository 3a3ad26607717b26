"""Exponential, logarithm and power in generated code: branch-free, the same bits for any lanes.

Each is right to two units in the last place (a power while its own logarithm is below 150 in size;
three units up to the ends of the range). Series have their exact rational coefficients; the
logarithm is kept in two parts, which a power needs.
"""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

from llvmlite import ir

from her2sim.engine.codegen.emitter import Emitter, Value

with localcontext() as _context:
    _context.prec = 60
    _LN2 = Decimal(2).ln()
    LN2_SHORT = float(int(_LN2 * 2**32)) / 2.0**32  # times a whole number, it is exact
    LN2_REST = float(_LN2 - Decimal(LN2_SHORT))
    LOG2_E = float(1 / _LN2)

ROUNDING = 1.5 * 2.0**52  # added to a number, it leaves the nearest integer in the low bits
LARGEST, SMALLEST = 709.0, -700.0  # beyond: infinity, and zero
MANTISSA = (1 << 52) - 1
HALF_BITS = 0x3FE0_0000_0000_0000
ROOT_HALF = math.sqrt(0.5)
EXP_TERMS, LOG_TERMS = 14, 11


def exp(e: Emitter, x: Value, low: Value | None = None) -> Value:
    """Exponential of ``x`` (plus a small rest ``low``): zero below -700, infinity above 709.

    x = n ln 2 + r with |r| <= ln 2 / 2; e^r from its series, and 2^n from the exponent bits.
    """
    b = e.b
    is_nothing = b.fcmp_ordered("<", x, e.constant(SMALLEST))
    is_huge = b.fcmp_ordered(">", x, e.constant(LARGEST))
    inside = e.minimum(e.maximum(x, e.constant(SMALLEST)), e.constant(LARGEST))
    shifted = e.fma(inside, e.constant(LOG2_E), e.constant(ROUNDING))
    n = b.fsub(shifted, e.constant(ROUNDING))
    rest = e.fma(n, e.constant(-LN2_SHORT), inside)  # exact
    rest = e.fma(n, e.constant(-LN2_REST), rest)
    if low is not None:
        rest = b.fadd(rest, low)
    curved = e.polynomial([1.0 / math.factorial(k) for k in range(2, EXP_TERMS)], rest)
    series = e.fma(curved, rest, rest)
    wide64 = e.wide(ir.IntType(64))
    power_of_two = b.shl(b.bitcast(shifted, wide64), e.whole(52))
    bits = b.bitcast(b.fadd(series, e.constant(1.0)), wide64)
    value = b.bitcast(b.add(bits, power_of_two), e.real)
    value = b.select(is_nothing, e.constant(0.0), value)
    value = b.select(is_huge, e.constant(math.inf), value)
    return b.select(b.fcmp_unordered("uno", x, x), x, value)


def log(e: Emitter, x: Value) -> Value:
    """Natural logarithm: minus infinity at zero (and below 2.2e-308), NaN below zero."""
    b = e.b
    high, low = _log_parts(e, x)
    value = b.fadd(high, low)
    is_normal = b.fcmp_ordered(">=", x, e.constant(2.2250738585072014e-308))
    value = b.select(is_normal, value, e.constant(-math.inf))
    is_finite = b.fcmp_ordered("<", x, e.constant(math.inf))
    value = b.select(is_finite, value, x)  # infinity and NaN stay
    return b.select(b.fcmp_ordered("<", x, e.constant(0.0)), e.constant(math.nan), value)


def power(e: Emitter, x: Value, y: Value) -> Value:
    """``x`` to the power ``y`` for ``x`` not below zero (NaN below)."""
    b = e.b
    high, low = _log_parts(e, x)
    product = b.fmul(y, high)
    rest = e.fma(y, high, b.fneg(product))
    rest = e.fma(y, low, rest)
    value = exp(e, product, rest)
    zero, one = e.constant(0.0), e.constant(1.0)
    of_zero = b.select(b.fcmp_ordered(">", y, zero), zero, e.constant(math.inf))
    of_zero = b.select(b.fcmp_ordered("==", y, zero), one, of_zero)
    is_tiny = b.fcmp_ordered("<", x, e.constant(2.2250738585072014e-308))
    value = b.select(is_tiny, of_zero, value)
    is_right = b.fcmp_ordered(">=", x, zero)
    return b.select(is_right, value, e.constant(math.nan))


def _log_parts(e: Emitter, x: Value) -> tuple[Value, Value]:
    """Logarithm of a normal number above zero as a sum of two parts.

    x = m 2^k with m near one, and log m = 2 (s + s^3/3 + s^5/5 + ...) with s = (m - 1)/(m + 1).
    """
    b, wide64 = e.b, e.wide(ir.IntType(64))
    bits = b.bitcast(x, wide64)
    mantissa = b.bitcast(b.or_(b.and_(bits, e.whole(MANTISSA)), e.whole(HALF_BITS)), e.real)
    exponent = b.sub(b.lshr(bits, e.whole(52)), e.whole(1022))
    is_low = b.fcmp_ordered("<", mantissa, e.constant(ROOT_HALF))  # m from 0.707 to 1.414
    m = b.select(is_low, b.fadd(mantissa, mantissa), mantissa)
    exponent = b.select(is_low, b.sub(exponent, e.whole(1)), exponent)
    k = b.sitofp(exponent, e.real)
    f, d = b.fsub(m, e.constant(1.0)), b.fadd(m, e.constant(1.0))
    lost = b.fsub(m, b.fsub(d, e.constant(1.0)))
    per_d = b.fdiv(e.constant(1.0), d)
    s = b.fmul(f, per_d)
    left = e.fma(b.fneg(s), d, f)
    s_rest = b.fmul(e.fma(b.fneg(s), lost, left), per_d)
    series = e.polynomial([1.0 / (2 * j + 1) for j in range(1, LOG_TERMS)], b.fmul(s, s))
    tail = b.fmul(e.constant(2.0), e.fma(s, series, s_rest))
    tail = e.fma(k, e.constant(LN2_REST), tail)
    large, small = b.fmul(k, e.constant(LN2_SHORT)), b.fadd(s, s)
    high = b.fadd(large, small)
    low = b.fadd(b.fsub(small, b.fsub(high, large)), tail)
    total = b.fadd(high, low)
    return total, b.fadd(b.fsub(high, total), low)
