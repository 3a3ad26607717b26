"""Phases: what a delay, a switch, another interval or an end does to the doses."""

from __future__ import annotations

import pytest

from her2sim.drugs.drug import load_drug
from her2sim.errors import DoseError
from her2sim.regimens.changes import delayed, every, limited_to, started_on, switched
from her2sim.regimens.regimen import Regimen, labelled_regimen

CYCLE_MIN = 21 * 1440


def planned(regimen: Regimen, days: float) -> list[tuple[float, str, float]]:
    doses = regimen.doses_before(round(days * 1440))
    return [(d.time_day, d.route, d.amount) for d in doses]


@pytest.fixture
def q3w() -> Regimen:
    return labelled_regimen(load_drug("trastuzumab"), "q3w")


def test_a_late_dose_moves_all_that_follow(q3w: Regimen) -> None:
    late = planned(delayed(q3w, 3, 14, is_reloaded=False), 100)
    assert late == [(0, "iv", 8), (21, "iv", 6), (56, "iv", 6), (77, "iv", 6), (98, "iv", 6)]
    reloaded = planned(delayed(q3w, 3, 14, is_reloaded=True), 100)
    assert reloaded == [(*dose[:2], 8.0) if dose[0] == 56 else dose for dose in late]


def test_a_switch_of_route_has_no_second_loading_dose() -> None:
    drug = load_drug("trastuzumab-sc")
    iv, sc = (labelled_regimen(drug, name) for name in ("q3w-iv", "q3w"))
    assert planned(switched(iv, sc, 2), 70) == [
        (0, "iv", 8), (21, "iv", 6), (42, "sc", 600), (63, "sc", 600),
    ]  # fmt: skip
    assert switched(iv, sc, 2).routes == {"iv": "mg/kg", "sc": "mg"}


def test_another_interval_keeps_the_first_dose_and_may_scale_the_others(q3w: Regimen) -> None:
    assert planned(every(q3w, 28, False), 60) == [(0, "iv", 8), (28, "iv", 6), (56, "iv", 6)]
    assert planned(every(q3w, 28, True), 60) == [(0, "iv", 8), (28, "iv", 8), (56, "iv", 8)]


def test_a_later_start_and_an_end(q3w: Regimen) -> None:
    changed = started_on(limited_to(q3w, 2), 84)
    assert planned(changed, 1000) == [(84, "iv", 8), (105, "iv", 6)]


def test_two_weeks_of_tablets_and_one_of_rest() -> None:
    days = [t for t, _, _ in planned(labelled_regimen(load_drug("Xeloda"), "bid-1000"), 42)]
    assert days == [k / 2 for k in range(28)] + [21 + k / 2 for k in range(28)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: delayed(r, 1, 7, False), "a delay needs a dose before it"),
        (lambda r: delayed(r, 3, -7, False), "it must be above zero"),
        (lambda r: every(r, 0, False), "it must be above zero"),
        (lambda r: every(r, 600, True), "every 600 days in proportion is 171"),
        (lambda r: switched(r, r, 0), "at least one before it"),
        (lambda r: delayed(delayed(r, 3, 7, False), 4, 7, False), "was changed already"),
        (lambda r: limited_to(limited_to(r, 3), 2), "has an end already"),
    ],
)
def test_impossible_changes_are_refused(q3w: Regimen, change, message: str) -> None:
    with pytest.raises(DoseError, match=message):
        change(q3w)


def test_only_a_regimen_with_a_loading_dose_can_be_loaded_again() -> None:
    regimen = labelled_regimen(load_drug("trastuzumab-sc"), "q3w")
    with pytest.raises(DoseError, match="no loading dose to give again"):
        delayed(regimen, 3, 7, is_reloaded=True)
