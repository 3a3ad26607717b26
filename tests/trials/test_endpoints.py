"""Endpoints from outcomes, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.report.trial_tables import figure_cells
from her2sim.studies.trial.rows import safety_rows
from her2sim.trials.endpoints import ArmOutcomes
from her2sim.trials.library import load_trial
from her2sim.trials.run import RunSettings
from her2sim.units import DAY_PER_MONTH

NEVER = np.inf
MONTH = DAY_PER_MONTH


def outcomes(**columns: list[float]) -> ArmOutcomes:
    """An arm of CLEOPATRA, all observed for 40 months unless told."""
    n = len(next(iter(columns.values())))
    usual = {
        "member": [1] * n, "cut_day": [40 * MONTH] * n, "lost_day": [NEVER] * n,
        "death_day": [NEVER] * n, "progressed_day": [NEVER] * n, "response_day": [NEVER] * n,
        "confirmed_day": [NEVER] * n, "complete_day": [NEVER] * n,
        "complete_confirmed_day": [NEVER] * n,
    }  # fmt: skip
    found = {name: np.array(values) for name, values in (usual | columns).items()}
    return ArmOutcomes(load_trial("cleopatra"), found.__getitem__, frozenset(found))


def test_progression_death_and_the_end_of_observation() -> None:
    arm = outcomes(
        progressed_day=[10 * MONTH, NEVER, 12 * MONTH, 30 * MONTH],
        death_day=[20 * MONTH, 8 * MONTH, NEVER, NEVER],
        lost_day=[NEVER, NEVER, 6 * MONTH, NEVER],
    )
    pfs, ttp, os = (arm.times(e) for e in ("PFS", "TTP", "OS"))
    assert pfs.month == pytest.approx([10, 8, 6, 30])
    assert pfs.event.tolist() == [True, True, False, True]
    assert ttp.month == pytest.approx([10, 8, 6, 30])
    assert ttp.event.tolist() == [True, False, False, True]  # a death is no progression
    assert os.month == pytest.approx([20, 8, 6, 40])
    assert os.event.tolist() == [True, True, False, False]


def test_an_earlier_data_cut_hides_what_came_after_it() -> None:
    """CLEOPATRA is followed for 85 months after the last patient; 25 months earlier is 60."""
    arm = outcomes(
        progressed_day=[10 * MONTH, 30 * MONTH, NEVER], lost_day=[NEVER, NEVER, 6 * MONTH]
    )
    early = arm.times("PFS", follow_up_month=60)
    assert early.month == pytest.approx([10, 15, 6])
    assert early.event.tolist() == [True, False, False]
    assert arm.times("PFS", 85).month.tolist() == arm.times("PFS").month.tolist()


def test_a_response_counts_when_confirmed_and_lasts_until_progression() -> None:
    arm = outcomes(
        response_day=[3 * MONTH, 3 * MONTH, NEVER],
        confirmed_day=[5 * MONTH, NEVER, NEVER],
        progressed_day=[11 * MONTH, 5 * MONTH, 2 * MONTH],
    )
    assert arm.responded("ORR").tolist() == [True, False, False]
    lasting = arm.times("DoR")
    assert lasting.month[0] == pytest.approx(8)
    assert np.isnan(lasting.month[1:]).all()


def test_falls_of_the_lvef_are_counted_until_a_month() -> None:
    arm = outcomes(
        **{
            "day:lvef_drop": [3 * MONTH, 20 * MONTH, NEVER],
            "day:lvef_points_10": [3 * MONTH, 2 * MONTH, 5 * MONTH],
            "day:lvef_points_20": [9 * MONTH, NEVER, NEVER],
        }
    )
    assert arm.had("lvef_drop").tolist() == [True, True, False]
    assert arm.had("lvef_drop", until_month=12).tolist() == [True, False, False]
    assert arm.had("lvef_points_10_to_20").tolist() == [False, True, True]
    assert arm.had("lvef_points_10_to_20", until_month=6).tolist() == [True, True, True]
    assert arm.had("ild") is None


def test_grades_of_counts_are_those_of_ctcae() -> None:
    arm = outcomes(**{"nadir:platelets": [100.0, 60.0, 49.9, 24.9]})
    assert arm.had("thrombocytopenia", "3").tolist() == [False, False, True, True]
    assert arm.had("thrombocytopenia", "4").tolist() == [False, False, False, True]


def test_what_nobody_was_tested_for_is_not_measured() -> None:
    fell = {"day:lvef_drop": [3 * MONTH, NEVER]}
    some = outcomes(**fell, lvef_first=[60.0, np.nan])
    assert some.had("lvef_drop").tolist() == [True, False]  # the untested one has not fallen
    assert not some.is_unmeasured("lvef_drop")
    nobody = outcomes(**{"day:lvef_drop": [NEVER, NEVER]}, lvef_first=[np.nan, np.nan])
    assert nobody.had("lvef_drop") is None
    assert nobody.is_unmeasured("lvef_drop")
    assert not nobody.is_unmeasured("heart_failure")
    arms = {arm.id: nobody for arm in nobody.trial.arm}
    rows = safety_rows(nobody.trial, arms, RunSettings(2, 1, 1))
    figures = [row.figure for row in rows if row.event == "lvef_drop"]
    assert figures
    for figure in figures:
        assert (figure.predicted, figure.low, figure.high) == (None, None, None)
        assert figure_cells(figure)[0] == "not measured"
