"""Several specimens and ranges of scores lead to a status, or to a named next step."""

from __future__ import annotations

from typing import Any

import pytest

from her2sim.errors import DataError
from her2sim.facts import checked_facts
from her2sim.patients.her2_report import Her2Report
from her2sim.patients.her2_specimens import read_reports
from her2sim.patients.her2_test import scores_of
from her2sim.patients.patient import Patient, load_patient
from her2sim.protocol.eligibility import eligible_regimens
from tests.conftest import CASES


def found(*told: dict[str, Any], tumour: Any = "breast", setting: str = "metastatic"):
    reports = [checked_facts(one, Her2Report, "test") for one in told]
    return read_reports(reports, tumour, setting)


@pytest.mark.parametrize(
    ("text", "scores", "stain"),
    [
        ("0", ("0",), None), ("0+", ("0",), "faint"), ("1", ("1+",), None), ("2+", ("2+",), None),
        ("IHC 3+", ("3+",), None), ("1+ to 2+", ("1+", "2+"), None), ("1-2+", ("1+", "2+"), None),
        ("2+/3+", ("2+", "3+"), None), ("0 - 1+", ("0", "1+"), None), ("HER2 2+", ("2+",), None),
        ("1+ or 3+", ("1+", "2+", "3+"), None), ("2 +", ("2+",), None),
    ],
)  # fmt: skip
def test_scores_as_laboratories_write_them(text: str, scores, stain) -> None:
    assert scores_of(text) == (scores, stain)


@pytest.mark.parametrize("text", ["4+", "positive", "", "2+ to 1+", "+", "1.5+", "++", "12+"])
def test_what_is_no_score_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="ihc"):
        scores_of(text)


@pytest.mark.parametrize(
    ("report", "status", "category", "step"),
    [
        ({"ihc": "1+ to 2+"}, "equivocal", "none", "reflex_ish"),
        ({"ihc": "1+ to 2+", "ish": "negative"}, "negative", "low", None),
        ({"ihc": "1+ to 2+", "ish": "positive"}, "positive", "positive", None),
        ({"ihc": "0 to 1+"}, "negative", "none", None),
        ({"ihc": "2+ to 3+"}, "equivocal", "none", "reflex_ish"),
        ({"ihc": "2+ to 3+", "ish": "negative"}, "equivocal", "none", "one_score"),
        ({"ihc": "0 to 3+"}, "equivocal", "none", "reflex_ish"),
        ({"ihc": 3}, "positive", "positive", None),
    ],
)
def test_a_range_of_scores(report: dict, status: str, category: str, step) -> None:
    one = found(report).status
    assert (one.status, one.category, one.next_step) == (status, category, step)


PRIMARY, LIVER = {"site": "primary"}, {"site": "liver"}


@pytest.mark.parametrize(
    ("first", "second", "status", "category", "step"),
    [
        # The same answer: that stands.
        ({"ihc": "3+"}, {"ihc": "2+", "ish": "positive"}, "positive", "positive", None),
        # They differ and nothing says which is which.
        ({"ihc": "3+"}, {"ihc": "0"}, "equivocal", "none", "test_metastasis"),
        # The metastasis's result stands, whichever way, and whichever stands first.
        (PRIMARY | {"ihc": "3+"}, LIVER | {"ihc": "1+"}, "negative", "low", None),
        (LIVER | {"ihc": "3+"}, PRIMARY | {"ihc": "0"}, "positive", "positive", None),
        (PRIMARY | {"ihc": "3+"}, LIVER | {"ihc": "2+"}, "equivocal", "none", "reflex_ish"),
        # Low in any.
        (PRIMARY | {"ihc": "1+"}, LIVER | {"ihc": "0", "stain": "none"}, "negative", "low", None),
        # A newer primary does not win over an older one.
        (PRIMARY | {"ihc": "3+", "date": "2020-01-01"},
         PRIMARY | {"ihc": "0", "date": "2024-01-01"},
         "equivocal", "none", "test_metastasis"),
        # Two metastases that differ.
        (LIVER | {"ihc": "3+"}, {"site": "bone", "ihc": "0"}, "equivocal", "none", "adjudicate"),
        # Decalcified bone does not count beside a valid one, and is not enough alone.
        (PRIMARY | {"ihc": "3+"}, {"site": "bone", "ihc": "0", "decalcified": True},
         "positive", "positive", None),
        ({"site": "bone", "ihc": "0", "decalcified": "acid"},
         {"site": "bone", "ihc": "1+", "decalcified": True},
         "equivocal", "none", "test_other_tissue"),
        (PRIMARY | {"ihc": "3+"}, {"site": "bone", "ihc": "0", "decalcified": "edta"},
         "negative", "none", None),
    ],
)  # fmt: skip
def test_two_specimens(first, second, status: str, category: str, step) -> None:
    one = found(first, second).status
    assert (one.status, one.category, one.next_step) == (status, category, step)
    assert len(one.specimens) == 2
    assert one.source


