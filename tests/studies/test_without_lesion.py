"""Where no lesion is scanned nothing is said of one: early disease, tumours other than breast."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from her2sim.api.patients import Patients
from her2sim.biology.virtual_cohort import draw_virtual_cohort
from her2sim.errors import DataError
from her2sim.patients.cohort import Cohort, draw_cohort
from her2sim.patients.patient import Patient, load_patient
from her2sim.patients.population import Population, load_population
from her2sim.pk.combination import load_combination
from her2sim.report.explain_tables import basis_table, explanation_tables
from her2sim.report.population_view import population_tables
from her2sim.studies.explain import explanation
from her2sim.studies.population import PopulationReport, population_report
from her2sim.studies.sensitivity import sensitivity_report
from her2sim.timeline.pair import pair_of_patients
from her2sim.timeline.run import AT_PROGRESSION, TimelinePlan, patient_timeline
from her2sim.virtual_patient.treat import TreatmentPlan, treat

EXAMPLES = Path(__file__).parents[2] / "examples"
OF_LESION = re.compile(r"response|progression|size|diameters|earlier_lines")
ELSEWHERE = "efficacy in early disease: cure and relapse are worked out by her2sim population"
OTHERS = "tumours other than breast, gastric, biliary, colorectal and lung"
NONE_YET = f"efficacy in {OTHERS}: no model yet"


def reported(
    who: Population | Cohort, regimen: str = "trastuzumab", **how: object
) -> PopulationReport:
    n = who.n_patients if isinstance(who, Cohort) else 40
    options = TreatmentPlan(140.0, who.setting, **how)  # type: ignore[arg-type]
    return population_report(load_combination(regimen), who, n, 3, options)


def dealt(kinds: list[str], n: int = 60) -> Cohort:
    cohort = draw_cohort(load_population("mbc"), np.arange(1, n + 1), 3)
    types = np.array(kinds)[np.arange(n) % len(kinds)]
    return replace(cohort, covariates={**cohort.covariates, "tumour_type": types})


def figures(report: PopulationReport) -> dict[str, float]:
    return {outcome.name: outcome.value for outcome in report.outcomes}


def changed(name: str, **fields: object) -> Patient:
    return load_patient(EXAMPLES / name).model_copy(update=fields)


def others() -> Population:
    """People with a tumour of which no trial was fitted."""
    return load_population("btc").model_copy(update={"tumour_type": "other"})


def test_a_population_without_a_lesion_model_has_harms_and_no_efficacy() -> None:
    report = reported(others())
    named = figures(report)
    assert not [n for n in named if OF_LESION.search(n)]
    assert named["trastuzumab: relative dose intensity"] > 0.5
    assert "symptomatic heart failure" in named
    assert [band.title for band in report.bands] == ["true LVEF (%)"]
    assert NONE_YET in report.notes
    assert "none that was fitted" in report.evidence[0]


def test_early_disease_is_cured_or_relapses_and_is_not_scanned() -> None:
    report = reported(load_population("ebc"))
    named = figures(report)
    assert not [n for n in named if OF_LESION.search(n)]
    assert 0 < named["cured (no hidden spread is left)"] < 100
    five, ten = (named[f"without invasive disease at {years} years"] for years in (5, 10))
    assert 100 >= five >= ten
    assert [band.title for band in report.bands] == ["true LVEF (%)"]
    assert not any("no model yet" in note for note in report.notes)


def test_early_disease_in_mixed_company_is_what_it_is_alone() -> None:
    """Early disease beside gastric cancer: the same share is cured as alone."""
    cohort = replace(dealt(["breast", "gastric"]), setting="early")
    breast = cohort.covariates["tumour_type"] == "breast"
    values = {name: v[breast] for name, v in cohort.covariates.items()}
    alone = replace(cohort, numbers=cohort.numbers[breast], covariates=values)
    both, mine = figures(reported(cohort)), figures(reported(alone))
    cured = "cured (no hidden spread is left)"
    assert both[cured] == mine[cured]


def test_progression_stops_nobody_who_has_no_lesion_model() -> None:
    treatments, how = (
        load_combination("trastuzumab").treatments,
        TreatmentPlan(400.0, by_rules=False),
    )
    without, breast = (
        treat(treatments, draw_virtual_cohort(dealt([k])), how) for k in ("other", "breast")
    )
    assert np.isinf(without.protocol_run.stopped_day).all()
    assert np.isfinite(breast.protocol_run.stopped_day).any()
    assert not without.whole.lesions


def test_efficacy_in_mixed_company_is_that_of_the_breast_patients() -> None:
    mixed = dealt(["breast", "other"])
    breast = mixed.covariates["tumour_type"] == "breast"

    def some(chosen: np.ndarray) -> Cohort:
        values = {name: v[chosen] for name, v in mixed.covariates.items()}
        return replace(mixed, numbers=mixed.numbers[chosen], covariates=values)

    together, alone, others = (reported(who) for who in (mixed, some(breast), some(~breast)))
    mine, theirs, all_of_them = figures(alone), figures(others), figures(together)
    efficacy = [name for name in mine if OF_LESION.search(name)]
    assert len(efficacy) >= 2
    assert [mine[name] for name in efficacy] == [all_of_them[name] for name in efficacy]
    days = "days with an adverse event of grade 2 or more"
    assert all_of_them[days] == pytest.approx((mine[days] + theirs[days]) / 2)
    (tumour,) = (band for band in together.bands if "diameters" in band.title)
    (of_breast,) = (band for band in alone.bands if "diameters" in band.title)
    assert (tumour.median == of_breast.median).all()
    (note,) = (note for note in together.notes if note.startswith("efficacy"))
    assert "30 patients with metastatic breast cancer; 30 with tumours other than" in note


def test_a_table_of_patients_can_be_told_to_be_early(tmp_path: Path) -> None:
    table = str(EXAMPLES / "patients.csv")
    assert Patients(table).load(None, 1)[0].setting == "metastatic"
    assert Patients(table, "early").load(None, 1)[0].setting == "early"
    assert Patients("mbc", "early").load(5, 1)[0].setting == "early"
    assert Patients("ebc").load(5, 1)[0].setting == "early"


@pytest.mark.parametrize(
    ("patient", "note"),
    [
        (changed("patient_ebc.toml"), ELSEWHERE),
        (changed("patient_mbc.toml", tumour="other"), "efficacy in tumours other than breast"),
    ],
)
def test_an_explanation_without_a_lesion_model_has_no_size(patient: Patient, note: str) -> None:
    combination = load_combination("trastuzumab + docetaxel")
    people = pair_of_patients(patient, patient, combination.treatments, 3)
    found = explanation(combination, people, 24, ("a", "b"))
    assert found.size_percent is None
    assert found.lvef_percent[0] > 30
    assert all(d.effect_points is None for d in found.differences)
    assert {d.name for d in found.differences} >= {"heart_half", "base_neutrophils"}
    assert all(("earlier_lines" in t) == (patient.setting == "metastatic") for t in found.traits)
    assert [text for text in found.notes if text.startswith(note)]
    tables = (*explanation_tables(found), basis_table(found))
    heads = [str(c.header) for table in tables for c in table.columns]
    assert not [head for head in heads if OF_LESION.search(head)]
    told = found.as_dict()["patients"]
    assert [one["size_percent"] for one in told] == [None, None]


@pytest.mark.parametrize(("people", "note"), [(load_population("ebc"), ELSEWHERE),
                                              (others(), NONE_YET)])  # fmt: skip
def test_sensitivity_without_a_lesion_model_is_that_of_the_heart(
    people: Population, note: str
) -> None:
    report = sensitivity_report(load_combination("trastuzumab + docetaxel"), people, 4, 16, 12, 1)
    assert report.outcomes == ("fall of the LVEF",)
    assert {row.outcome for row in report.rows} == {"fall of the LVEF"}
    assert {row.key.split(":")[0] for row in report.rows} == {"heart"}
    assert report.notes[0].startswith(note)


def test_sensitivity_of_mixed_company_is_over_the_breast_patients() -> None:
    combination = load_combination("trastuzumab + docetaxel")
    mixed = sensitivity_report(combination, dealt(["breast", "other"], 8), 8, 16, 12, 1)
    alone = sensitivity_report(combination, dealt(["breast"], 8).part(0, 1), 1, 16, 12, 1)
    assert mixed.outcomes == alone.outcomes
    assert "4 with tumours other than" in mixed.notes[0]


def test_a_simulated_course_of_early_disease_ends_with_its_outlook() -> None:
    """Cure, relapse and survival with ranges; pathology only where surgery is told."""
    patient = changed("patient_ebc.toml")
    plan = TimelinePlan(("trastuzumab + paclitaxel",), (0.0,), 105.0)
    after = patient_timeline(patient, plan, None, 10, twins=20).outlook
    before = patient_timeline(patient, replace(plan, surgery_day=120.0), None, 10, twins=20).outlook
    assert after is not None
    assert before is not None
    assert all(0 <= one.low <= one.percent <= one.high <= 100 for one in after.chances)
    names = [{one.name for one in found.chances} for found in (after, before)]
    assert names[1] - names[0] == {
        "complete response in breast and nodes", "complete response in the breast",
    }  # fmt: skip
    for curve in after.curves:
        assert curve.percent[0] == 100
        assert (np.diff(curve.percent) <= 0).all()
        assert ((curve.low <= curve.percent) & (curve.percent <= curve.high)).all()


def test_surgery_of_what_is_not_operated_on_is_refused() -> None:
    patient = changed("patient_mbc.toml")
    plan = TimelinePlan(("trastuzumab",), (0.0,), 105.0, surgery_day=50.0)
    with pytest.raises(DataError, match="only simulated early breast cancer is operated on"):
        patient_timeline(patient, plan, None, 10)


@pytest.mark.parametrize(
    ("patient", "note"),
    [(changed("patient_mbc.toml", tumour="other"), NONE_YET)],
)
def test_a_simulated_course_without_a_lesion_model(patient: Patient, note: str) -> None:
    course = patient_timeline(
        patient, TimelinePlan(("trastuzumab",), (0.0,), 105.0), None, 10, twins=20
    )
    assert {band.test for band in course.body} == {"lvef"}
    assert not course.readings.has("progression")
    assert note in course.notes
    waits = TimelinePlan(("trastuzumab", "thp"), (0.0, AT_PROGRESSION), 210.0)
    with pytest.raises(DataError, match=r"progression in .*: no model yet; .*week:30.*readings"):
        patient_timeline(patient, waits, None, 10)


def test_what_nobody_was_measured_for_is_not_measured() -> None:
    with_rules, without = (
        reported(load_population("mbc"), "T-DM1", by_rules=rules) for rules in (True, False)
    )
    lvef, platelets = (
        "LVEF measured below 50 % and 10 points down", "platelets of grade 3 or 4 at a visit",
    )  # fmt: skip
    for name in (lvef, platelets):
        assert np.isfinite(figures(with_rules)[name])
        assert figures(without)[name] is None
    outcomes = population_tables(without)[0]
    shown = dict(zip(*(list(column.cells) for column in outcomes.columns[:2]), strict=True))
    assert shown[lvef] == shown[platelets] == "not measured"
