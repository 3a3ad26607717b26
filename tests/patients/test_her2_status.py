"""HER2 status: every combination has one answer, and the guideline's rows are met."""

from __future__ import annotations

from itertools import product

import pytest

from her2sim.errors import DataError
from her2sim.patients.her2_status import interpret
from her2sim.patients.her2_table import status_tables, tables_of
from her2sim.patients.her2_test import IHC, TUMOURS, Her2Test

GROUPS = {1: (2.5, 6.0), 2: (2.2, 3.0), 3: (1.5, 6.5), 4: (1.5, 5.0), 5: (1.2, 2.5)}
"""Ratio and copies of each ISH group."""

# Status and next step by IHC score and ISH group, as the guideline's figures have them: positive,
# negative, or the step that is named; then what a recount of an unchanged group gives.
BREAST = {
    None: {1: "positive", 2: "repeat_ihc", 3: "repeat_ihc", 4: "repeat_ihc", 5: "negative"},
    "0": {1: "positive", 2: "negative", 3: "negative", 4: "negative", 5: "negative"},
    "1+": {1: "positive", 2: "negative", 3: "negative", 4: "negative", 5: "negative"},
    "2+": {1: "positive", 2: "recount", 3: "recount", 4: "recount", 5: "negative"},
    "3+": dict.fromkeys(GROUPS, "positive"),
}
RECOUNTED = {1: "adjudicate", 2: "negative", 3: "positive", 4: "negative", 5: "adjudicate"}


def answer(**reported) -> str:
    """The status, or the next step of an equivocal one."""
    found = interpret(Her2Test("breast", **reported))
    assert (found.status == "equivocal") == (found.next_step is not None)
    return found.next_step or found.status


@pytest.mark.parametrize(("ihc", "group"), [*product(BREAST, GROUPS)])
def test_every_score_and_every_ish_group_of_breast_cancer(ihc, group: int) -> None:
    ratio, copies = GROUPS[group]
    assert answer(ihc=ihc, ratio=ratio, copies=copies) == BREAST[ihc][group]
    again = answer(ihc=ihc, ratio=ratio, copies=copies, is_recounted=True)
    assert again == (RECOUNTED[group] if ihc == "2+" else BREAST[ihc][group])
    found = interpret(Her2Test("breast", ihc=ihc, ratio=ratio, copies=copies))
    assert found.ish_group == group
    assert found.discordant == ((ihc, group) in {("0", 1), ("1+", 1), ("3+", 5)})


def test_every_other_combination_has_exactly_one_answer() -> None:
    """The loader refuses a table with a gap or an overlap; here each case is put as a test."""
    assert {t for table in status_tables() for t in table.tumours} == set(TUMOURS)
    n_cases = sum(1 for table in status_tables() for _ in table.cases())
    assert n_cases > 300
    stated = (None, "positive", "negative")
    for tumour, ihc, ish in product(TUMOURS, (None, *IHC), (*stated, "equivocal")):
        if ihc is ish is None or (tumour == "lung" and ish is not None):
            continue
        percent = 60.0 if tumour == "colorectal" and ihc is not None else None
        for table in tables_of(tumour):
            test = Her2Test(tumour, ihc=ihc, ish=ish, percent=percent)
            found = interpret(test, table.guideline)
            assert (found.status == "equivocal") == (found.next_step is not None)
            assert found.source


@pytest.mark.parametrize(
    ("ratio", "copies", "group"),
    [
        (2.0, 4.0, 1), (1.99, 4.0, 4), (2.0, 3.99, 2), (1.99, 3.99, 5), (1.99, 6.0, 3),
        (1.99, 5.99, 4), (2.0, 5.99, 1),
    ],
)  # fmt: skip
def test_ish_groups_at_their_limits(ratio: float, copies: float, group: int) -> None:
    found = interpret(Her2Test("breast", ihc="2+", ratio=ratio, copies=copies))
    assert found.ish_group == group


@pytest.mark.parametrize(
    ("copies", "ihc", "expected"),
    [
        (6.0, "2+", "positive"), (5.99, "2+", "reflex_ish"), (4.0, "2+", "reflex_ish"),
        (3.99, "2+", "negative"), (5.0, "3+", "positive"), (5.0, "1+", "negative"),
        (5.0, None, "repeat_ihc"),
    ],
)  # fmt: skip
def test_single_probe_ish(copies: float, ihc, expected: str) -> None:
    assert answer(ihc=ihc, copies=copies) == expected


