"""Records as real work produces them: what is right was worked out by hand from the labels.

The files of `cases/reports` stand for kinds; further ones of each kind are written here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from her2sim.errors import DataError
from her2sim.formats.record_csv import COLUMNS, read_record
from her2sim.protocol.audit import check_record
from tests.conftest import CASES

RECORDS = CASES / "reports" / "records"
HEAD = ",".join(COLUMNS) + "\n"
START = ("A,2026-01-02,lab,,,,weight,70,kg,", "A,2026-01-02,lab,,,,lvef,62,%,")

RIGHT = {
    "e1_weekly_then_q3w": [],
    "e2_brand_switch": [],
    "e2d_two_names_hold": ["dose_during_hold"] * 2,
    "e3_Ogivri": ["dose_off_by_10pct", "wrong_interval", "dose_off_by_10pct"],
    "e3_Trazimera": ["dose_off_by_10pct", "wrong_interval", "dose_off_by_10pct"],
    "e4_trastuzumab_emtansine": ["dose_off_by_10pct"] * 2,
    "e4_ado-trastuzumab": ["dose_off_by_10pct"] * 2,
    "e4_Phesgo": ["wrong_route"] * 2,
    "e5_sc_route": [],
    "e5b_pertuzumab_sc": [],
    "f12_phesgo_components": [],
    "e5d_iv_to_sc_6_days_later": ["wrong_interval"],
    "e6_tdxd_gastric": [],
    "e10_weight_year_old": ["missing_baseline_lvef"],
    "e14b_split_same_day": [],
    "f3_misspelt": ["unknown_drug"] * 2,
    "f4_tdm1_inn_platelets": ["dose_off_by_10pct", "dose_during_hold", "dose_off_by_10pct"],
    "f5_tdm1_with_trastuzumab": ["forbidden_combination"],
    "f6_tdxd_then_tdm1_same_day": ["forbidden_combination"],
    "g12_anthracycline_concurrent": ["forbidden_combination"],
}
REFUSED = {
    "e8_no_mg": "needs its amount in mg",
    "e13_two_drugs_row": "one row a drug",
    "f1_lvef_fraction_fall": "did you mean 62 %",
    "f2_weight_544": "weight 544 kg is outside 20 to 300 kg",
}


def codes(path: Path) -> list[str]:
    return [row.code for row in check_record(read_record(path)).departures]


@pytest.mark.skipif(not RECORDS.is_dir(), reason="the cases are not here")
def test_every_case_has_its_right_answer() -> None:
    assert {path.stem for path in RECORDS.glob("*.csv")} == {*RIGHT, *REFUSED}


@pytest.mark.skipif(not RECORDS.is_dir(), reason="the cases are not here")
@pytest.mark.parametrize("name", RIGHT)
def test_a_case_is_read_as_it_is_meant(name: str) -> None:
    assert codes(RECORDS / f"{name}.csv") == RIGHT[name]


@pytest.mark.skipif(not RECORDS.is_dir(), reason="the cases are not here")
@pytest.mark.parametrize("name", REFUSED)
def test_a_case_is_refused_with_the_remedy(name: str) -> None:
    with pytest.raises(DataError, match=REFUSED[name]):
        read_record(RECORDS / f"{name}.csv")


def dose(day: str, drug: str, mg: float | str, route: str = "iv") -> str:
    return f'A,2026-{day},dose,"{drug}",{route},{mg},,,,'


def lab(day: str, test: str, value: float, unit: str) -> str:
    return f"A,2026-{day},lab,,,,{test},{value},{unit},"


MORE = {
    # One substance under several names has one clock.
    "INN with a suffix, then a brand": (
        [dose("01-05", "trastuzumab-dkst", 560), dose("01-26", "HERZUMA", 420)], [],
    ),
    "an antibody of another name too soon": (
        [dose("01-05", "Perjeta", 840), dose("01-05", "trastuzumab", 560),
         dose("01-12", "pertuzumab-dpzb", 420)], ["wrong_interval"],
    ),
    "a conjugate by its code": (
        [dose("01-05", "DS-8201a", 378), dose("01-26", "fam-trastuzumab deruxtecan-nxki", 378)], [],
    ),
    # Labelled regimens, and changes from one to another.
    "three-weekly, then weekly": (
        [dose("01-05", "trastuzumab", 560), dose("01-26", "trastuzumab", 140),
         dose("02-02", "trastuzumab", 140), dose("02-09", "trastuzumab", 140)], [],
    ),
    "docetaxel 100": (
        [lab("01-02", "height", 165, "cm"), dose("01-05", "docetaxel", 179),
         dose("01-26", "docetaxel", 179)], [],
    ),
    "weekly paclitaxel": (
        [lab("01-02", "height", 165, "cm"), dose("01-05", "paclitaxel", 143),
         dose("01-12", "paclitaxel", 143), dose("01-19", "paclitaxel", 143)], [],
    ),
    "one dose of another regimen is none": (
        [dose("01-05", "trastuzumab", 560), dose("01-26", "trastuzumab", 420),
         dose("02-16", "trastuzumab", 140), dose("03-09", "trastuzumab", 420)],
        ["dose_off_by_10pct"],
    ),
    # Forms and routes.
    "into the vein after the skin": (
        [dose("01-05", "Herceptin Hylecta", 600, "sc"), dose("01-26", "trastuzumab", 420)], [],
    ),
    "a biosimilar under the skin": (
        [dose("01-05", "Kanjinti", 600, "sc")], ["wrong_route"],
    ),
    "a tablet into the vein": (
        [dose("01-05", "Tukysa", 300, "iv")], ["wrong_route"],
    ),
    "Phesgo as one amount for both": (
        [dose("01-05", "Phesgo", 1800, "sc"), dose("01-26", "Phesgo", 1200, "sc")], [],
    ),
    # Rows of one day.
    "three vials in three rows": (
        [dose("01-05", "Ogivri", 150), dose("01-05", "Ogivri", 150), dose("01-05", "Ogivri", 260)],
        [],
    ),
    "the same dose twice on a day": (
        [dose("01-05", "trastuzumab", 560), dose("01-05", "trastuzumab", 560)],
        ["dose_off_by_10pct"],
    ),
    # Drugs that do not go together, and those that follow each other.
    "a conjugate after the antibody in its time": (
        [dose("01-05", "trastuzumab", 560), dose("01-26", "T-DM1", 252)], [],
    ),
    "one conjugate a week after another": (
        [dose("01-05", "Kadcyla", 252), dose("01-12", "Enhertu", 378)], ["forbidden_combination"],
    ),
    "an anthracycline before the antibody": (
        [lab("01-02", "height", 165, "cm"), dose("01-05", "doxorubicin", 107),
         dose("01-26", "trastuzumab", 560)], [],
    ),
    "an anthracycline three months after it": (
        [lab("01-02", "height", 165, "cm"), dose("01-05", "trastuzumab", 560),
         lab("04-01", "lvef", 62, "%"), dose("04-05", "Adriamycin", 107)],
        ["forbidden_combination"],
    ),
    "pertuzumab without trastuzumab": (
        [dose("01-05", "pertuzumab", 840), dose("01-26", "pertuzumab", 420)],
        ["forbidden_combination"],
    ),
    # Names that are none.
    "albumin-bound paclitaxel": ([dose("01-05", "Abraxane", 260)], ["unknown_drug"]),
    "a name that could be two": ([dose("01-05", "trastuzumab hyaluronidase", 600)],
                                 ["unknown_drug"]),
    "no drug at all": ([dose("01-05", "trastzumb emtansin", 252)], ["unknown_drug"]),
}  # fmt: skip


@pytest.mark.parametrize("name", MORE)
def test_further_ones_of_each_kind(tmp_path: Path, name: str) -> None:
    lines, right = MORE[name]
    path = tmp_path / "record.csv"
    path.write_text(HEAD + "\n".join([*START, *lines]) + "\n", encoding="utf-8")
    assert codes(path) == right


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (lab("01-05", "lvef", 0.55, "%"), "did you mean 55 %"),
        (lab("01-05", "platelets", 150000, "1/nL"), "did you mean 150 1/nL"),
        (lab("01-05", "height", 1.65, "cm"), "did you mean 165 cm"),
        (lab("01-05", "weight", 70000, "kg"), "did you mean 70 kg"),
        (lab("01-05", "neutrophils", 2400, "1/nL"), "did you mean 2.4 1/nL"),
        (dose("01-05", "Kadcyla", ""), "a dose of Kadcyla needs its amount in mg"),
        (dose("01-05", "trastuzumab", 0), "must be above zero"),
        (dose("01-05", "T-DXd+pertuzumab", 378), "one row a drug"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "record.csv"
    path.write_text(HEAD + "\n".join([*START, line]) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=words):
        read_record(path)


def test_a_stale_weight_is_named(tmp_path: Path) -> None:
    path = tmp_path / "record.csv"
    lines = [START[0].replace("2026-01-02", "2025-03-01"), START[1], dose("01-05", "Ogivri", 560)]
    path.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    (note,) = check_record(read_record(path)).notes
    assert "the weight is stale from row 4 on (310 days old)" in note


def test_a_stretch_by_a_wrong_route_hides_nothing_before_and_after_it(tmp_path: Path) -> None:
    path = tmp_path / "record.csv"
    lines = [dose("01-05", "Ogivri", 560), dose("01-26", "Ogivri", 420, "sc"),
             dose("02-16", "Ogivri", 4200)]  # fmt: skip
    path.write_text(HEAD + "\n".join([*START, *lines]) + "\n", encoding="utf-8")
    assert codes(path) == ["wrong_route", "dose_off_by_10pct"]


def three_weekly(drug: str, *amounts: float, route: str = "iv") -> list[str]:
    days = ("2026-01-05", "2026-01-26", "2026-02-16", "2026-03-09")
    return [
        f'A,{day},dose,"{drug}",{route},{mg:g},,,,' for day, mg in zip(days, amounts, strict=False)
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # The dose of a conjugate every three weeks is no weekly antibody, loaded again each time.
        (three_weekly("Herceptin", 252, 252, 252, 252), {"dose_off_by_10pct"}),
        # One odd dose does not turn the right ones wrong.
        (three_weekly("Enhertu", 378, 378, 378, 448), {"dose_off_by_10pct"}),
        (three_weekly("Enhertu", 378, 252, 378), {"dose_off_by_10pct"}),
        (three_weekly("Enhertu", 448, 378, 378, 448), {"wrong_dose_level"}),
        # The amount of a fixed combination is told one way within a patient.
        (three_weekly("Phesgo", 1200, 600, 600, 600, route="sc"), set()),
        (three_weekly("Phesgo", 1200, 600, 1200, 600, route="sc"), {"needless_reload"}),
        (three_weekly("Phesgo", 1800, 1200, 1200, 1200, route="sc"), set()),
        # An antibody once a week is not what followed a three-weekly dose.
        (three_weekly("Herceptin", 560, 300), {"dose_off_by_10pct"}),
        (three_weekly("Herceptin", 560, 420, 420, 420), set()),
    ],
)
def test_stretches_are_read_by_what_fits_them_as_a_whole(rows, expected, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(HEAD + "\n".join((*START, *rows)) + "\n", encoding="utf-8")
    assert set(codes(path)) == expected


def test_a_dose_by_auc_is_not_checked_and_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    rows = (*START, 'A,2026-01-05,dose,"carboplatin",iv,600,,,,')
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    found = check_record(read_record(path))
    assert found.departures == ()
    assert any(note.startswith("carboplatin: no labelled amount (AUC 6") for note in found.notes)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("A,2026-01-05,dose,Herceptin,iv,560,lvef,30,%,", "a dose has no test 'lvef'"),
        ("A,2026-01-05,dose,Herceptin,iv,560,,,,4", "a dose has no grade '4'"),
        ("A,2026-01-05,lab,Herceptin,iv,560,lvef,60,%,", "a lab has no drug 'Herceptin'"),
        ("A,2026-01-05,event,,,,ild,1,kg,2", "a event has no value '1'"),
        ("A,2026-01-05,event,,,,infusion_reaction,,,", "needs its grade, 0 to 5"),
        ("A,2026-01-05,event,,,,ild,,,", "needs its grade, 0 to 5"),
    ],
)
def test_cells_of_another_row_and_events_without_a_grade(row: str, words: str, tmp_path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(HEAD + "\n".join((*START, row)) + "\n", encoding="utf-8")
    with pytest.raises(DataError) as refused:
        read_record(path)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("drug", "row", "words"),
    [
        ("Kadcyla", "A,2026-01-26,lab,,,,platelets,24,1/nL,", "platelets"),
        ("Herceptin", "A,2026-01-26,event,,,,neuropathy,,,3", "neuropathy_grade"),
        ("Enhertu", "A,2026-01-26,lab,,,,platelets,24,1/nL,", "platelets"),
    ],
)
def test_a_reading_that_no_rule_of_the_region_reads_is_said(drug, row, words, tmp_path) -> None:
    path = tmp_path / "r.csv"
    rows = (*START, f'A,2026-01-05,dose,"{drug}",iv,252,,,,', row)
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    notes = check_record(read_record(path), "eu").notes
    assert any(note.startswith("No rule of the EU labels") and words in note for note in notes)
