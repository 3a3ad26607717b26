"""Baseline cardiovascular risk: every factor, every threshold, every level."""

from __future__ import annotations

from itertools import combinations

import pytest

from her2sim.patients.cardiac_risk import POINTS, cardiac_risk, risk_table

WEIGHTS = {f.id: f.weight for f in risk_table().factor if f.measured is None}


def test_levels_for_every_set_of_up_to_three_factors() -> None:
    """As the table says: one very high, one high or five points, two to four points, else low."""
    for n in range(4):
        for told in combinations(WEIGHTS, n):
            weights = [WEIGHTS[name] for name in told]
            points = sum(POINTS.get(w, 0) for w in weights)
            expected = "low" if points < 2 else "moderate" if points < 5 else "high"
            if "high" in weights:
                expected = "high"
            if "very_high" in weights:
                expected = "very high"
            assert cardiac_risk(told, {}).level == expected


@pytest.mark.parametrize(
    ("number", "value", "level"),
    [
        ("age_year", 64.9, "low"),
        ("age_year", 65.0, "moderate"),
        ("age_year", 79.9, "moderate"),
        ("age_year", 80.0, "high"),
        ("lvef_percent", 49.9, "high"),
        ("lvef_percent", 50.0, "moderate"),
        ("lvef_percent", 54.0, "moderate"),
        ("lvef_percent", 55.0, "low"),
    ],
)
def test_thresholds_of_numbers(number: str, value: float, level: str) -> None:
    assert cardiac_risk((), {number: value}).level == level


def test_one_point_each() -> None:
    assert cardiac_risk((), {"bmi_kg_per_m2": 30.0, "egfr_ml_per_min": 60.0}).points == 0
    assert cardiac_risk((), {"bmi_kg_per_m2": 30.1, "egfr_ml_per_min": 59.9}).points == 2
    assert set(cardiac_risk((), {}).not_told) == {
        "lvef_percent", "age_year", "egfr_ml_per_min", "bmi_kg_per_m2",
    }  # fmt: skip
