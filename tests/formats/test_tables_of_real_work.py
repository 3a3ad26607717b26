"""Event tables as real work produces them: right by a closed form, or refused or noted in words.

The files of `cases/reports/events` stand for kinds; further ones of each kind are written here.
"""

from __future__ import annotations

from math import exp
from pathlib import Path
from typing import Any

import pytest

from her2sim.api.events import Predictions, simulate
from her2sim.errors import DataError
from tests.conftest import CASES

EVENTS = CASES / "reports" / "events"
SET = ("cl=1", "v=20", "ka=1.1")
K, KA, V = 1 / 20, 1.1, 20.0
HEAD = "ID,TIME,EVID,AMT,CMT\n"
TOLERANCE = 1e-6
"""Relative; the solver's default is 1e-8 a step."""


def oral(hours: float, mg: float = 100.0) -> float:
    """Concentration (ng/mL) after one dose by mouth: the Bateman function."""
    return 1000 * mg * KA / (V * (KA - K)) * (exp(-K * hours) - exp(-KA * hours))


def at_steady_state(hours: float, mg: float, interval: float, to_central: bool) -> float:
    """Concentration (ng/mL) after the last of endless doses."""
    fast, slow = (exp(-r * hours) / (1 - exp(-r * interval)) for r in (KA, K))
    if to_central:
        return 1000 * mg / V * slow
    return 1000 * mg * KA / (V * (KA - K)) * (slow - fast)


def run(text: str, folder: Path, **told: Any) -> Predictions:
    path = folder / "events.csv"
    path.write_text(text, encoding="utf-8")
    return simulate(path, **(told or {"structure": "one_compartment_oral", "settings": SET}))


def predicted(found: Predictions) -> list[float]:
    return found.frame()["PRED"].to_list()


@pytest.mark.skipif(not EVENTS.is_dir(), reason="the cases are not here")
def test_the_cases() -> None:
    told: dict[str, Any] = {"structure": "one_compartment_oral", "settings": SET}
    with pytest.raises(DataError, match="DATE: part of the time"):
        simulate(EVENTS / "a15_date_increasing.csv", **told)
    ignored = simulate(EVENTS / "a15_date_increasing.csv", ignore=("DATE",), **told)
    assert predicted(ignored) == pytest.approx([oral(2.0), oral(4.0)], rel=TOLERANCE)

    two = simulate(EVENTS / "a1_two_ss_cmt.csv", **told)
    assert any("row 3: SS 1 forgets everything before it" in note for note in two.notes)
    assert predicted(two)[1] == pytest.approx(at_steady_state(6, 80, 24, False), rel=TOLERANCE)

    again = simulate(EVENTS / "a3_occ_restart_evid4.csv", **told)
    assert predicted(again) == pytest.approx([oral(4.0)] * 2, rel=TOLERANCE)

    tablets = simulate(EVENTS / "a9_dup.csv", **told)
    assert predicted(tablets) == pytest.approx([2 * oral(1.0, 50.0)], rel=TOLERANCE)
    assert any("each of them counts" in note for note in tablets.notes)

    little = simulate(EVENTS / "a19_mgkg.csv", drug="trastuzumab", typical=True)
    assert any("8 mg is far below every labelled dose of trastuzumab" in n for n in little.notes)


def test_two_steady_states_add_up_with_ss_2(tmp_path: Path) -> None:
    """5496.8 ng/mL at 6 h, by the sum of two closed forms."""
    head = "ID,TIME,EVID,AMT,CMT,SS,II\n"
    found = run(head + "1,0,1,20,2,1,24\n1,0,1,80,1,2,24\n1,6,0,0,2,0,0\n", tmp_path)
    both = at_steady_state(6, 20, 24, True) + at_steady_state(6, 80, 24, False)
    assert both == pytest.approx(5496.8, abs=0.05)
    assert predicted(found) == pytest.approx([both], rel=TOLERANCE)
    assert not any("forgets" in note for note in found.notes)


