"""Supply interruptions: who gets what, when, and what it does to levels."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.errors import DataError
from her2sim.patients.cohort import Cohort
from her2sim.patients.population import load_population
from her2sim.pk.exposure_run import cohort_chunks, simulate
from her2sim.pk.record_run import exposure_of_record
from her2sim.pk.treatment import load_treatment
from her2sim.protocol.label import load_label
from her2sim.protocol.plan import DrugPlan, Protocol, ProtocolRun
from her2sim.protocol.readings import TableReadings
from her2sim.protocol.supply import Shortage
from her2sim.protocol.visits import run_protocol
from her2sim.regimens.changes import switched
from her2sim.regimens.dosing_record import Why
from her2sim.studies.shortage import shortage_report

END = 378.0


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return next(cohort_chunks(load_population("ebc"), 300, 4, 300))


def treated(cohort: Cohort, drug: str, *shortages: Shortage) -> ProtocolRun:
    treatment = load_treatment(drug, "q3w")
    plan = DrugPlan(drug, treatment.regimen, load_label(drug, "us"))
    protocol = Protocol((plan,), "early", END, shortages=shortages)
    return run_protocol(protocol, cohort, TableReadings({}))


def doses_of(course: ProtocolRun, patient: int = 0) -> list[tuple[float, str]]:
    own = course.record.of(0)
    rows = own.patient == patient
    whys = [Why(w).name.lower() for w in own.why[rows]]
    return list(zip(own.day[rows].round(3).tolist(), whys, strict=True))


def test_delay_waits_and_reloads_by_the_label(cohort: Cohort) -> None:
    """Missing from day 84 to 112: asked for each week, given on day 112, 28 days late."""
    course = treated(cohort, "trastuzumab", Shortage("trastuzumab", "delay", 84, 112))
    doses = doses_of(course)
    assert [day for day, _ in doses[:6]] == [0, 21, 42, 63, 112, 133]
    assert [why for _, why in doses[3:6]] == ["maintenance", "reload", "maintenance"]
    assert (course.n_missed[0] == 4).all()
    never = treated(
        cohort, "trastuzumab", Shortage("trastuzumab", "delay", 84, 112, reload="never")
    )
    assert [day for day, _ in doses_of(never)] == [day for day, _ in doses]
    assert {why for _, why in doses_of(never)[1:]} == {"maintenance"}


def test_skip_keeps_the_days_and_counts_from_the_missed_dose(cohort: Cohort) -> None:
    course = treated(cohort, "trastuzumab", Shortage("trastuzumab", "skip", 84, 90))
    doses = doses_of(course)
    assert [day for day, _ in doses] == [21.0 * k for k in range(18) if k != 4]
    assert dict(doses)[105.0] == "reload"  # three weeks after the dose that was missed
    short = treated(cohort, "trastuzumab", Shortage("trastuzumab", "delay", 84, 91))
    assert dict(doses_of(short))[91.0] == "maintenance"  # a week late is not more than a week


def test_a_substitute_gives_the_levels_of_a_switch(cohort: Cohort) -> None:
    """All doses from the fifth on by the intravenous form: as the plan that switches there."""
    sc, iv = (load_treatment("trastuzumab-sc", name) for name in ("q3w", "q3w-iv"))
    (instead,) = iv.regimen.phases
    shortage = Shortage("trastuzumab-sc", "substitute", 84, instead=instead)
    course = treated(cohort, "trastuzumab-sc", shortage)
    assert [why for _, why in doses_of(course)] == ["maintenance"] * 4 + ["substitute"] * 14
    ends = [21.0 * (k + 1) for k in range(18)]
    found = exposure_of_record(sc, cohort, course.record, 0, ends)
    switch = switched(sc.regimen, iv.regimen, 4)
    planned = simulate(type(sc)(sc.drug, sc.pk, switch), cohort, ends)
    # mg are worked out before the rate, not after it: the last bits differ.
    assert found.metric("cmin") == pytest.approx(planned.metric("cmin"), rel=1e-8)


def test_probability_is_that_of_the_visits(cohort: Cohort) -> None:
    course = treated(cohort, "trastuzumab", Shortage("trastuzumab", "skip", probability=0.2))
    visits = 18 * cohort.n_patients
    share = course.n_missed[0].sum() / visits
    assert abs(share - 0.2) < 4 * np.sqrt(0.2 * 0.8 / visits)  # four standard errors
    assert course.record.day.size + course.n_missed[0].sum() == visits
    part = treated(
        cohort.part(50, 60), "trastuzumab", Shortage("trastuzumab", "skip", probability=0.2)
    )
    assert (part.n_missed[0] == course.n_missed[0][50:60]).all()


def test_the_report_sets_both_courses_beside_each_other(cohort: Cohort) -> None:
    shortage = Shortage("trastuzumab", "delay", 84, 126)
    report = shortage_report(
        load_treatment("trastuzumab", "q3w"), shortage, cohort, cohort.n_patients, 4, 18, 20.0
    )
    planned, short = report.courses
    assert planned.per_patient["dose_intensity"].p95 == pytest.approx(1)
    given = 8 + 3 * 6 + 8 + 11 * 6  # mg/kg: 16 doses up to day 357, one of them a reload
    expected = given / (357 + 21) / ((8 + 15 * 6) / (16 * 21))
    assert short.per_patient["dose_intensity"].median == pytest.approx(expected)
    assert (short.trough[1, :4] == planned.trough[1, :4]).all()  # nothing before it changes
    assert (short.trough[1, 4:6] < 0.4 * planned.trough[1, 4:6]).all()
    assert short.trough[1, -1] > 0.98 * planned.trough[1, -1]  # and it is made up for


def test_impossible_shortages_are_refused() -> None:
    for words, message in (
        ({"from_day": 20, "until_day": 10}, "the end must come later"),
        ({"probability": 0.0}, "use above 0 to 1"),
        ({"policy": "substitute"}, "a substitute is needed"),
    ):
        with pytest.raises(DataError, match=message):
            Shortage(**{"drug": "trastuzumab", "policy": "delay", **words})
