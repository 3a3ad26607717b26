"""Washout after the last dose."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.errors import DataError
from her2sim.patients.population import load_population
from her2sim.pk.exposure_run import draw_cohort, simulate, simulate_reference_patient
from her2sim.pk.treatment import load_treatment
from her2sim.studies.washout import days_until_below, washout_report

EBC = load_population("ebc")


def test_the_crossing_is_log_linear_and_the_last_one() -> None:
    time = np.array([0.0, 1.0, 2.0, 3.0])
    concentration = np.array([
        [0.5, 4.0, 0.25, 0.1],  # rises first; ln 4 of ln 16: half way
        [8.0, 4.0, 2.0, 1.0],  # still at the level at the end
        [0.9, 0.5, 0.1, 0.0],  # never there
        [2.0, 0.0, 0.0, 0.0],  # falls to nothing
    ])  # fmt: skip
    found = days_until_below(concentration, time, 1.0)
    assert found[:3] == pytest.approx([1.5, np.inf, 0.0])
    assert 0 < found[3] < 1


def test_typical_washout_of_trastuzumab_is_that_of_an_independent_simulation() -> None:
    """Below 1 ug/mL 67 days after the last of 12 doses every three weeks (printed to the day)."""
    treatment = load_treatment("trastuzumab", "q3w")
    time = np.linspace(0, 140, 561)
    course = simulate_reference_patient(treatment, 12, {"weight": 66}, grid_day=11 * 21 + time)
    assert days_until_below(course.grid, time, 1.0)[0] == pytest.approx(67, abs=1)


def test_a_linear_drug_follows_its_half_life() -> None:
    """Twice the level is reached one terminal half-life earlier, patient by patient."""
    treatment = load_treatment("pertuzumab", "q3w")
    one = washout_report(treatment, EBC, 300, 1, 8, 2.0, 200)
    two = washout_report(treatment, EBC, 300, 1, 8, 4.0, 200)
    four = washout_report(treatment, EBC, 300, 1, 8, 8.0, 200)
    assert np.isfinite(one.below_day).all()
    # Late in the terminal phase the fast phase is gone: below 0.1 % of the concentration.
    np.testing.assert_allclose(
        one.below_day - two.below_day, two.below_day - four.below_day, rtol=2e-3
    )


def test_shares_follow_from_the_times_and_seeds_repeat() -> None:
    treatment = load_treatment("trastuzumab", "q3w")
    report = washout_report(treatment, EBC, 500, 4, 6, 1.0, 20)
    assert report.share_below[0] == (report.below_day <= 0).mean()
    assert (np.diff(report.share_below) >= 0).all()
    assert report.share_below[-1] == np.isfinite(report.below_day).mean()
    again = washout_report(treatment, EBC, 500, 4, 6, 1.0, 20)
    np.testing.assert_array_equal(report.below_day, again.below_day)


def test_who_is_not_below_at_the_end_is_not_guessed() -> None:
    report = washout_report(load_treatment("trastuzumab", "q3w"), EBC, 200, 4, 6, 1.0, 4)
    assert report.as_dict()["days_after_last_dose"]["p95"] is None
    with pytest.raises(DataError, match="above zero"):
        washout_report(load_treatment("trastuzumab", "q3w"), EBC, 10, 4, 6, 0.0, 4)


def test_a_grid_after_the_last_cycle_has_numbers_and_changes_none_before() -> None:
    treatment = load_treatment("trastuzumab", "q3w")
    people = draw_cohort(EBC, np.arange(1, 21), 1)
    near, far = np.array([0.0, 10.0, 42.0]), np.array([0.0, 10.0, 42.0, 50.0, 400.0])
    short = simulate(treatment, people, 2, grid_day=near)
    long = simulate(treatment, people, 2, grid_day=far)
    assert np.isfinite(long.grid).all()
    np.testing.assert_array_equal(short.cycles, long.cycles)
    np.testing.assert_allclose(short.grid, long.grid[:, :3], rtol=1e-6)  # steps may differ