@pytest.mark.parametrize(
    ("rows", "is_said"),
    [
        ("1,0,1,50,1,0,0\n1,0,1,80,1,1,24\n1,6,0,0,2,0,0\n", True),  # a dose, then SS 1
        ("1,0,1,80,1,1,24\n1,0,1,50,1,0,0\n1,6,0,0,2,0,0\n", False),  # SS 1, then a dose
        ("1,0,1,50,1,1,24\n2,0,1,80,1,1,24\n2,6,0,0,2,0,0\n", False),  # two patients
        ("1,0,1,50,1,1,24\n1,24,1,80,1,1,24\n1,30,0,0,2,0,0\n", False),  # another time
    ],
)
def test_what_ss_1_forgets_at_one_time_is_said(rows: str, is_said: bool, tmp_path: Path) -> None:
    found = run("ID,TIME,EVID,AMT,CMT,SS,II\n" + rows, tmp_path)
    assert any("forgets" in note for note in found.notes) is is_said


@pytest.mark.parametrize(
    ("rows", "hours"),
    [
        # An empty reset and a later dose; the reading of the first part is still right.
        ("1,0,1,100,1\n1,5,0,0,2\n1,0,3,0,1\n1,1,1,100,1\n1,4,0,0,2\n", (5.0, 3.0)),
        # Three occasions, without a column for them: equal rows are no repetition.
        (
            "1,0,1,100,1\n1,4,0,0,2\n1,0,4,100,1\n1,4,0,0,2\n1,0,4,100,1\n1,4,0,0,2\n",
            (4.0, 4.0, 4.0),
        ),
        # TIME starts again at a number above zero, and in a second patient too.
        (
            "1,0,1,100,1\n1,30,0,0,2\n1,10,4,100,1\n1,13,0,0,2\n"
            "2,7,1,100,1\n2,9,0,0,2\n2,1,4,100,1\n2,2,0,0,2\n",
            (30.0, 3.0, 2.0, 1.0),
        ),
    ],
)
def test_time_may_start_again_at_a_reset(rows: str, hours, tmp_path: Path) -> None:
    found = run(HEAD + rows, tmp_path)
    assert predicted(found) == pytest.approx([oral(hour) for hour in hours], rel=TOLERANCE)


def test_what_waits_at_a_reset_is_gone(tmp_path: Path) -> None:
    rows = "1,0,1,100,1,9,24\n1,0,4,100,1,0,0\n1,30,0,0,2,0,0\n"
    found = run("ID,TIME,EVID,AMT,CMT,ADDL,II\n" + rows, tmp_path)
    assert predicted(found) == pytest.approx([oral(30.0)], rel=TOLERANCE)


@pytest.mark.parametrize(
    "rows",
    [
        "1,0,1,100,1\n1,4,0,0,2\n1,0,1,100,1\n",  # a dose
        "1,5,1,100,1\n1,4,0,0,2\n",  # a reading
        "1,5,1,100,1\n1,4,2,0,1\n",  # another event
    ],
)
def test_time_that_goes_back_elsewhere_is_refused(rows: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"may start again at a reset only \(EVID 3 or 4\)"):
        run(HEAD + rows, tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.3])
def test_any_bioavailability_from_zero_is_legal(share: float, tmp_path: Path) -> None:
    text = f"ID,TIME,EVID,AMT,CMT,F1\n1,0,1,100,1,{share}\n1,3,0,0,2,{share}\n"
    found = run(
        text, tmp_path, structure="one_compartment_oral", settings=SET, f_column="F1", acts_on="all"
    )
    assert predicted(found) == pytest.approx([share * oral(3.0)], rel=TOLERANCE)


def test_a_negative_bioavailability_is_refused(tmp_path: Path) -> None:
    text = "ID,TIME,EVID,AMT,CMT,F1\n1,0,1,100,1,-0.1\n"
    with pytest.raises(DataError, match="a bioavailability is negative"):
        run(text, tmp_path, structure="one_compartment_oral", settings=SET, f_column="F1")