@pytest.mark.parametrize(
    ("reported", "category"),
    [
        ({"ihc": "3+"}, "positive"), ({"ihc": "1+"}, "low"),
        ({"ihc": "2+", "ish": "negative"}, "low"), ({"ihc": "2+"}, "none"),
        ({"ihc": "0", "stain": "faint", "percent": 5.0}, "ultralow"),
        ({"ihc": "0", "stain": "none"}, "null"), ({"ihc": "0"}, "none"),
        ({"ihc": "0", "percent": 5.0}, "ultralow"), ({"ihc": "0", "percent": 0.0}, "null"),
        ({"ihc": "0", "percent": 10.0}, "ultralow"), ({"ihc": "1+", "percent": 8.0}, "low"),
        ({"ish": "negative"}, "none"), ({"ihc": "1+", "ish": "positive"}, "positive"),
    ],
)  # fmt: skip
def test_categories(reported: dict, category: str) -> None:
    assert interpret(Her2Test("breast", **reported)).category == category


def test_the_european_definition_differs_in_group_2() -> None:
    test = Her2Test("breast", ihc="2+", ratio=2.1, copies=3.0)
    assert interpret(test).next_step == "recount"
    assert interpret(test, "eu-label").status == "positive"
    low = Her2Test("breast", ihc="0", ratio=2.1)
    assert interpret(low, "eu-label").discordant


@pytest.mark.parametrize(
    ("percent", "ratio", "expected"),
    [
        (50.0, None, "positive"), (49.9, None, "equivocal"), (49.9, 2.0, "positive"),
        (49.9, 1.9, "negative"), (10.1, None, "equivocal"), (10.0, None, "negative"),
    ],
)  # fmt: skip
def test_colorectal_cancer_by_share_of_cells(percent: float, ratio, expected: str) -> None:
    found = interpret(Her2Test("colorectal", ihc="3+", percent=percent, ratio=ratio))
    assert found.status == expected


def test_other_tumours() -> None:
    assert interpret(Her2Test("gastric", ihc="2+")).next_step == "reflex_ish"
    assert interpret(Her2Test("gastric", ihc="2+", ratio=2.0)).status == "positive"
    assert interpret(Her2Test("gastric", ihc="1+", ratio=3.0)).status == "negative"
    assert interpret(Her2Test("biliary", ihc="2+", ish="positive")).status == "negative"
    assert interpret(Her2Test("biliary", ihc="3+")).status == "positive"
    assert interpret(Her2Test("lung", mutation="exon 20 insertion")).status == "positive"
    assert interpret(Her2Test("lung", mutation="none")).status == "negative"
    assert interpret(Her2Test("other", ihc="3+")).status == "positive"


@pytest.mark.parametrize(
    ("reported", "message"),
    [
        ({}, "nothing was tested"),
        ({"ihc": "3+", "percent": 5.0}, "is scored 2\\+"),
        ({"ihc": "1+", "stain": "faint", "percent": 10.0}, "is scored 0"),
        ({"ihc": "0", "percent": 10.1}, "is scored 1"),
        ({"ihc": "1+", "stain": "none"}, "needs staining"),
        ({"ihc": "2+", "stain": "faint"}, "faint staining is scored 0 or 1"),
        ({"ihc": "0", "stain": "none", "percent": 3.0}, "means 0 %"),
        ({"ihc": "0", "stain": "faint", "percent": 20.0}, "is scored 1"),
        ({"ihc": "2+", "ratio": 2.5}, "ratio alone is not enough; give copies"),
        ({"ihc": "2+", "ratio": -1.0, "copies": 900.0}, "2 faults"),
        ({"ihc": "2+", "ratio": 2.5, "copies": 5.0, "ish": "positive"}, "not both"),
        ({"ihc": "2+", "mutation": "L755S"}, "does not decide in breast"),
        ({"percent": 30.0, "ish": "positive"}, "belong to an IHC score"),
        ({"ihc": "2+", "ratio": float("nan"), "copies": 4.0}, "outside"),
    ],
)
def test_impossible_reports_are_refused(reported: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        interpret(Her2Test("breast", **reported))


def test_what_is_missing_elsewhere_is_asked_for() -> None:
    with pytest.raises(DataError, match="a mutation decides; give it, or none"):
        Her2Test("lung")
    assert interpret(Her2Test("lung", ihc="3+")).next_step == "test_mutation"
    with pytest.raises(DataError, match="the share of stained cells decides"):
        interpret(Her2Test("colorectal", ihc="3+"))
    with pytest.raises(DataError, match="less than 10 % of the cells is scored 0"):
        interpret(Her2Test("gastric", ihc="3+", specimen="resection", percent=9.9))
    assert interpret(Her2Test("gastric", ihc="3+", specimen="biopsy", percent=3.0)).status == (
        "positive"
    )
    with pytest.raises(DataError, match="give the result in words"):
        interpret(Her2Test("biliary", ihc="3+", ratio=2.0))


@pytest.mark.parametrize(("ratio", "copies"), [(1.7, 8.0), (2.4, 3.0), (1.9, 6.5)])
def test_a_count_that_does_not_decide_is_never_dropped_silently(
    ratio: float, copies: float
) -> None:
    status = interpret(Her2Test("gastric", ihc="2+", ratio=ratio, copies=copies))
    assert f"copies {copies:g}: not used, ratio decides here" in (status.note or "")
    assert "not used" not in (interpret(Her2Test("gastric", ihc="2+", ratio=ratio)).note or "")


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ({"ihc": "3+", "percent": 20.0}, ("equivocal", "positive", "positive", "positive")),
        ({"ihc": "2+", "percent": 30.0, "ratio": 2.2},
         ("negative", "positive", "positive", "positive")),
        ({"ihc": "1+", "ratio": 2.5}, ("negative", "negative", "positive", "negative")),
        ({"ihc": "3+", "percent": 5.0, "specimen": "biopsy"},
         ("negative", "positive", "positive", "positive")),
        ({"ihc": "3+", "percent": 5.0, "specimen": "resection"},
         ("negative", "negative", "equivocal", "positive")),
        ({"ihc": "3+", "percent": 5.0}, ("negative", "equivocal", "equivocal", "positive")),
    ],
)  # fmt: skip
def test_each_set_of_criteria_in_colorectal_cancer(reported: dict, expected) -> None:
    test = Her2Test("colorectal", **reported)
    sets = ("heracles", "harmonised", "triumph", "destiny-crc01")
    assert tuple(interpret(test, one).status for one in sets) == expected


