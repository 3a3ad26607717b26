"""Units of quantities: parse, compare and convert; one unit per quantity inside her2sim.

A unit is a factor to base units and the exponents of the base dimensions (gram, litre, day,
metre, enzyme unit). Units multiply and divide like numbers and add only when they are equal, so
running an equation on units instead of numbers checks the equation.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from her2sim.errors import UnitError, did_you_mean

DAY_PER_WEEK = 7.0
DAY_PER_YEAR = 365.25
DAY_PER_MONTH = DAY_PER_YEAR / 12
_DIMENSIONS = ("mass", "volume", "time", "length", "enzyme", "amount")


def _base(factor: float, **exponents: int) -> tuple[float, tuple[int, ...]]:
    return factor, tuple(exponents.get(name, 0) for name in _DIMENSIONS)


_SYMBOLS: dict[str, tuple[float, tuple[int, ...]]] = {
    "1": _base(1.0),
    "%": _base(0.01),
    "kg": _base(1e3, mass=1),
    "g": _base(1.0, mass=1),
    "mg": _base(1e-3, mass=1),
    "ug": _base(1e-6, mass=1),
    "ng": _base(1e-9, mass=1),
    "pg": _base(1e-12, mass=1),
    "L": _base(1.0, volume=1),
    "dL": _base(0.1, volume=1),
    "mL": _base(1e-3, volume=1),
    "day": _base(1.0, time=1),
    "week": _base(DAY_PER_WEEK, time=1),
    "month": _base(DAY_PER_MONTH, time=1),
    "year": _base(DAY_PER_YEAR, time=1),
    "h": _base(1 / 24, time=1),
    "min": _base(1 / 1440, time=1),
    "s": _base(1 / 86400, time=1),
    "m": _base(1.0, length=1),
    "cm": _base(0.01, length=1),
    "mm": _base(0.001, length=1),
    "U": _base(1.0, enzyme=1),
    "mol": _base(1.0, amount=1),
    "umol": _base(1e-6, amount=1),
    "nmol": _base(1e-9, amount=1),
}

# Hospital and UCUM spellings, accepted at the edge.
_ALIASES = {
    "mcg": "ug",
    "µg": "ug",
    "μg": "ug",
    "MCG": "ug",
    "l": "L",
    "dl": "dL",
    "ml": "mL",
    "d": "day",
    "days": "day",
    "hr": "h",
    "hour": "h",
    "hours": "h",
    "wk": "week",
    "weeks": "week",
    "minute": "min",
    "minutes": "min",
    "yr": "year",
    "years": "year",
    "a": "year",
    "IU": "U",
    "[IU]": "U",
    "units": "U",
    "-": "1",
    "fraction": "1",
}

_TERM = re.compile(r"^(?P<symbol>[^\d\s^]+|1)(?:\^?(?P<power>-?\d+))?$")


@dataclass(frozen=True)
class Unit:
    """A unit as factor and exponents; supports the arithmetic that equations use."""

    factor: float
    exponents: tuple[int, ...]

    def __mul__(self, other: Unit | float) -> Unit:
        if not isinstance(other, Unit):
            return self
        exponents = tuple(a + b for a, b in zip(self.exponents, other.exponents, strict=True))
        return Unit(self.factor * other.factor, exponents)

    __rmul__ = __mul__

    def __truediv__(self, other: Unit | float) -> Unit:
        if not isinstance(other, Unit):
            return self
        exponents = tuple(a - b for a, b in zip(self.exponents, other.exponents, strict=True))
        return Unit(self.factor / other.factor, exponents)

    def __rtruediv__(self, other: float) -> Unit:
        return Unit(1 / self.factor, tuple(-a for a in self.exponents))

    def __add__(self, other: Unit | float) -> Unit:
        if not isinstance(other, Unit):
            other = DIMENSIONLESS
        if not self.equals(other):
            raise UnitError(f"cannot add or subtract {self} and {other}")
        return self

    __radd__ = __sub__ = __rsub__ = __add__

    def __neg__(self) -> Unit:
        return self

    def root(self) -> Unit:
        """Unit of a square root."""
        if any(e % 2 for e in self.exponents):
            raise UnitError(f"{self} has no square root")
        return Unit(math.sqrt(self.factor), tuple(e // 2 for e in self.exponents))

    def equals(self, other: Unit) -> bool:
        """Whether both mean the same, factor included (``ug/mL`` equals ``mg/L``)."""
        close = math.isclose(self.factor, other.factor, rel_tol=1e-9)
        return close and self.exponents == other.exponents

    def __str__(self) -> str:
        powers = [f"{n}^{e}" for n, e in zip(_DIMENSIONS, self.exponents, strict=True) if e]
        return f"[{self.factor:g} {' '.join(powers) or 'dimensionless'}]"


DIMENSIONLESS = Unit(*_SYMBOLS["1"])


@lru_cache(maxsize=1024)
def parse_unit(text: str) -> Unit:
    """Read a unit such as ``ug*day/mL``, ``L/day``, ``IU/L`` or ``1/h``.

    Raises
    ------
    UnitError
        If a part of the text is not a known unit.
    """
    unit = DIMENSIONLESS
    parts = re.split(r"([*/·])", text.strip())
    for index in range(0, len(parts), 2):
        term = _parse_term(parts[index], text)
        unit = unit / term if index and parts[index - 1] == "/" else unit * term
    return unit


def _parse_term(part: str, text: str) -> Unit:
    match = _TERM.match(part)
    symbol = match["symbol"] if match else part
    symbol = _ALIASES.get(symbol, symbol)
    if match is None or symbol not in _SYMBOLS:
        raise UnitError(f"unknown unit {part!r} in {text!r}" + did_you_mean(part, _SYMBOLS))
    factor, exponents = _SYMBOLS[symbol]
    power = int(match["power"] or 1)
    return Unit(factor**power, tuple(power * e for e in exponents))


def conversion_factor(source: str, target: str) -> float:
    """Return what a number in ``source`` is multiplied with to be in ``target``.

    >>> round(conversion_factor("mg/h", "g/day"), 6)
    0.024
    """
    a, b = parse_unit(source), parse_unit(target)
    if a.exponents != b.exponents:
        raise UnitError(f"cannot convert {source!r} to {target!r}: the dimensions differ")
    return a.factor / b.factor


def convert_molar(value: float, source: str, target: str, molar_mass_g_per_mol: float) -> float:
    """Convert a number between units that may differ by mass for amount of substance.

    >>> round(convert_molar(1.0, "umol/L", "ng/mL", 853.9), 1)
    853.9
    """
    a, b = parse_unit(source), parse_unit(target)
    mass, amount = _DIMENSIONS.index("mass"), _DIMENSIONS.index("amount")
    moved = a.exponents[amount] - b.exponents[amount]
    exponents = list(a.exponents)
    exponents[amount] -= moved
    exponents[mass] += moved
    if tuple(exponents) != b.exponents:
        raise UnitError(f"cannot convert {source!r} to {target!r}: the dimensions differ")
    return value * a.factor * molar_mass_g_per_mol**moved / b.factor


def convert(value: float, source: str, target: str) -> float:
    """Convert a number between two units of the same dimension."""
    return value if source == target else value * conversion_factor(source, target)


_FACTORS = (100.0, 0.001, 0.1, 0.01, 10.0, 1000.0)
"""How far a value lies off that was told in another unit, or with a slip of the decimal point."""


def outside_text(name: str, value: float, low: float, high: float, unit: str) -> str:
    """Why a value cannot be, with what was probably meant; empty if it lies within its limits.

    >>> outside_text("lvef", 0.62, 5, 90, "%")
    'lvef 0.62 % is outside 5 to 90 %; did you mean 62 %?'
    """
    if low <= value <= high:
        return ""
    if unit == "1":
        return f"{name} {value:g} is outside {low:g} to {high:g}"
    text = f"{name} {value:g} {unit} is outside {low:g} to {high:g} {unit}"
    factors = _FACTORS if value < low else _FACTORS[1:]
    for factor in factors:
        meant = float(f"{value * factor:.6g}")
        is_nearer = meant > value if value < low else meant < value
        if is_nearer and low <= meant <= high:
            return f"{text}; did you mean {meant:g} {unit}?"
    return text
