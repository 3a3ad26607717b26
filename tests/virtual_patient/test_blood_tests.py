"""Weekly blood counts: how long a low one counts, and that it counts at all."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.biology.virtual_cohort import draw_virtual_cohort
from her2sim.patients.population import load_population
from her2sim.pk.combination import load_combination
from her2sim.pk.exposure_run import cohort_chunks
from her2sim.virtual_patient.blood_tests import BloodTests
from her2sim.virtual_patient.outcomes import patient_outcomes
from her2sim.virtual_patient.treat import TreatmentPlan, treat

NONE = np.nan


def test_a_low_count_lasts_until_the_next_test() -> None:
    tests = BloodTests(("neutrophils", "platelets"), 4)
    who = np.array([3, 0, 1])
    # Patients come again after 21, 17 and 7 days; the first count is that of the last visit.
    counts = np.array([[5.0, 1.4, 0.9], [1.4, 1.5, 1.0], [1.0, NONE, NONE]])
    tests.note_days("neutrophils", who, counts, np.array([21.0, 17.0, 7.0]))
    assert tests.days_low.tolist() == [7 + 3, 7, 0, 14]
    tests.note_days("platelets", who[:1], np.array([[74.0]]), np.array([5.0]))
    assert tests.days_low[3] == 14 + 5


def test_low_counts_are_adverse_events_of_grade_2() -> None:
    people = draw_virtual_cohort(next(cohort_chunks(load_population("mbc"), 200, 4, 200)))
    treated = treat(
        load_combination("trastuzumab + docetaxel").treatments, people, TreatmentPlan(126.0)
    )
    outcomes = patient_outcomes(treated)
    nadir = outcomes.nadir_count("neutrophils")
    assert nadir is not None
    severe, low = (nadir < limit for limit in (1.0, 1.5))
    days = outcomes.days_grade_2 - treated.instruments.events.days_grade_2()
    assert severe.mean() > 0.2
    assert ((days > 0) == low)[treated.state.day > 0].mean() > 0.95  # a low last visit has no days
    assert days[severe].min() >= 0
    assert days[severe].mean() > 7
    assert (days <= 126.0).all()


def test_who_is_not_on_such_a_drug_has_no_days_of_low_counts() -> None:
    people = draw_virtual_cohort(next(cohort_chunks(load_population("mbc"), 20, 4, 20)))
    treated = treat(load_combination("trastuzumab").treatments, people, TreatmentPlan(84.0))
    assert treated.instruments.blood.days_low.tolist() == [0.0] * 20
    assert patient_outcomes(treated).days_grade_2 == pytest.approx(
        treated.instruments.events.days_grade_2()
    )
