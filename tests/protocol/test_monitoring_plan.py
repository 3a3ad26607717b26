"""Monitoring plans: what the labels and ESC 2022 say, for early and metastatic disease."""

from __future__ import annotations

import datetime

import pytest

from her2sim.errors import Her2SimError
from her2sim.patients.patient import Patient, load_patient
from her2sim.pk.combination import load_combination
from her2sim.protocol.monitoring_plan import MonitoringPlan, monitoring_plan, months_later
from her2sim.regimens.library import load_regimen
from her2sim.report.protocol_tables import plan_tables
from tests.conftest import ROOT

START = datetime.date(2026, 12, 1)


def patient(kind: str, **changes: object) -> Patient:
    return load_patient(ROOT / "examples" / f"patient_{kind}.toml").model_copy(update=changes)


def days(plan: MonitoringPlan, asked_by: str, test: str = "echocardiography") -> list[float]:
    (found,) = (t for t in plan.tests if t.asked_by.startswith(asked_by) and test in t.test)
    return list(found.days)


def test_early_disease_by_label_and_guideline() -> None:
    plan = monitoring_plan(patient("ebc"), load_regimen("trastuzumab"), 52, "us", START)
    assert plan.risk.level == "low"
    last = max(dose.day for dose in plan.doses)
    assert last == 357
    us = days(plan, "US label of trastuzumab")
    assert us[:5] == [0, 84, 168, 252, 336]
    dates = [plan.date(day) for day in us[5:]]  # every 6 months for 2 years after 2027-11-23
    assert dates == ["2028-05-23", "2028-11-23", "2029-05-23", "2029-11-23"]
    assert days(plan, "ESC 2022, class I,") == [0, 84, 168, 252, 336, us[6]]
    until = {line.what: plan.date(line.until_day) for line in plan.afterwards}
    assert until["contraception, women"] == "2028-06-23"  # 7 months
    assert plan.doses[0].dose_mg == pytest.approx(8 * 74)


def test_metastatic_disease_goes_on_every_six_months_unless_the_risk_is_high() -> None:
    regimen = load_regimen("trastuzumab")
    low = monitoring_plan(patient("mbc"), regimen, 104, "us")
    assert days(low, "ESC 2022") == [0, 84, 168, 252, 336, 420, 602]
    high = monitoring_plan(patient("mbc", heart=("stable_angina",)), regimen, 104, "us")
    assert high.risk.level == "high"
    assert days(high, "ESC 2022, class IIb")[:4] == [0, 42, 84, 126]


def test_an_anthracycline_of_the_regimen_counts() -> None:
    name = "doxorubicin-then-paclitaxel-pertuzumab-trastuzumab"
    plan = monitoring_plan(patient("ebc"), load_regimen(name), 64)
    assert plan.risk.level == "moderate"  # with hypertension: two points
    together = load_regimen("doxorubicin*4 + trastuzumab")
    assert monitoring_plan(patient("ebc"), together, 64).risk.level == "high"


def test_regions_differ_as_published() -> None:
    regimen = load_regimen("trastuzumab")
    us, eu = (monitoring_plan(patient("mbc"), regimen, 52, r, START) for r in ("us", "eu"))
    assert max(days(us, "US label")) == 336  # follow-up after the end is for adjuvant treatment
    assert eu.date(max(days(eu, "EU label"))) == "2029-11-23"  # to 24 months after the end


def test_blood_counts_of_conjugates_come_with_each_dose() -> None:
    plan = monitoring_plan(patient("mbc"), load_regimen("trastuzumab-emtansine"), 12)
    each = {t.test for t in plan.tests if t.at_each_dose}
    assert {"platelet count", "AST", "ALT"} <= each


