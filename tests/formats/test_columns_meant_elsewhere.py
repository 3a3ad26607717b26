"""Event tables of other programs: columns that mean something there, doses that come twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from her2sim.errors import DataError
from her2sim.formats.event_csv import read_events


def table(folder: Path, heading: str, *rows: str) -> Path:
    path = folder / "events.csv"
    path.write_text("\n".join([heading, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["DATE", "date", "DAT2", "TINF", "L2", "YTYPE"])
def test_a_column_that_means_something_elsewhere_is_never_dropped(
    tmp_path: Path, name: str
) -> None:
    path = table(tmp_path, f"ID,TIME,AMT,{name}", "1,0,100,1", "1,1,0,2")
    with pytest.raises(DataError, match=f"{name.upper()}: .*or ignore them by name"):
        read_events(path, "h", 2, 1e6)
    found, _ = read_events(path, "h", 2, 1e6, ignore=[name])
    assert found.n_records == 2


def test_two_equal_doses_are_two_doses_and_it_is_said(tmp_path: Path) -> None:
    path = table(tmp_path, "ID,TIME,AMT,EVID", "1,0,50,1", "1,0,50,1", "1,1,0,0")
    found, notes = read_events(path, "h", 2, 1e6)
    assert found.amount.tolist() == [50, 50, 0]
    assert notes == ["row 3: a dose equal to an earlier one at the same time; each of them counts"]


def test_two_equal_readings_are_a_slip(tmp_path: Path) -> None:
    path = table(tmp_path, "ID,TIME,AMT,EVID", "1,0,50,1", "1,1,0,0", "1,1,0,0")
    with pytest.raises(DataError, match=r"row 4 .*equal to an earlier row in all columns"):
        read_events(path, "h", 2, 1e6)
