"""Rows of labels that were once wrong: each test fails on the row as it was."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.drugs.drug import load_drug
from her2sim.patients.cohort import Cohort
from her2sim.patients.patient import load_patient
from her2sim.protocol.decisions import Cause, Decision
from her2sim.protocol.label import AfterLastDose, Label, Region, load_label
from her2sim.protocol.monitoring_plan import monitoring_plan
from her2sim.protocol.plan import DrugPlan, Protocol, ProtocolRun
from her2sim.protocol.readings import TableReadings
from her2sim.protocol.visits import run_protocol
from her2sim.regimens.library import load_regimen
from her2sim.regimens.regimen import labelled_regimen
from tests.conftest import ROOT

END = 168.0
Told = dict[str, list[tuple[float, float]]]


def label_of(drug: str, region: Region = "us") -> Label:
    label = load_label(drug, region)
    assert label is not None
    return label


def course(
    told: Told,
    *drugs: tuple[str, str],
    region: Region = "us",
    setting: str = "metastatic",
    end: float = END,
) -> ProtocolRun:
    """One patient of 70 kg on some drugs; readings by variable: (day, value)."""
    plans = tuple(
        DrugPlan(drug, labelled_regimen(load_drug(drug), name), load_label(drug, region))
        for drug, name in drugs
    )
    records = {
        name: (
            np.zeros(len(rows), dtype=np.int64),
            np.array([day for day, _ in rows]),
            np.array([value for _, value in rows]),
        )
        for name, rows in told.items()
    }
    body = {"weight_kg": np.array([70.0]), "bsa_m2": np.array([1.8])}
    cohort = Cohort("one", np.array([1]), body, seed=1)
    protocol = Protocol(plans, setting, end)  # type: ignore[arg-type]
    return run_protocol(protocol, cohort, TableReadings(records))


def stopped(run: ProtocolRun, drug: int = 0) -> bool:
    return bool(np.isfinite(run.stopped_day[drug, 0]))


def amounts(run: ProtocolRun, drug: int = 0) -> list[float]:
    """Amounts in order, each once as long as it stays the same."""
    own = run.record.of(drug).dose_mg
    return [float(mg) for k, mg in enumerate(own) if not k or mg != own[k - 1]]


@pytest.mark.parametrize(
    ("drug", "regimen", "region", "setting"),
    [
        ("trastuzumab", "q3w", "us", "metastatic"),
        ("pertuzumab", "q3w", "us", "metastatic"),
        ("pertuzumab", "q3w", "eu", "metastatic"),
        ("margetuximab", "q3w", "us", "metastatic"),
        ("trastuzumab-emtansine", "q3w", "us", "early"),
    ],
)
def test_heart_failure_with_symptoms_stops(drug, regimen, region, setting) -> None:
    told: Told = {"lvef": [(0, 60), (21, 58)], "heart_failure": [(0, 0), (21, 1)]}
    assert stopped(course(told, (drug, regimen), region=region, setting=setting))


def test_neratinib_stops_for_grade_4_and_for_a_hold_of_three_weeks() -> None:
    assert stopped(course({"diarrhoea_grade": [(0, 0), (28, 4)]}, ("neratinib", "qd")))
    lasting: Told = {"diarrhoea_complicated": [(0, 0), (28, 1)], "diarrhoea_grade": [(0, 0)]}
    lasting["diarrhoea_grade"] += [(28.0 + 7 * k, 2.0) for k in range(5)]
    run = course(lasting, ("neratinib", "qd"))
    assert stopped(run)
    assert Cause.MAX_HOLD_DAYS in run.log.cause


def test_lapatinib_goes_on_although_a_complication_was_never_read_again() -> None:
    told: Told = {
        "diarrhoea_grade": [(0, 0), (28, 2), (42, 0)],
        "diarrhoea_complicated": [(0, 0), (28, 1)],
    }
    run = course(told, ("lapatinib", "qd"))
    assert Decision.RESUME in run.log.decision
    assert amounts(run) == [1250.0, 1000.0]


def test_lapatinib_is_held_for_a_fall_of_grade_2_where_the_limit_of_normal_is_lower() -> None:
    label = label_of("lapatinib")
    (rule,) = (r for r in label.rule if r.toxicity == "lvef")
    condition = rule.condition("hold_when")
    values = {name: np.array([np.nan]) for name in condition.variables}
    assert condition.holds(values | {"lvef": np.array([49.0])}, {"lln": 45.0})[0]
    assert not condition.holds(values | {"lvef": np.array([50.0])}, {"lln": 45.0})[0]


def test_early_tdm1_keeps_its_dose_after_a_low_lvef_and_loses_it_after_two_low_platelets() -> None:
    run = course({"lvef": [(0, 60), (21, 43), (42, 56)]}, ("trastuzumab-emtansine", "q3w"),
                 setting="early")  # fmt: skip
    assert Decision.RESUME in run.log.decision
    assert amounts(run) == [pytest.approx(3.6 * 70)]
    low: Told = {"platelets": [(0, 250), (21, 60), (42, 90), (63, 60), (84, 90)]}
    for region in ("us", "eu"):
        run = course(low, ("trastuzumab-emtansine", "q3w"), setting="early", region=region)
        assert amounts(run) == [pytest.approx(3.6 * 70), pytest.approx(3.0 * 70)]
        assert list(run.log.decision) == [
            Decision.HOLD, Decision.RESUME, Decision.HOLD, Decision.RESUME, Decision.REDUCE,
        ]  # fmt: skip


@pytest.mark.parametrize("region", ["us", "eu"])
def test_a_severe_infusion_reaction_ends_trastuzumab_deruxtecan(region: Region) -> None:
    told: Told = {"infusion_reaction_grade": [(0, 0), (21, 3)]}
    assert stopped(course(told, ("trastuzumab-deruxtecan", "q3w"), region=region))


def test_liver_tests_of_neratinib_are_close_at_first() -> None:
    for region, days in (
        ("us", [0, 28, 56, 84, 168, 252]),
        ("eu", [0, 7, 35, 63, 91, 133, 175, 217, 259]),
    ):
        label = label_of("neratinib", region)  # type: ignore[arg-type]
        (line,) = (m for m in label.monitoring if m.variable == "alt")
        assert [*line.days(0, 260)] == days


def after(label: Label, what: str) -> AfterLastDose:
    (line,) = (row for row in label.after_last_dose if row.what == what)
    return line


def test_what_is_kept_up_after_the_last_dose() -> None:
    assert after(label_of("neratinib"), "contraception, men").months == 3
    assert after(label_of("neratinib", "eu"), "contraception, men").months == 3
    assert after(label_of("trastuzumab", "eu"), "no anthracycline, if possible").months == 7
    assert after(label_of("pertuzumab", "eu"), "contraception, women").months == 6
    assert after(label_of("margetuximab"), "contraception, women").months == 4


def test_the_lvef_is_followed_to_five_years_after_an_anthracycline() -> None:
    patient = load_patient(ROOT / "examples" / "patient_ebc.toml")
    for name, n_late in (
        ("doxorubicin-then-paclitaxel-trastuzumab", 3), ("trastuzumab-paclitaxel", 0),
    ):  # fmt: skip
        plan = monitoring_plan(patient, load_regimen(name), 52, "eu")
        (test,) = (t for t in plan.tests if "EU label of trastuzumab" in t.asked_by)
        last = max(dose.day for dose in plan.doses if dose.drug == "trastuzumab")
        late = [day for day in test.days if day > last + 24.5 * 30.4]
        assert len(late) == n_late


@pytest.mark.parametrize(
    ("drug", "region", "amount", "unit", "given_with", "ladder"),
    [
        ("trastuzumab-deruxtecan", "us", 5.4, "mg/kg", (), [5.4, 4.4, 3.2]),
        ("trastuzumab-deruxtecan", "us", 6.4, "mg/kg", (), [6.4, 5.4, 4.4]),
        ("lapatinib", "us", 1250, "mg", (), [1250, 1000]),
        ("lapatinib", "us", 1500, "mg", (), [1500, 1250]),
        ("lapatinib", "us", 1000, "mg", (), [1000]),
        ("lapatinib", "us", 1000, "mg", ("trastuzumab",), [1000, 750]),  # not confirmed: EU text
        ("lapatinib", "eu", 1000, "mg", (), [1000, 750]),
        ("neratinib", "us", 240, "mg", (), [240, 200, 160, 120]),
        ("neratinib", "us", 240, "mg", ("capecitabine",), [240, 160, 120]),
        ("docetaxel", "eu", 100, "mg/m2", (), [100, 75, 60]),
        ("docetaxel", "eu", 75, "mg/m2", (), [75, 60]),
        ("docetaxel", "eu", 80, "mg/m2", (), [80, 60, 48]),  # no ladder names it: shares
        ("capecitabine", "us", 1000, "mg/m2", (), [1000, 750, 500]),
    ],
)
def test_dose_levels_follow_the_start_and_the_partner(
    drug, region, amount, unit, given_with, ladder
) -> None:
    shares = label_of(drug, region).level_shares(amount, unit, given_with)
    assert [share * amount for share in shares] == pytest.approx(ladder)


def test_a_protocol_knows_who_is_given_together() -> None:
    told: Told = {"other_grade": [(0, 0), (28, 3), (35, 0)]}
    alone = course(told, ("neratinib", "qd"))
    both = course(told, ("neratinib", "qd"), ("capecitabine", "bid-750"))
    assert (amounts(alone), amounts(both)) == ([240.0, 200.0], [240.0, 160.0])


def test_a_course_of_docetaxel_from_75_goes_down_once_and_then_stops() -> None:
    fever: Told = {"fever": [(0, 0)], "neutrophils": [(0, 5)]}
    for day in (21, 63):
        fever["fever"] += [(day, 1), (day + 21.0, 0)]
        fever["neutrophils"] += [(day, 0.4), (day + 21.0, 3)]
    run = course(fever, ("docetaxel", "q3w"), region="eu")
    assert amounts(run) == [pytest.approx(75 * 1.8), pytest.approx(60 * 1.8)]
    assert stopped(run)


def test_capecitabine_is_lowered_from_the_second_hold_of_a_grade_2_on() -> None:
    told: Told = {"diarrhoea_grade": [(0, 0)]}
    for day in (21, 63, 105, 147):
        told["diarrhoea_grade"] += [(day, 2.0), (day + 21.0, 0.0)]
    run = course(told, ("capecitabine", "bid-1000"), end=252.0)
    assert amounts(run) == [1800.0, 1350.0, 900.0]
    assert stopped(run)


def test_rows_of_another_country_are_not_confirmed() -> None:
    """A source whose citation names another country is no confirmation."""
    elsewhere = ("Swiss", "Singapore", "Philippine", "Thai", "Hong Kong", "UK compendium",
                 "Vietnam", "Canadian", "another country", "blog")  # fmt: skip
    for drug in ("trastuzumab", "pertuzumab", "trastuzumab-emtansine", "trastuzumab-deruxtecan",
                 "tucatinib", "neratinib", "lapatinib", "docetaxel", "capecitabine",
                 "doxorubicin", "paclitaxel", "carboplatin"):  # fmt: skip
        for region in ("us", "eu"):
            label = load_label(drug, region)  # type: ignore[arg-type]
            for row in label.rows() if label is not None else ():
                where = label.source_text(row.source or "")
                if any(word in where for word in elsewhere):
                    assert not row.is_confirmed, (drug, region, where)
                    assert row.note, (drug, region, where)