@pytest.mark.parametrize(
    ("drug", "mg", "words"),
    [
        ("trastuzumab", 8.0, "far below every labelled dose of trastuzumab"),
        ("trastuzumab", 6000.0, "far above"),
        ("trastuzumab-emtansine", 3.6, "far below"),
        ("capecitabine", 1.25, "far below"),
        ("trastuzumab", 560.0, ""),
        ("trastuzumab", 80.0, ""),  # a study of low doses, or a light patient
        ("docetaxel", 135.0, ""),
    ],
)
def test_amounts_far_from_every_label_are_said(
    drug: str, mg: float, words: str, tmp_path: Path
) -> None:
    text = f"ID,TIME,EVID,AMT,WT,HT\n1,0,1,{mg},70,168\n1,21,0,0,70,168\n"
    found = run(text, tmp_path, drug=drug, typical=True, time_unit="day")
    said = [note for note in found.notes if "labelled dose" in note]
    assert bool(said) is bool(words)
    assert all(words in note for note in said)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ID,TIME,AMT\n1,0,560\n1;1;0\n", "row 3 has 1 cells, the heading 3"),
        ("ID;TIME;AMT\n1;0;560\n", "separated by semicolons; save it with commas"),
        ("ID\tTIME\tAMT\n1\t0\t560\n", "separated by tabs"),
        ("ID,TIME,AMT\n1,0,56,5\n1,1,0\n", "write numbers with a point"),
        ("ID,TIME,AMT\n\n\n", "has a heading but no rows"),
        ("ID,TIME\n1,0\n", "missing columns: AMT"),
        ("ID,TIME,AMT,EVID,RATE\n1,0,560,1,0\n1,1,0,0,20\n", "RATE on a record that is no dose"),
        ("ID,TIME,AMT,CMT\n1,0,560,1\n1,1,0,9\n", "CMT 9: the model has compartments 1 to"),
        ("ID,TIME,AMT,WT,WEIGHT_KG\n1,0,560,70,90\n1,1,0,70,90\n", "tells too; keep one"),
        (
            "ID,TIME,AMT,ALBUMIN_G_PER_DL,ALBUMIN_G_PER_L\n1,0,560,4,20\n1,1,0,4,20\n",
            "tell the same; keep one",
        ),
    ],
)
def test_tables_that_are_refused_with_the_remedy(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        run(text, tmp_path, drug="trastuzumab", typical=True, time_unit="day")
    message = str(refused.value)
    assert words in message
    for foreign in ("schema", "polars", "Schema", "codec", "##", "missing_columns"):
        assert foreign not in message


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("ID,TIME,AMT,C\n1,0,560,M\xfcller\n".encode("latin-1"), "row 2 has a letter that is not"),
        ("ID,TIME,AMT\n1,0,560\n".encode("utf-16"), "is text in UTF-16"),
        (b"ID,TIME,AMT\n1,\0,560\n", "is a binary file"),
    ],
)
def test_other_encodings_are_named(raw: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(raw)
    with pytest.raises(DataError, match=words):
        simulate(path, drug="trastuzumab", typical=True)


def test_blank_rows_are_no_rows_and_lines_stay_right(tmp_path: Path) -> None:
    text = HEAD + "\n1,0,1,100,1\n,,,,\n1,3,0,0,2\n\n"
    assert predicted(run(text, tmp_path)) == pytest.approx([oral(3.0)], rel=TOLERANCE)
    with pytest.raises(DataError, match="row 4 "):
        run(HEAD + "\n1,0,1,100,1\n,,,,x\n1,3,0,0,2\n", tmp_path)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("1,0,1,100,1\n1.0,3,0,0,2\n", "ID 1.0: no dose in the table"),
        ("1,0,1,100,1\n2,0,1,100,1\n2,3,0,0,2\n", "ID 1: no observation in the table"),
        ("1,0,1,100,1\n1,3,0,0,1\n", "row 3: CMT of an observation does not act"),
    ],
)
def test_what_falls_apart_is_said(rows: str, words: str, tmp_path: Path) -> None:
    assert any(words in note for note in run(HEAD + rows, tmp_path).notes)


def test_comments_are_marked_in_either_case(tmp_path: Path) -> None:
    text = "C,ID,TIME,EVID,AMT,CMT\n,1,0,1,100,1\nc,1,1,1,900,1\n,1,3,0,0,2\n"
    assert predicted(run(text, tmp_path)) == pytest.approx([oral(3.0)], rel=TOLERANCE)


def test_a_bioavailability_in_per_cent_is_asked_back(tmp_path: Path) -> None:
    text = "ID,TIME,EVID,AMT,CMT,F1\n1,0,1,100,1,60\n1,3,0,0,2,60\n"
    told = {"structure": "one_compartment_oral", "settings": SET, "f_column": "F1"}
    with pytest.raises(DataError, match=r"60 is no share; did you mean 0\.6"):
        run(text, tmp_path, acts_on="all", **told)