def test_a_plan_says_whether_the_regimen_is_labelled_for_the_patient() -> None:
    thp = load_regimen("thp")
    fits = monitoring_plan(patient("mbc"), thp, 12)
    assert fits.verdict is not None
    assert fits.verdict.labelled
    assert fits.as_dict()["labelled"] is True
    assert fits.as_dict()["dated"] == fits.verdict.dated
    treated = patient("mbc", history=("prior_trastuzumab",))
    lacks = monitoring_plan(treated, thp, 12, "eu").as_dict()
    assert lacks["labelled"] is False
    assert lacks["reasons"] == [
        "not told: no anti-HER2 therapy or chemotherapy yet for metastatic disease"
    ]
    written = monitoring_plan(treated, load_regimen("trastuzumab + docetaxel"), 12)
    assert (written.verdict, written.as_dict()["labelled"]) == (None, None)


@pytest.mark.parametrize(
    ("regimen", "rows"),
    [
        ("T-DM1", [("1", "3.6 mg/kg over 90 min"), ("3", "3.6 mg/kg over 30 min")]),
        ("trastuzumab", [("1", "8 mg/kg over 90 min"), ("3", "6 mg/kg over 30 min")]),
        ("trastuzumab-sc", [("4", "600 mg")]),
    ],
)
def test_each_row_of_doses_shows_its_own_infusion_time(regimen: str, rows) -> None:
    doses = plan_tables(monitoring_plan(patient("mbc"), load_regimen(regimen), 12))[0]
    columns = {column.header: list(column.cells) for column in doses.columns}
    assert list(zip(columns["doses"], columns["amount"], strict=True)) == rows


WOMEN = {"contraception, women", "no breastfeeding"}


@pytest.mark.parametrize(
    ("body", "shown", "is_said"),
    [
        ({"female": 1}, WOMEN, False),
        ({"female": 0}, {"contraception, men"}, False),
        ({}, WOMEN | {"contraception, men"}, True),
    ],
)
def test_what_is_kept_up_follows_the_sex_of_the_patient(body, shown, is_said: bool) -> None:
    plan = monitoring_plan(patient("mbc", body=body), load_regimen("T-DXd"), 12)
    assert {line.what for line in plan.afterwards} == shown
    assert any(note.startswith("Sex is not told") for note in plan.notes) == is_said


def test_what_concerns_both_is_shown_to_both() -> None:
    later = [
        monitoring_plan(patient("mbc", body={"female": sex}), load_regimen("trastuzumab"), 12)
        for sex in (0, 1)
    ]
    found = [{line.what for line in plan.afterwards} for plan in later]
    assert found[0] == found[1] - {"contraception, women"}
    assert "no anthracycline, if possible" in found[0]


@pytest.mark.parametrize(
    "regimen",
    [
        "trastuzumab + trastuzumab-sc",
        "trastuzumab*3 + trastuzumab@63",
        "trastuzumab + T-DM1",
        "T-DXd + trastuzumab",
        "T-DM1 + T-DXd",
        "trastuzumab + pertuzumab:none",
    ],
)
def test_a_plan_refuses_what_a_course_refuses(regimen: str) -> None:
    with pytest.raises(Her2SimError) as of_course:
        load_combination(regimen)
    with pytest.raises(type(of_course.value)) as of_plan:
        monitoring_plan(patient("mbc"), load_regimen(regimen), 12)
    assert str(of_plan.value) == str(of_course.value)


@pytest.mark.parametrize(
    ("start", "months", "date"),
    [
        ((2026, 8, 31), 6, (2027, 2, 28)),
        ((2027, 8, 31), 6, (2028, 2, 29)),
        ((2026, 11, 15), 1, (2026, 12, 15)),
        ((2026, 12, 15), 12, (2027, 12, 15)),
    ],
)
def test_months_are_those_of_the_calendar(start, months: int, date) -> None:
    first = datetime.date(*start)
    assert months_later(0, months, first) == (datetime.date(*date) - first).days
    assert abs(months_later(0, months, None) - 30.4375 * months) <= 1
