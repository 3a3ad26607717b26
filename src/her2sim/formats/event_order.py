"""The order of the rows of an event table: time that goes back, rows that come twice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from her2sim.arrays import Whole
from her2sim.errors import Faults
from her2sim.formats.csv_table import LINE, note_rows
from her2sim.regimens.event_table import DOSE, RESET, RESET_AND_DOSE

IDENTITY = ("ID", "TIME")
"""Columns that say which row it is, in messages."""
SHOWN = 10
"""Rows that are named; of more it is said that there are more."""


def is_dose(numbers: dict[str, pl.Series]) -> pl.Series:
    """Rows that give a dose."""
    return (numbers["EVID"] == DOSE) | (numbers["EVID"] == RESET_AND_DOSE)


def check_order(frame: pl.DataFrame, numbers: dict[str, pl.Series], faults: Faults) -> None:
    """Faults between records: time running backwards, an ID that comes back, equal rows."""
    backwards = _goes_back(frame, numbers) & ~_is_reset(numbers)
    text = "TIME goes backwards within this ID; it may start again at a reset only (EVID 3 or 4)"
    note_rows(frame, backwards, faults, IDENTITY, text)
    firsts = frame.filter(starts(frame))
    again = firsts["ID"].is_duplicated() & ~firsts["ID"].is_first_distinct()
    lines = firsts.filter(again)[LINE].to_list()
    names = firsts.filter(again)["ID"].to_list()
    faults.add_many(
        (
            f"row {line} (ID {name}): this ID was there before; keep the rows of an ID together"
            for line, name in zip(lines, names, strict=True)
        ),
        len(lines),
    )
    repeated = _repeated(frame, numbers) & ~is_dose(numbers)
    text = "equal to an earlier row in all columns; remove one"
    note_rows(frame, repeated, faults, IDENTITY, text)


def _is_reset(numbers: dict[str, pl.Series]) -> pl.Series:
    return (numbers["EVID"] == RESET) | (numbers["EVID"] == RESET_AND_DOSE)


def _goes_back(frame: pl.DataFrame, numbers: dict[str, pl.Series]) -> pl.Series:
    """Rows whose TIME is before that of the row above, of the same ID."""
    return ~pl.Series(starts(frame)) & (numbers["TIME"].diff().fill_null(0.0) < 0)


def _restarts(frame: pl.DataFrame, numbers: dict[str, pl.Series]) -> pl.Series:
    """Rows at which TIME starts again."""
    return _goes_back(frame, numbers) & _is_reset(numbers)


def _repeated(frame: pl.DataFrame, numbers: dict[str, pl.Series]) -> pl.Series:
    """Rows that are equal to an earlier one in all columns, since TIME last started."""
    columns = [name for name in frame.columns if name != LINE]
    told = frame.select(columns).with_columns(_restarts(frame, numbers).cum_sum().alias(LINE))
    return told.is_duplicated() & ~told.select(pl.struct(pl.all()).is_first_distinct()).to_series()


def forgotten_doses(frame: pl.DataFrame, numbers: dict[str, pl.Series]) -> Iterator[str]:
    """Steady states of one time: SS 1 forgets what was there, so an earlier dose acts no more."""
    forgets = is_dose(numbers) & (numbers["SS"] == 1)
    if not forgets.any():
        return
    rows = frame.select("ID", LINE).with_columns(
        numbers["TIME"].alias("TIME"), part=_restarts(frame, numbers).cum_sum(), forgets=forgets
    )
    doses = rows.filter(is_dose(numbers))
    at_one_time = doses.group_by("ID", "part", "TIME", maintain_order=True).agg(LINE, "forgets")
    for lines, told in at_one_time.select(LINE, "forgets").iter_rows():
        last = max((k for k, one in enumerate(told) if one), default=0)
        if last:
            gone = ", ".join(map(str, lines[:last]))
            yield (
                f"row {lines[last]}: SS 1 forgets everything before it, also what row"
                f"{'' if last == 1 else 's'} {gone} gave at the same time; SS 2 adds a steady "
                "state to what is there"
            )


def repeated_doses(frame: pl.DataFrame, numbers: dict[str, pl.Series]) -> Iterator[str]:
    """Equal doses: two tablets in two rows are two tablets, and it is said."""
    lines = frame.filter(_repeated(frame, numbers) & is_dose(numbers))[LINE].to_list()
    if lines:
        rows = ", ".join(map(str, lines[:SHOWN])) + (" ..." if len(lines) > SHOWN else "")
        one = len(lines) == 1
        yield (
            f"row{'' if one else 's'} {rows}: {'a dose' if one else 'doses'} equal to an earlier "
            "one at the same time; each of them counts"
        )


def running_time(frame: pl.DataFrame, numbers: dict[str, pl.Series]) -> Whole:
    """Time that never goes back: where TIME starts again, it goes on from the row above."""
    time = numbers["TIME"].round().cast(pl.Int64).to_numpy()
    steps = np.diff(time, prepend=0)
    steps[_restarts(frame, numbers).to_numpy()] = 0
    running = np.cumsum(steps)
    first = np.maximum.accumulate(np.where(starts(frame), np.arange(time.size), 0))
    shifted: Whole = running - running[first] + time[first]
    return shifted


def starts(frame: pl.DataFrame) -> Whole:
    """Whether a row is the first of its ID."""
    return (frame["ID"] != frame["ID"].shift(1)).fill_null(True).to_numpy()