@pytest.mark.parametrize(
    ("tumour", "guideline", "message"),
    [
        ("breast", "triumph", "is for colorectal cancer; for breast cancer there are asco-cap"),
        ("gastric", "eu-label", "one table only"),
        ("colorectal", "asco-cap", "there are heracles"),
    ],
)
def test_a_guideline_for_other_tumours_is_refused(tumour, guideline, message: str) -> None:
    with pytest.raises(DataError, match=message):
        interpret(Her2Test(tumour, ihc="3+", percent=60.0), guideline)


def test_clusters_of_stained_cells_count_in_gastric_biopsies() -> None:
    biopsy = {"ihc": "3+", "specimen": "biopsy"}
    assert interpret(Her2Test("gastric", **biopsy, cluster_cells=5.0)).status == "positive"
    with pytest.raises(DataError, match="fewer than 5 stained cells is scored 0"):
        interpret(Her2Test("gastric", **biopsy, cluster_cells=4.0))
    with pytest.raises(DataError, match="biopsies of gastric cancer only"):
        Her2Test("breast", ihc="3+", cluster_cells=8.0)


@pytest.mark.parametrize(
    ("reported", "status", "step"),
    [
        ({"ihc": "3+"}, "positive", None),
        ({"ihc": "2+"}, "equivocal", "recount"),
        ({"ihc": "1+"}, "negative", None),
        ({}, "equivocal", "recount"),
    ],
)
def test_an_equivocal_ish_asks_for_another_count(reported: dict, status: str, step) -> None:
    found = interpret(Her2Test("breast", ish="equivocal", **reported))
    assert (found.status, found.next_step) == (status, step)
    assert "count again" in (found.note or "")


# Status, or the step of an equivocal one, and whether IHC and ISH disagree: by the score, without
# ISH, with a positive and with a negative one.
GASTRIC = {
    "3+": (("positive", False), ("positive", False), ("positive", True)),
    "2+": (("reflex_ish", False), ("positive", False), ("negative", False)),
    "1+": (("negative", False), ("negative", True), ("negative", False)),
    "0": (("negative", False), ("negative", True), ("negative", False)),
    None: (None, ("repeat_ihc", False), ("repeat_ihc", False)),
}
LABEL_OF_IHC = {
    "3+": (("positive", False), ("positive", False), ("positive", True)),
    "2+": (("negative", False), ("negative", True), ("negative", False)),
    "1+": GASTRIC["1+"],
    "0": GASTRIC["0"],
    None: GASTRIC[None],
}


def told(tumour: str, guideline: str | None = None, **reported) -> tuple[str, bool]:
    """The status or the next step, and whether the results disagree."""
    found = interpret(Her2Test(tumour, **reported), guideline)
    return found.next_step or found.status, found.discordant


