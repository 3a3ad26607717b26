"""Readings of one patient: what contradicts itself is refused with both rows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from her2sim.errors import DataError
from her2sim.formats.readings_csv import read_readings

HEAD = "day,test,value,unit\n"


def test_two_readings_of_one_time_are_refused_with_both_rows(tmp_path: Path) -> None:
    path = tmp_path / "readings.csv"
    path.write_text(HEAD + "-7,lvef,64,%\n84,lvef,47,%\n84,platelets,210,1/nL\n84,lvef,64,%\n")
    with pytest.raises(DataError, match="rows 3 and 5: lvef twice on day 84; keep one"):
        read_readings(path)


def test_the_order_of_rows_is_free(tmp_path: Path) -> None:
    path = tmp_path / "readings.csv"
    path.write_text(HEAD + "84,lvef,47,%\n-7,lvef,64,%\n")
    _, days, values = read_readings(path).records["lvef"]
    assert (days.tolist(), values.tolist()) == ([-7, 84], [64, 47])


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("21,diarrhoea_grade,2.5,1", "write a whole number from 0 to 5"),
        ("42,heart_failure,0.5,1", "write a whole number from 0 to 1"),
        ("45,ild_grade,0.5,1", "ild_grade 0.5: write a whole number"),
        ("45,progression,0.5,1", "progression 0.5: write a whole number"),
    ],
)
def test_grades_are_whole_numbers(row: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(f"day,test,value,unit\n{row}\n", encoding="utf-8")
    with pytest.raises(DataError, match=words):
        read_readings(path)


def test_a_pipe_is_refused_in_words(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="is a pipe or a device"):
        read_readings(tmp_path / "pipe")
