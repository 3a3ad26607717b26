"""Scans by the calendar and what RECIST 1.1 makes of them; tests of the heart."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.biology.virtual_cohort import draw_virtual_cohort
from her2sim.patients.population import load_population
from her2sim.pk.exposure_run import cohort_chunks
from her2sim.protocol.readings import Visit
from her2sim.virtual_patient.calendar import Calendar, every_day
from her2sim.virtual_patient.heart_tests import HeartTests
from her2sim.virtual_patient.tumour_scans import Scans

NEVER = np.inf


@pytest.fixture(scope="module")
def people():
    return draw_virtual_cohort(next(cohort_chunks(load_population("mbc"), 4, 1, 4)))


def test_a_calendar_of_two_paces() -> None:
    calendar = Calendar(((42.0, 168.0), (63.0, NEVER)))
    day, found = np.zeros(1), []
    for _ in range(7):
        day = calendar.after(day)
        found.append(float(day[0]))
    assert found == [42, 84, 126, 168, 231, 294, 357]
    assert calendar.after(np.array([41.0, 42.0, 100.0, 230.9])).tolist() == [42, 84, 126, 231]


def test_progression_needs_a_fifth_and_five_millimetres(people) -> None:
    scans = Scans(people, calendar=every_day(42.0))
    scans.error = 0.0
    scans.first_mm = np.array([20.0, 100.0, 100.0, 100.0])
    scans.nadir_mm = scans.first_mm.copy()
    who, elsewhere = np.arange(4), np.array([NEVER, NEVER, NEVER, 41.0])
    found = scans.look(
        Visit(42.0, who, np.zeros(4)), np.array([24.5, 121.0, 119.0, 50.0]), elsewhere
    )
    # 22 % but 4.5 mm; 21 % and 21 mm; 19 %; a new lesion
    assert found.tolist() == [0, 1, 0, 1]
    assert scans.by_target.tolist() == [False, True, False, False]
    assert scans.progressed_day.tolist() == [NEVER, 42, NEVER, 42]
    assert scans.next_day.tolist() == [84, NEVER, 84, NEVER]
    assert np.isnan(scans.look(Visit(60.0, who, np.zeros(4)), np.full(4, 50.0), elsewhere)).all()


def test_a_response_is_confirmed_four_weeks_later_and_a_complete_one_too(people) -> None:
    scans = Scans(people, calendar=every_day(42.0))
    scans.error = 0.0
    scans.first_mm = np.full(4, 100.0)
    scans.nadir_mm = scans.first_mm.copy()
    who, elsewhere = np.arange(4), np.full(4, NEVER)
    sizes = ([69.0, 69.0, 5.0, 72.0], [69.0, 80.0, 5.0, 60.0], [69.0, 60.0, 5.0, 60.0])
    for k, mm in enumerate(sizes):
        scans.look(Visit(42.0 * (k + 1), who, np.zeros(4)), np.array(mm), elsewhere)
    assert scans.response_day.tolist() == [42, 42, 42, 84]
    assert scans.confirmed_day.tolist() == [84, NEVER, 84, 126]
    assert scans.complete_confirmed_day.tolist() == [NEVER, NEVER, 84, NEVER]


def test_falls_of_the_lvef_count_from_the_first_measurement(people) -> None:
    tests = HeartTests(people, 0.0, every_day(84.0))
    who = np.arange(4)
    for day, lvef in ((0.0, [65, 65, 55, 65]), (84.0, [49, 56, 48, 54]), (168.0, [48, 64, 48, 49])):
        tests.note(Visit(day, who, np.zeros(4)), np.array(lvef, dtype=float))
    assert tests.fell_day["lvef_drop"].tolist() == [84, NEVER, NEVER, 168]
    assert tests.fell_day["lvef_drop_16"].tolist() == [84, NEVER, NEVER, 168]
    assert tests.fell_day["lvef_below_50"].tolist() == [84, NEVER, 84, 168]
    assert tests.fell_day["lvef_points_10"].tolist() == [84, NEVER, NEVER, 84]
    assert tests.fell_twice_day.tolist() == [168, NEVER, NEVER, NEVER]
    assert tests.next_day.tolist() == [252] * 4


def test_nobody_enters_with_a_first_lvef_below_the_limit(people) -> None:
    tests = HeartTests(people, 5.0, None, entry_percent=55.0)
    who = np.arange(4)
    start = Visit(0.0, who, np.zeros(4))
    first = tests.measure(start, np.full(4, 52.0))
    tests.note(start, first)
    assert (first >= 55).all()
    later = tests.measure(Visit(84.0, who, np.zeros(4)), np.full(4, 52.0))
    assert (later < 55).any()
