"""Labelled or not labelled, with the reason, as the label's indication says."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from her2sim.errors import DataError
from her2sim.patients.patient import Patient, load_patient
from her2sim.pk.combination import load_combination
from her2sim.protocol.eligibility import Verdict, eligible_regimens, verdict_on
from her2sim.regimens.indication import LAST_READ, first_day
from her2sim.regimens.library import named_regimens
from her2sim.timeline.run import _treated_with
from tests.conftest import ROOT


def verdicts(region: str = "us", **told) -> dict[str, Verdict]:
    usual = {"tumour": "breast", "setting": "metastatic", "her2_test": {"ihc": "3+"}}
    patient = Patient.model_validate(usual | told)
    return {v.regimen: v for v in eligible_regimens(patient, region)[1]}  # type: ignore[arg-type]


def labelled(region: str = "us", **told) -> set[str]:
    return {name for name, v in verdicts(region, **told).items() if v.labelled}


def test_the_lines_of_metastatic_breast_cancer() -> None:
    first = labelled(history=["untreated_metastatic"])
    assert {"pertuzumab-trastuzumab-docetaxel", "trastuzumab-deruxtecan-pertuzumab"} <= first
    assert "tucatinib-trastuzumab-capecitabine" not in first
    later = {"history": ["prior_trastuzumab", "prior_taxane"]}
    second = labelled(**later, anti_her2_regimens_metastatic=1)
    assert {"trastuzumab-emtansine-alone", "tucatinib-trastuzumab-capecitabine"} <= second
    assert "pertuzumab-trastuzumab-docetaxel" not in second
    third = labelled(**later, anti_her2_regimens_metastatic=2)
    assert {"margetuximab-chemotherapy", "neratinib-capecitabine"} <= third - second


def test_regions_differ_as_published() -> None:
    """Tucatinib: one line earlier in the US; neratinib: hormone receptors in the EU only."""
    one = {"anti_her2_regimens_metastatic": 1}
    name = "tucatinib-trastuzumab-capecitabine"
    assert name in labelled("us", **one)
    assert name not in labelled("eu", **one)
    assert name in labelled("eu", anti_her2_regimens_metastatic=2)
    early = {"setting": "early", "history": ["adjuvant_trastuzumab_done"]}
    assert "neratinib-alone" in labelled("us", **early)
    both = [*early["history"], "hormone_receptor_positive"]
    assert "neratinib-alone" not in labelled("eu", **early | {"history": both})
    soon = ["adjuvant_trastuzumab_within_a_year", "hormone_receptor_positive"]
    for region in ("us", "eu"):
        assert "neratinib-alone" in labelled(region, **early | {"history": soon})


def test_low_and_ultralow_and_mutation() -> None:
    low = {"her2_test": {"ihc": "1+"}, "history": ["prior_chemotherapy_metastatic"]}
    assert labelled(**low) == {"trastuzumab-deruxtecan-alone"}
    ultralow = {
        "her2_test": {"ihc": "0", "stain": "faint"},
        "history": ["hormone_receptor_positive", "prior_endocrine_metastatic"],
    }
    assert labelled(**ultralow) == {"trastuzumab-deruxtecan-alone"}
    assert labelled("eu", **ultralow) == {"trastuzumab-deruxtecan-alone"}
    asked = verdicts("eu", **ultralow)["trastuzumab-deruxtecan-alone"].note
    assert "by judgement: endocrine therapy is not suitable" in (asked or "")
    null = ultralow | {"her2_test": {"ihc": "0", "stain": "none"}}
    assert labelled(**null) == set()
    lung = {
        "tumour": "lung",
        "her2_test": {"mutation": "Y772_A775dup"},
        "history": ["prior_systemic"],
    }
    assert labelled(**lung) == {"trastuzumab-deruxtecan-alone", "zongertinib-alone"}
    biliary = {"tumour": "biliary", "history": ["prior_systemic"]}
    assert labelled(**biliary) == {"trastuzumab-deruxtecan-alone", "zanidatamab-alone"}
    asked = verdicts(**biliary)["trastuzumab-deruxtecan-alone"].note
    assert "by judgement: no satisfactory alternative treatment is left" in (asked or "")
    last = biliary | {"history": ["prior_systemic", "no_satisfactory_option"]}
    told = verdicts(**last)["trastuzumab-deruxtecan-alone"]
    assert told.labelled
    assert "judgement" not in (told.note or "")


def test_a_refusal_names_what_lacks() -> None:
    found = verdicts(her2_test={"ihc": "2+"})["pertuzumab-trastuzumab-docetaxel"]
    assert found.reasons == (
        "HER2 must be positive; it is equivocal, reflex ISH",
        "not told: no anti-HER2 therapy or chemotherapy yet for metastatic disease",
    )
    assert verdicts("eu")["pyrotinib-capecitabine"].reasons == (
        "no indication of it in the eu labels was read",
    )


def test_every_regimen_has_one_verdict_and_every_indication_a_source() -> None:
    for region in ("us", "eu"):
        assert set(verdicts(region)) == set(named_regimens())
    for regimen in named_regimens().values():
        for row in regimen.indication:
            assert regimen.source_text(row.source or "")


@pytest.mark.parametrize("name", ["mbc", "ebc"])
def test_the_example_patients_can_be_read(name: str) -> None:
    patient = load_patient(ROOT / "examples" / f"patient_{name}.toml")
    status, found = eligible_regimens(patient)
    assert status.status == "positive"
    assert any(v.labelled for v in found)


def test_a_faulty_file_is_refused_with_all_its_faults(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(
        'tumour = "breast"\nsetting = "metastatic"\nhistory = ["prior_taxan"]\n'
        '[her2_test]\nihc = "3+"\n[body]\nweight_kg = 700\nheigth_cm = 160\n'
    )
    with pytest.raises(DataError) as error:
        load_patient(path)
    for part in (
        "did you mean 'prior_taxane'",
        "weight_kg 700 kg is outside 20 to 300 kg; did you mean 70 kg?",
        "'height_cm'",
    ):
        assert part in str(error.value)
    path.write_text('tumour = "breast"\nsetting = "metastatic"\n[her2_test]\nihc = "4+"\n')
    with pytest.raises(DataError, match="ihc"):
        load_patient(path)
    path.write_text('tumour = "breast"\nsetting = "metastatic"\n[her2_test]\nratio = 2.0\n')
    with pytest.raises(DataError, match="ratio alone is not enough"):
        eligible_regimens(load_patient(path))


@pytest.mark.parametrize(
    ("test", "labelled"),
    [
        ({"mutation": "negative"}, False),
        ({"mutation": "wild type"}, False),
        ({"mutation": "unknown"}, False),
        ({"mutation": "ERBB2 amplification"}, False),
        ({"mutation": "Y772_A775dup"}, True),
        ({"mutation": "none", "ihc": "3+"}, True),  # any solid tumour of IHC 3+
        ({"mutation": "none", "ihc": "2+"}, False),
    ],
)
def test_lung_cancer_needs_an_activating_mutation_or_3(
    test: dict[str, str], labelled: bool
) -> None:
    lung = {"tumour": "lung", "setting": "metastatic", "history": ["prior_systemic"]}
    patient = Patient.model_validate({**lung, "her2_test": test})
    verdict = verdict_on(patient, "trastuzumab-deruxtecan-alone", "us")
    assert verdict is not None
    assert verdict.labelled is labelled


def test_what_stands_in_place_of_another_ends_it() -> None:
    """Pembrolizumab in gastric cancer: for all in 2021, for PD-L1 of 1 or more since 2023."""
    patient = Patient.model_validate(
        {
            "tumour": "gastric",
            "setting": "metastatic",
            "her2_test": {"ihc": "3+"},
            "history": ["untreated_metastatic"],
        }
    )

    def verdict(day: str | None) -> Verdict:
        asked = None if day is None else datetime.date.fromisoformat(day)
        found = eligible_regimens(patient, "us", asked)[1]
        return next(v for v in found if v.regimen == "pembrolizumab-trastuzumab-chemotherapy")

    assert not verdict("2021-05-04").labelled
    assert verdict("2021-05-05").labelled
    assert verdict("2023-11-06").dated == "from 2021-05-05 to 2023-11-07"
    assert not verdict("2023-11-07").labelled
    assert not verdict(None).labelled


def test_a_date_after_the_texts_were_read_is_refused() -> None:
    patient = load_patient(ROOT / "examples" / "patient_mbc.toml")
    with pytest.raises(DataError, match="what is labelled later is not known"):
        eligible_regimens(patient, "us", LAST_READ + datetime.timedelta(days=1))
    now = {v.regimen for v in eligible_regimens(patient, "us")[1] if v.labelled}
    then = {v.regimen for v in eligible_regimens(patient, "us", LAST_READ)[1] if v.labelled}
    assert now == then


def test_no_indication_begins_after_the_texts_were_read() -> None:
    for regimen in named_regimens().values():
        for row in regimen.indication:
            assert row.since is None or first_day(row.since) <= LAST_READ


def test_adjuvant_treatment_is_not_for_patients_before_surgery() -> None:
    early = {"setting": "early", "history": ["high_risk", "early_not_operated"]}
    found = verdicts("us", **early)["docetaxel-carboplatin-pertuzumab-trastuzumab"]
    assert not found.labelled
    assert found.reasons[0].startswith("not told, one of: the tumour measures more than 2 cm; ")


def test_what_was_given_tells_of_the_next_line() -> None:
    """Lines of a course: each adds what labels of the next ask for."""
    metastatic = load_patient(ROOT / "examples" / "patient_mbc.toml")
    for name in ("thp", "lapatinib-capecitabine"):
        metastatic = _treated_with(metastatic, load_combination(name))
    assert {"prior_taxane", "prior_systemic", "two_chemotherapies_metastatic"} <= metastatic.told
    assert "untreated_metastatic" not in metastatic.told
    assert metastatic.anti_her2_regimens == len(("thp", "lapatinib-capecitabine"))
    early = load_patient(ROOT / "examples" / "patient_ebc.toml")
    early = _treated_with(early, load_combination("TCH"))
    assert {"early_chemotherapy", "prior_trastuzumab"} <= early.told
    assert (early.anti_her2_regimens_early, early.anti_her2_regimens_metastatic) == (1, 0)


def test_drugs_that_china_alone_has_licensed() -> None:
    """Disitamab vedotin and trastuzumab rezetecan; the answer says what was not read."""
    gastric = {"tumour": "gastric", "history": ["two_chemotherapies_metastatic"]}
    assert labelled("cn", **gastric) == {"disitamab-vedotin-gastric"}
    assert "disitamab-vedotin-gastric" not in labelled("us", **gastric)
    unamplified = gastric | {"her2_test": {"ihc": "2+", "ish": "negative"}}
    assert labelled("cn", **unamplified) == {"disitamab-vedotin-gastric"}
    lung = {
        "tumour": "lung", "her2_test": {"mutation": "Y772_A775dup"}, "history": ["prior_systemic"],
    }  # fmt: skip
    assert labelled("cn", **lung) == {"trastuzumab-rezetecan-alone"}
    assert labelled("eu", **lung) != labelled("cn", **lung)
