"""Readings of a course: each acts, or it is said why it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

import her2sim as h2

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENT = EXAMPLES / "patient_mbc.toml"


def course(folder: Path, regimen: str, *rows: str, weeks: int = 24, region: str = "us"):
    path = folder / "readings.csv"
    path.write_text("day,test,value,unit\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return h2.course(PATIENT, regimen, weeks=weeks, readings=path, region=region, seed=1)


def decisions(found) -> list[tuple[float, str, str]]:
    frame = found.decisions()
    return list(zip(frame["day"], frame["drug"], frame["decision"], strict=True))


def test_the_baseline_of_the_patient_file_counts(tmp_path: Path) -> None:
    """64 % in the file, 44 % on day 84: a fall of 20 points, with no other reading before."""
    found = course(tmp_path, "trastuzumab/q3w", "84,lvef,44,%")
    assert (84.0, "trastuzumab", "hold") in decisions(found)
    assert any(note.startswith("Baseline LVEF: 64 %") for note in found.notes)
    told = course(tmp_path, "trastuzumab/q3w", "-3,lvef,50,%", "84,lvef,44,%")
    assert not any("Baseline LVEF" in note for note in told.notes)


def test_a_reaction_comes_after_the_dose_that_brought_it_about(tmp_path: Path) -> None:
    found = course(tmp_path, "trastuzumab/q3w", "0,infusion_reaction_grade,4,1")
    (drug,) = found.as_dict()["drugs"]
    assert [dose["day"] for dose in drug["doses"]] == [0.0]
    assert [decision for _, _, decision in decisions(found)] == ["stop"]


@pytest.mark.parametrize(
    ("regimen", "region", "row", "words"),
    [
        ("trastuzumab/q3w", "us", "21,platelets,5,1/nL", "reads platelets"),
        ("trastuzumab/q3w", "eu", "21,ild_grade,4,1", "ild_grade"),
        ("trastuzumab/q3w", "us", "600,lvef,60,%", "After the end of the course"),
    ],
)
def test_what_acts_nowhere_is_said(
    regimen: str, region: str, row: str, words: str, tmp_path: Path
) -> None:
    found = course(tmp_path, regimen, row, region=region)
    assert any(words in note for note in found.notes)


def test_what_a_rule_misses_beside_a_reading_is_said(tmp_path: Path) -> None:
    found = course(tmp_path, "tucatinib/bid", "21,diarrhoea_grade,3,1", weeks=9)
    assert any("asks for on_antidiarrhoeal too" in note for note in found.notes)


def test_a_hold_that_ended_on_its_day_is_not_open(tmp_path: Path) -> None:
    found = course(
        tmp_path, "docetaxel/q3w", "10,platelets,40,1/nL", "21,platelets,120,1/nL", weeks=12
    )
    assert not any("to the end of the line" in note for note in found.notes)