def test_in_early_disease_no_specimen_wins() -> None:
    biopsy = PRIMARY | {"ihc": "3+", "specimen": "biopsy"}
    resection = PRIMARY | {"ihc": "1+", "specimen": "resection"}
    one = found(biopsy, resection, setting="early").status
    assert (one.status, one.next_step, one.discordant) == ("equivocal", "adjudicate", True)
    assert "1 (primary, biopsy): IHC 3+: positive" in one.specimens


def test_what_is_wrong_in_each_specimen_is_said_at_once() -> None:
    with pytest.raises(DataError, match="2 faults") as refused:
        found({"ihc": "3+", "percent": 5.0}, {"ihc": "0", "percent": 40.0})
    assert "specimen 1" in str(refused.value)
    assert "specimen 2" in str(refused.value)


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ({"ihc": "2+", "copies": "clusters"}, 'ish = "positive"'),
        ({"ihc": "2+", "ratio": ">2"}, "no number"),
        ({"ihc": "0+", "stain": "none"}, "faint staining"),
        ({"ihc": "3+", "site": "livver"}, "site"),
        ({"ihc": True}, "ihc"),
    ],
)
def test_wrong_reports_are_refused(report: dict, words: str) -> None:
    with pytest.raises(DataError, match=words):
        found(report)


def test_a_simulated_course_needs_one_result_that_stands() -> None:
    patient = Patient.model_validate(
        {"tumour": "breast", "setting": "metastatic", "her2_test": [{"ihc": "3+"}, {"ihc": "0"}]}
    )
    assert patient.her2().deciding is None
    decided = Patient.model_validate(
        {
            "tumour": "breast",
            "setting": "metastatic",
            "her2_test": [PRIMARY | {"ihc": "1+"}, LIVER | {"ihc": "3+"}],
        }
    )
    test = decided.her2().deciding
    assert test is not None
    assert test.ihc == "3+"


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")
@pytest.mark.parametrize(
    ("name", "status", "labelled", "words"),
    [
        ("d_lung_neg", "negative", False, ""),
        ("d_lung_ihc3", "negative", True, "IHC 3+ is told too"),
        ("d_gastric", "negative", False, "copies 8: not used, ratio decides here"),
        ("d_two_specimens", "equivocal", False, "tell the site of each"),
        ("d_ihc_range", "equivocal", False, "IHC 1+: negative (low); IHC 2+: equivocal"),
    ],
)
def test_reports_as_laboratories_write_them(name, status, labelled, words) -> None:
    patient = load_patient(CASES / "reports" / "her2" / f"{name}.toml")
    found, verdicts = eligible_regimens(patient)
    assert found.status == status
    assert words in (found.note or "")
    alone = next(one for one in verdicts if one.regimen == "trastuzumab-deruxtecan-alone")
    assert alone.labelled is labelled


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("[her2_test]\nihc = '3+'\nrato = 2\n", "this key is not known here"),
        ("[her2_test]\nihc = '2+'\nratio = true\ncopies = true\n", "ratio: write a number"),
        ("[her2_test]\nihc = '0'\npercent = true\n", "percent: write a number"),
        ("anti_her2_regimens_metastatic = true\n[her2_test]\nihc = '3+'\n", "write a number"),
        ("lvef_percent = '64'\n[her2_test]\nihc = '3+'\n", "lvef_percent: write a number"),
        ("[her2_test]\nihc = '3+'\n[body]\nweight_kg = '70'\n", "weight_kg: write a number"),
        ("[her2_test]\nihc = '2+'\npercent = 0\n", "a score above 0 needs stained cells"),
        ("her2_test = []\n", "tell of one specimen at least"),
        ("[[her2_test]]\nihc = '3+'\ndate = 1800-01-01\n", "cannot be"),
    ],
)
def test_files_that_say_what_cannot_be(told: str, words: str, tmp_path) -> None:
    path = tmp_path / "p.toml"
    path.write_text("tumour = 'breast'\nsetting = 'metastatic'\n" + told, encoding="utf-8")
    with pytest.raises(DataError) as refused:
        load_patient(path)
    assert words in str(refused.value)
    assert "Tuple" not in str(refused.value)


def test_a_metastasis_is_no_early_disease() -> None:
    with pytest.raises(DataError, match="is of a metastasis, and the setting is early"):
        found(LIVER | {"ihc": "3+"}, setting="early")


def test_categories_that_differ_are_discordant() -> None:
    one = found(PRIMARY | {"ihc": "1+"}, LIVER | {"ihc": "0", "percent": 0.0}).status
    assert (one.category, one.discordant) == ("low", True)
