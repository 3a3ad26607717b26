"""A real record against the label: planted departures are found, and nothing else is."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import get_args

import pytest

from her2sim.errors import DataError
from her2sim.formats.record_csv import COLUMNS, read_record
from her2sim.protocol.audit import check_record
from her2sim.protocol.departures import Code
from tests.conftest import ROOT

EXAMPLES = ROOT / "examples"
HEAD = ",".join(COLUMNS) + "\n"


def written(path: Path, *lines: str) -> Path:
    path.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def lab(day: str, test: str, value: float, unit: str) -> str:
    return f"A,{day},lab,,,,{test},{value},{unit},"


def dose(day: str, drug: str, mg: float | str, route: str = "iv") -> str:
    return f"A,{day},dose,{drug},{route},{mg},,,,"


START = (lab("2026-01-01", "weight", 70, "kg"), lab("2026-01-01", "lvef", 62, "%"))


def codes(path: Path, *lines: str, region: str = "us", setting: str = "metastatic") -> list[str]:
    report = check_record(read_record(written(path / "r.csv", *lines)), region, setting)
    return [d.code for d in report.departures]


def test_the_planted_departures_are_found_and_none_in_the_clean_record() -> None:
    clean, planted = (read_record(EXAMPLES / f"record_{n}.csv") for n in ("clean", "departures"))
    assert len(clean) == len(planted)
    assert check_record(clean).departures == ()
    found = check_record(planted).departures
    assert sorted(d.code for d in found) == sorted(get_args(Code))
    assert [d.patient for d in found] == [f"P{k:02}" for k in range(1, 16)]  # one in each patient
    assert all(d.expected and d.found for d in found)
    assert all(d.source for d in found if d.code != "unknown_drug")  # no label has such a drug


def test_a_week_late_is_not_yet_a_reload(tmp_path: Path) -> None:
    late = dose("2026-02-02", "trastuzumab", 420)  # 28 days after the first dose
    first = dose("2026-01-05", "trastuzumab", 560)
    assert codes(tmp_path, *START, first, late) == []
    later = dose("2026-02-03", "trastuzumab", 420)
    assert codes(tmp_path, *START, first, later) == ["missing_reload"]
    assert codes(tmp_path, *START, first, dose("2026-02-03", "trastuzumab", 560)) == []


def test_pertuzumab_reloads_at_six_weeks_and_stops_with_trastuzumab(tmp_path: Path) -> None:
    first = dose("2026-01-05", "pertuzumab", 840), dose("2026-01-05", "trastuzumab", 560)
    for day, found in (("2026-02-15", []), ("2026-02-16", ["missing_reload"])):
        later = dose(day, "pertuzumab", 420), dose(day, "trastuzumab", 560)
        assert codes(tmp_path, *START, *first, *later) == found
    both = (
        *START, *first, "A,2026-01-05,event,,,,infusion_reaction,,,4",
        dose("2026-01-26", "pertuzumab", 420), dose("2026-01-26", "trastuzumab", 420),
    )  # fmt: skip
    assert codes(tmp_path, *both) == ["dose_after_stop", "dose_after_stop"]


def test_regions_differ_on_the_same_record(tmp_path: Path) -> None:
    """LVEF from 72 to 55: the US label holds, the EU label goes on."""
    lines = (
        START[0], lab("2026-01-01", "lvef", 72, "%"), dose("2026-01-05", "trastuzumab", 560),
        lab("2026-01-26", "lvef", 55, "%"), dose("2026-01-26", "trastuzumab", 420),
    )  # fmt: skip
    assert codes(tmp_path, *lines) == ["dose_during_hold"]
    assert codes(tmp_path, *lines, region="eu") == []


def test_unconfirmed_rules_are_marked(tmp_path: Path) -> None:
    lines = (
        *START, dose("2026-01-05", "pertuzumab", 840), dose("2026-01-05", "trastuzumab", 560),
        lab("2026-01-26", "lvef", 38, "%"), dose("2026-01-26", "pertuzumab", 420),
    )  # fmt: skip
    found = check_record(read_record(written(tmp_path / "r.csv", *lines))).departures
    (departure,) = (row for row in found if row.code == "dose_during_hold")
    assert (departure.code, departure.rule_status) == ("dose_during_hold", "unconfirmed")


def test_what_cannot_be_checked_is_said(tmp_path: Path) -> None:
    lines = (START[1], dose("2026-01-05", "trastuzumab", 999), dose("2026-01-05", "ondansetron", 8))
    report = check_record(read_record(written(tmp_path / "r.csv", *lines)))
    assert [row.code for row in report.departures] == ["unknown_drug"]
    assert "no weight before row 3; the amount is not checked" in " ".join(report.notes)


@pytest.mark.parametrize(
    ("lines", "messages"),
    [
        (["A,2026-13-01,dose,trastuzumab,iv,420,,,,"], ["date '2026-13-01' must be a day"]),
        (["A,2026-01-01,dsoe,trastuzumab,iv,420,,,,"], ["did you mean 'dose'"]),
        (["A,2026-01-01,lab,,,,lvfe,60,%,"], ["did you mean 'lvef'"]),
        (["A,2026-01-01,lab,,,,lvef,0.6,1,"], ["lvef is in 1; give it in %"]),
        (["A,2026-01-01,lab,,,,weight,abc,kg,"], ["value 'abc' is not a number"]),
        (["A,2026-01-01,dose,,iv,420,,,,"], ["a dose needs a drug"]),
        (["A,2026-01-01,dose,trastuzumab,im,-4,,,,"], ["2 faults", "route 'im'", "above zero"]),
        (["A,2026-01-01,event,,,,ild,,,7"], ["grade 7 must be a whole number"]),
        ([",2026-01-01,event,,,,idl,,,1"], ["patient is missing", "did you mean 'ild'"]),
    ],
)
def test_a_faulty_record_is_refused_with_every_fault(tmp_path: Path, lines, messages) -> None:
    with pytest.raises(DataError) as error:
        read_record(written(tmp_path / "r.csv", *lines))
    for message in messages:
        assert message in str(error.value)


def test_two_results_of_one_day_are_refused_and_equal_ones_are_not(tmp_path: Path) -> None:
    twice = (*START, lab("2026-03-02", "lvef", 47, "%"), lab("2026-03-02", "lvef", 64, "%"))
    with pytest.raises(DataError, match=r"rows 4 and 5 \(patient A\): lvef twice on 2026-03-02"):
        read_record(written(tmp_path / "r.csv", *twice))
    grades = ("A,2026-03-02,event,,,,ild,,,1", "A,2026-03-02,event,,,,ild,,,3")
    with pytest.raises(DataError, match="rows 4 and 5"):
        read_record(written(tmp_path / "r.csv", *START, *grades))
    same = (*START, lab("2026-03-02", "lvef", 60, "%"), lab("2026-03-02", "lvef", 60, "%"))
    assert len(read_record(written(tmp_path / "r.csv", *same))) == 4


def test_a_day_of_a_drug_taken_twice_may_be_one_row_or_two(tmp_path: Path) -> None:
    """Two rows add up to the day; one row is a dose of it, or the day."""
    days = ("2026-01-05", "2026-01-06")
    for rows in (["300", "300"], ["300"], ["600"], ["250", "50", "300"]):
        given = [dose(day, "tucatinib", mg, "oral") for day in days for mg in rows]
        assert codes(tmp_path, *START, *given) == []
    wrong = [dose(day, "tucatinib", mg, "oral") for day in days for mg in ("300", "450")]
    assert codes(tmp_path, *START, *wrong) == ["dose_off_by_10pct"] * 2


def test_pertuzumab_has_a_conjugate_for_a_partner_where_that_is_labelled(tmp_path: Path) -> None:
    both = dose("2026-01-05", "trastuzumab deruxtecan", 378), dose("2026-01-05", "pertuzumab", 840)
    assert codes(tmp_path, *START, *both) == []
    assert codes(tmp_path, *START, *both, region="eu") == ["forbidden_combination"]
    later = (
        "A,2026-01-20,event,,,,ild,,,2", dose("2026-01-26", "pertuzumab", 420),
    )  # fmt: skip
    assert "dose_after_stop" in codes(tmp_path, *START, *both, *later)


def test_dose_levels_of_a_record_follow_the_start_and_the_partner(tmp_path: Path) -> None:
    height = lab("2026-01-01", "height", 165, "cm")
    grades = [f"A,{day},event,,,,other,,,{grade}"
              for day, grade in (("2026-01-12", 3), ("2026-01-19", 1))]  # fmt: skip
    start = dose("2026-01-05", "neratinib", 240, "oral")
    low = dose("2026-01-19", "neratinib", 160, "oral")
    assert codes(tmp_path, *START, start, *grades, low) == ["wrong_dose_level"]
    pills = [dose(f"2026-01-{d:02}", "capecitabine", 2 * 1330, "oral") for d in (5, 6)]
    assert codes(tmp_path, *START, height, start, *pills, *grades, low)[-1:] != ["wrong_dose_level"]
    gastric = (
        dose("2026-01-05", "trastuzumab deruxtecan", 448),
        lab("2026-01-26", "platelets", 20, "1/nL"),
        lab("2026-02-02", "platelets", 90, "1/nL"),
        dose("2026-02-02", "trastuzumab deruxtecan", 378),
    )
    assert codes(tmp_path, *START, *gastric) == []


def test_a_long_course_of_tablets_is_read_as_its_start(tmp_path: Path) -> None:
    """1000 mg of lapatinib is a regimen of its own, for 300 days as for 3."""
    first = datetime.date(2026, 1, 5)
    for n in (3, 300):
        days = [(first + datetime.timedelta(days=k)).isoformat() for k in range(n)]
        hearts = [lab(day, "lvef", 62, "%") for day in days[::50]]
        pills = [dose(day, "lapatinib", 1000, "oral") for day in days]
        assert codes(tmp_path, *START, *hearts, *pills, region="eu") == []


def test_a_partner_of_another_day_counts_until_its_next_dose(tmp_path: Path) -> None:
    first = dose("2026-01-05", "pertuzumab", 840), dose("2026-01-05", "trastuzumab", 560)
    on_its_own = dose("2026-01-26", "pertuzumab", 420)
    assert codes(tmp_path, *START, *first, on_its_own) == ["forbidden_combination"]
    two_weeks_before = dose("2026-01-12", "trastuzumab", 420)
    found = codes(tmp_path, *START, *first, two_weeks_before, on_its_own)
    assert "forbidden_combination" not in found
