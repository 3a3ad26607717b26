"""Units: round trips, aliases, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2sim.errors import UnitError
from her2sim.units import conversion_factor, convert, parse_unit

PAIRS = [
    ("ug/mL", "ng/mL"),
    ("L/day", "mL/h"),
    ("g/dL", "g/L"),
    ("ug*day/mL", "ng*h/mL"),
    ("kg", "g"),
    ("day", "min"),
    ("IU/L", "U/mL"),
    ("%", "1"),
]


@given(st.sampled_from(PAIRS), st.floats(1e-6, 1e6))
def test_round_trip(pair: tuple[str, str], value: float) -> None:
    there = convert(value, *pair)
    assert convert(there, pair[1], pair[0]) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("source", "target", "factor"),
    [
        ("ug/mL", "mg/L", 1.0),
        ("g/dL", "g/L", 10.0),
        ("mg/h", "mg/day", 24.0),
        ("ug*day/mL", "ng*h/mL", 24_000.0),
        ("mcg/ml", "mg/L", 1.0),
        ("µg/mL", "ng/mL", 1000.0),
        ("kg/m^2", "kg/m2", 1.0),
        ("1/h", "1/day", 24.0),
    ],
)
def test_known_factors(source: str, target: str, factor: float) -> None:
    assert conversion_factor(source, target) == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize("text", ["mgg/L", "mg/", "furlong", "mg L", "3 mg"])
def test_unknown_units_are_refused(text: str) -> None:
    with pytest.raises(UnitError, match="unknown unit"):
        parse_unit(text)


def test_unlike_dimensions_are_not_converted() -> None:
    with pytest.raises(UnitError, match="the dimensions differ"):
        convert(1.0, "mg", "L")
