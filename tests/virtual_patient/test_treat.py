"""Properties of people who are treated: what must hold whatever the numbers are."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.biology.ensemble import Members
from her2sim.biology.tumour_profile import TumourProfile
from her2sim.biology.virtual_cohort import VirtualCohort, draw_virtual_cohort
from her2sim.errors import UnknownNameError
from her2sim.patients.population import load_population
from her2sim.pk.combination import load_combination
from her2sim.pk.exposure_run import cohort_chunks
from her2sim.protocol.decisions import Decision
from her2sim.protocol.plan import DrugPlan, Protocol
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.virtual_patient.calendar import every_day
from her2sim.virtual_patient.composition import virtual_patient
from her2sim.virtual_patient.run import planned_record, run_virtual_patient
from her2sim.virtual_patient.switches import CLONES, SWITCHES
from her2sim.virtual_patient.treat import Treated, TreatmentPlan, treat

END_DAY, LONG_DAY = 252.0, 728.0
GRID_DAY = np.arange(0.0, END_DAY + 1, 21.0)


def people(n: int, **known: object) -> VirtualCohort:
    cohort = next(cohort_chunks(load_population("mbc"), n, 21, n))
    return draw_virtual_cohort(cohort, TumourProfile(**known))  # type: ignore[arg-type]


def treated(regimen: str, who: VirtualCohort, **how: object) -> Treated:
    options = TreatmentPlan(END_DAY, **how)  # type: ignore[arg-type]
    return treat(load_combination(regimen).treatments, who, options)


@pytest.fixture(scope="module")
def course() -> Treated:
    return treated("T-DXd", people(400))


def test_rules_fire_by_themselves(course: Treated) -> None:
    acted = {course.protocol_run.log.rules[k] for k in np.unique(course.protocol_run.log.rule)}
    assert "trastuzumab-deruxtecan-us-ild-g2" in acted
    assert "trastuzumab-deruxtecan-us-neutrophils-g3" in acted
    assert "treatment-until-progression" in acted


def test_nobody_is_treated_after_progression_or_a_stop(course: Treated) -> None:
    record, stopped = course.protocol_run.record, course.protocol_run.stopped_day[0]
    assert np.isfinite(stopped).sum() > 50
    assert (record.day < stopped[record.patient]).all()
    progressed = course.instruments.scans.progressed_day
    assert (progressed[np.isfinite(progressed)] <= END_DAY).all()
    assert (record.day <= progressed[record.patient]).all()


def test_nobody_comes_to_tests_of_the_heart_after_progression() -> None:
    """They were revived by a test of the label's rule on that day, and went on for years."""
    who = people(300)
    course = treat(
        load_combination("THP").treatments, who, TreatmentPlan(LONG_DAY, lvef_tests=every_day(63.0))
    )
    progressed = course.instruments.scans.progressed_day
    ended = np.isfinite(progressed)
    assert ended.sum() > 50
    hearts = course.instruments.hearts
    assert (hearts.tested_day[ended] <= progressed[ended]).all()
    assert (course.state.day[ended] <= progressed[ended]).all()
    assert np.isinf(hearts.next_day[ended]).all()
    assert (hearts.tested_day[~ended] > LONG_DAY - 90).all()


def test_the_ledger_put_through_the_model_again_gives_the_same_people(course: Treated) -> None:
    """The live patients stop at each visit, the replay at each dose: both to the tolerance."""
    live = course.state
    last = live.day.max()
    who = np.flatnonzero(live.day == last)
    assert who.size > 50
    record = course.protocol_run.record
    kept = record.day < last
    own = DosingRecord(**{name: values[kept] for name, values in vars(record).items()})
    again = run_virtual_patient(course.whole, course.people, own, last, np.empty(0))
    for name in ("log_cells_s", "neutrophils", "heart_effect", "lung_hazard"):
        k = course.whole.model.index("states", name)
        # Each advance is right to 1e-6 of a step.
        assert again.states[k, who] == pytest.approx(live.states[k, who], rel=2e-4, abs=1e-9)


