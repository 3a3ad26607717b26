"""Readings of one patient: what contradicts itself is refused with both rows."""

from __future__ import annotations

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