@pytest.mark.parametrize("ihc", [*GASTRIC])
def test_every_score_of_gastric_cancer_with_and_without_ish(ihc) -> None:
    """The label: 3+, or 2+ with a ratio of 2.0 or more; ISH alone waits for IHC."""
    alone, positive, negative = GASTRIC[ihc]
    if alone is not None:
        assert told("gastric", ihc=ihc) == alone
    for ish in ({"ratio": 2.0}, {"ish": "positive"}):
        assert told("gastric", ihc=ihc, **ish) == positive
    for ish in ({"ratio": 1.99}, {"ish": "negative"}):
        assert told("gastric", ihc=ihc, **ish) == negative


@pytest.mark.parametrize("ihc", [*LABEL_OF_IHC])
def test_every_score_of_biliary_cancer_counts_by_ihc_alone(ihc) -> None:
    """The label of zanidatamab asks for 3+, whatever ISH says."""
    alone, positive, negative = LABEL_OF_IHC[ihc]
    if alone is not None:
        assert told("biliary", ihc=ihc) == alone
    assert told("biliary", ihc=ihc, ish="positive") == positive
    assert told("biliary", ihc=ihc, ish="negative") == negative


@pytest.mark.parametrize(("ihc", "step"), [("1+", "negative"), ("2+", "reflex_ish"),
                                           ("3+", "positive")])  # fmt: skip
def test_limits_of_gastric_resections_and_biopsies(ihc: str, step: str) -> None:
    """A resection counts from 10 % of the cells on, a biopsy from a cluster of 5 on."""
    assert told("gastric", ihc=ihc, specimen="resection", percent=10.0)[0] == step
    assert told("gastric", ihc=ihc, specimen="biopsy", cluster_cells=5.0)[0] == step
    assert told("gastric", ihc=ihc, specimen="biopsy", percent=3.0)[0] == step
    for below in (
        {"specimen": "resection", "percent": 9.9}, {"specimen": "biopsy", "cluster_cells": 4.0},
    ):  # fmt: skip
        with pytest.raises(DataError, match="scored 0"):
            interpret(Her2Test("gastric", ihc=ihc, **below))
    with pytest.raises(DataError, match="tell the specimen"):
        interpret(Her2Test("gastric", ihc=ihc, percent=9.9))


def test_a_gastric_score_of_0_has_no_stain_that_counts() -> None:
    with pytest.raises(DataError, match=r"scored 1\+ at least"):
        interpret(Her2Test("gastric", ihc="0", specimen="resection", percent=10.0))
    with pytest.raises(DataError):
        interpret(Her2Test("gastric", ihc="0", specimen="biopsy", cluster_cells=5.0))
    for stain, ihc in (("none", "1+"), ("faint", "2+")):
        with pytest.raises(DataError):
            interpret(Her2Test("gastric", ihc=ihc, stain=stain))


@pytest.mark.parametrize(
    ("percent", "ratio", "wanted"),
    [
        (49.9, None, "negative"), (49.9, 2.5, "negative"), (50.0, None, "repeat_ihc"),
        (50.0, 2.0, "positive"), (50.0, 1.99, "negative"),
    ],
)  # fmt: skip
def test_heracles_asks_for_half_of_the_cells_at_2(percent, ratio, wanted: str) -> None:
    """HERACLES: 2+ in half of the cells, and amplified."""
    assert told("colorectal", "heracles", ihc="2+", percent=percent, ratio=ratio)[0] == wanted


@pytest.mark.parametrize(
    ("percent", "ratio", "wanted"),
    [
        (10.0, 3.0, "negative"), (30.0, None, "repeat_ihc"), (30.0, 2.0, "positive"),
        (30.0, 1.99, "negative"), (50.0, None, "positive"), (50.0, 1.5, "positive"),
    ],
)  # fmt: skip
def test_heracles_asks_for_half_of_the_cells_or_ish_at_3(percent, ratio, wanted: str) -> None:
    """HERACLES: 3+ in half of the cells, or in more than a tenth with amplification."""
    found = told("colorectal", "heracles", ihc="3+", percent=percent, ratio=ratio)
    assert found == (wanted, percent == 50.0 and ratio == 1.5)


def test_copies_alone_decide_nothing_in_gastric_cancer() -> None:
    """The limit of copies was not read in a source: the ratio is asked for."""
    with pytest.raises(DataError, match="ratio"):
        interpret(Her2Test("gastric", ihc="2+", copies=7.0))