def test_a_patient_is_the_same_in_any_company(course: Treated) -> None:
    some = np.array([3, 77, 200, 399])
    alone = treated("T-DXd", course.people.take(some))
    for k, patient in enumerate(some):
        mine, before = alone.protocol_run.record, course.protocol_run.record
        assert (mine.day[mine.patient == k] == before.day[before.patient == patient]).all()
        assert (mine.dose_mg[mine.patient == k] == before.dose_mg[before.patient == patient]).all()
    assert (alone.state.states == course.state.states[:, some]).all()


def test_holds_lower_the_dose_intensity() -> None:
    who = people(300)
    on, off = (treated("T-DM1", who, by_rules=rules) for rules in (True, False))
    held = on.protocol_run.days_on_hold[0] > 0
    assert held.sum() > 20
    assert off.protocol_run.days_on_hold.sum() == 0
    log = off.protocol_run.log
    assert not np.isin(log.decision, [Decision.HOLD, Decision.REDUCE]).any()


@pytest.mark.parametrize("name", sorted({*SWITCHES, *CLONES} - {"new-lesions"}))
def test_every_mechanism_can_be_switched_off(name: str) -> None:
    """Something changes with it off, and with all kills off nothing but growth is left."""
    regimen = {
        "kinase-inhibition": "lapatinib-capecitabine",
        "payload": "T-DXd",
        "bystander": "T-DXd",
        "release-outside-cells": "T-DXd",
        "lung": "T-DXd",
    }.get(name, "thp")
    treatments = load_combination(regimen).treatments
    who = people(8)
    plans = tuple(DrugPlan(t.drug.id, t.regimen) for t in treatments)
    ends = []
    for off in ((), (name,)):
        whole = virtual_patient(treatments, organs=("heart", "blood", "lung"), off=off)
        record = planned_record(whole, who.cohort, Protocol(plans, "metastatic", END_DAY))
        course = run_virtual_patient(whole, who, record, END_DAY, GRID_DAY)
        ends.append(np.concatenate([course.states.ravel(), course.grid.ravel()]))
    assert not np.allclose(ends[0], ends[1], rtol=1e-4)


def test_without_any_mechanism_every_tumour_grows() -> None:
    kills = [n for n in SWITCHES if n not in ("new-lesions", "heart", "blood", "lung")]
    treatments = load_combination("T-DXd").treatments
    who = people(50)
    whole = virtual_patient(treatments, off=kills)
    plans = tuple(DrugPlan(t.drug.id, t.regimen) for t in treatments)
    record = planned_record(whole, who.cohort, Protocol(plans, "metastatic", END_DAY))
    course = run_virtual_patient(whole, who, record, END_DAY, GRID_DAY)
    assert (np.diff(course.output("volume"), axis=1) > 0).all()


def test_an_unknown_mechanism_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown mechanism 'adc'; did you mean 'adcc'"):
        virtual_patient(load_combination("thp").treatments, off=["adc"])


def test_a_deeper_response_does_not_shorten_progression_free_survival() -> None:
    """The trap: counted from a deeper nadir, regrowth of resistant cells progresses earlier.

    In one patient that may be; in a population a stronger payload must not be worse.
    """
    n = 1500
    cohort = next(cohort_chunks(load_population("mbc"), n, 21, n))
    courses = []
    for share in (0.0, 1.0):
        told = {
            "trastuzumab-deruxtecan:kmax": np.full(n, share),
            "trastuzumab-deruxtecan:kc50": np.full(n, 1.0 - share),
        }
        who = draw_virtual_cohort(
            cohort, TumourProfile(), members=Members(np.zeros(n, dtype=np.int64), told)
        )
        options = TreatmentPlan(LONG_DAY, by_rules=False)
        courses.append(treat(load_combination("T-DXd").treatments, who, options))
    weak, strong = (course.instruments.scans for course in courses)
    assert np.median(strong.best) < np.median(weak.best) - 0.01
    free = [np.minimum(scans.progressed_day, LONG_DAY) for scans in (weak, strong)]
    assert free[1].mean() >= free[0].mean()  # mean time without progression, of the same patients
