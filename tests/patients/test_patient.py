"""A patient file: what cannot be true together is refused, all of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from her2sim.errors import DataError
from her2sim.patients.contradictions import APART, SETTING_OF
from her2sim.patients.history import EARLY_ANTI_HER2, FOLLOWS, HISTORY
from her2sim.patients.patient import Patient, load_patient

USUAL = {"tumour": "breast", "setting": "metastatic", "her2_test": {"ihc": "3+"}}
EARLY = {"setting": "early"}
MET = {"setting": "metastatic"}


def patient(**told: object) -> Patient:
    return Patient.model_validate(USUAL | told)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (
            MET | {"history": ["untreated_metastatic"], "anti_her2_regimens_metastatic": 1},
            "untreated_metastatic is told, anti_her2_regimens_metastatic is 1",
        ),
        (EARLY | {"anti_her2_regimens_metastatic": 2}, "metastatic is 2, setting is early"),
        (
            EARLY | {"history": ["untreated_metastatic"]},
            "untreated_metastatic is of metastatic disease, setting is early",
        ),
        (
            EARLY | {"history": ["prior_endocrine_metastatic"]},
            "prior_endocrine_metastatic is of metastatic disease, setting is early",
        ),
        (
            MET | {"history": ["early_not_operated"]},
            "early_not_operated is of early disease, setting is metastatic",
        ),
        (
            EARLY | {"history": ["residual_disease", "early_not_operated"]},
            "early_not_operated and residual_disease exclude each other",
        ),
        (
            MET | {"history": ["hormone_receptor_positive", "hormone_receptor_negative"]},
            "hormone_receptor_negative and hormone_receptor_positive exclude each other",
        ),
        (
            MET | {"history": ["untreated_metastatic", "prior_chemotherapy_metastatic"]},
            "prior_chemotherapy_metastatic and untreated_metastatic exclude each other",
        ),
        (
            EARLY | {"history": ["recurrence_within_6_months_of_adjuvant_anti_her2"]},
            "recurrence_within_6_months_of_adjuvant_anti_her2 is of metastatic disease",
        ),
        (
            EARLY | {"history": ["postmenopausal"], "body": {"female": 0}},
            "postmenopausal is told, body: female is 0",
        ),
    ],
)
def test_contradictions_are_refused(told: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match="keep the one that is true") as error:
        patient(**told)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "told",
    [
        MET | {"history": ["untreated_metastatic", "prior_endocrine_metastatic"]},
        MET
        | {
            "history": [
                "untreated_metastatic",
                "recurrence_within_6_months_of_adjuvant_chemotherapy",
            ]
        },
        MET | {"history": ["residual_disease", "adjuvant_trastuzumab_done"]},
        MET | {"history": ["untreated_metastatic", "prior_trastuzumab", "prior_taxane"]},
        EARLY | {"history": ["postmenopausal"]},
        EARLY | {"history": ["residual_disease", "prior_trastuzumab", "prior_taxane"]},
    ],
)
def test_what_can_be_true_is_read(told: dict[str, object]) -> None:
    assert patient(**told).history == tuple(told["history"])  # type: ignore[arg-type]


def test_contradictions_are_of_facts_that_are_known() -> None:
    assert set(SETTING_OF).union(*APART) <= set(HISTORY)
    assert {*FOLLOWS, *FOLLOWS.values()} <= set(HISTORY)
    assert set(HISTORY) >= EARLY_ANTI_HER2


def test_what_is_told_brings_what_follows_from_it() -> None:
    found = patient(setting="early", history=["adjuvant_trastuzumab_within_a_year"])
    assert {"adjuvant_trastuzumab_done", "prior_trastuzumab"} <= found.told
    assert found.drugs_before == ("trastuzumab",)
    assert found.anti_her2_regimens == 1
    assert "prior_systemic" in patient(anti_her2_regimens_metastatic=1).told
    assert (
        patient(anti_her2_regimens_metastatic=1, anti_her2_regimens_early=1).anti_her2_regimens == 2
    )
    assert patient(history=["prior_trastuzumab"]).anti_her2_regimens == 1
    assert patient().anti_her2_regimens == 0


@pytest.mark.parametrize(
    ("history", "positive"),
    [(["hormone_receptor_positive"], True), (["hormone_receptor_negative"], False), ([], None)],
)
def test_hormone_receptors_are_told_or_not(history: list[str], positive: bool | None) -> None:
    assert patient(history=history).is_hormone_receptor_positive is positive


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(
        'tumour = "breast"\nsetting = "early"\nanti_her2_regimens_metastatic = 1\n'
        'history = ["prior_taxan", "untreated_metastatic"]\n'
        "[her2_test]\nratio = -1.0\n[body]\nweight_kg = 700\n"
    )
    with pytest.raises(DataError) as error:
        load_patient(path)
    for part in (
        "did you mean 'prior_taxane'",
        "weight_kg 700 kg is outside 20 to 300 kg",
        "untreated_metastatic is of metastatic disease",
        "untreated_metastatic is told, anti_her2_regimens_metastatic is 1",
        "anti_her2_regimens_metastatic is 1, setting is early",
        "ratio -1 is outside",
    ):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("setting", "body", "message"),
    [
        ("metastatic", {"positive_nodes": 3}, "positive_nodes is of early disease"),
        ("metastatic", {"tumour_mm": 30}, "tumour_mm is of early disease"),
        ("metastatic", {"locally_advanced": 1}, "locally_advanced is of early disease"),
        ("early", {"liver_metastases": 1}, "liver_metastases is of metastatic disease"),
    ],
)
def test_characteristics_of_the_other_setting_are_refused(
    setting: str, body: dict[str, float], message: str
) -> None:
    """What would not be used, or cannot be, is told; zero is told of any patient."""
    told = {"tumour": "breast", "setting": setting, "her2_test": {"ihc": "3+"}}
    with pytest.raises(ValueError, match=message):
        Patient.model_validate({**told, "body": body})
    Patient.model_validate({**told, "body": {"positive_nodes": 0, "liver_metastases": 0}})
