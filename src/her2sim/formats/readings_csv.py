"""Readings of one patient as CSV: one line a reading, with its day."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from her2sim.errors import DataError, Faults, did_you_mean
from her2sim.formats.csv_table import LINE, note_rows, parse_numbers, read_text_table
from her2sim.protocol.readings import TableReadings
from her2sim.protocol.variables import CLOCKS, DERIVED, VARIABLES, reading_fault

COLUMNS = ("day", "test", "value", "unit")
EARLIEST_DAY, LATEST_DAY = -365.0, 36_500.0
READ = tuple(name for name in VARIABLES if name not in (*CLOCKS, *DERIVED))
"""What can be read of a patient."""


AFTER_DOSE, JUST_AFTER_DAY = "infusion_reaction_grade", 1e-3
"""A reaction to an infusion comes after the dose of its day."""


def read_readings(path: Path) -> TableReadings:
    """Read the readings of one patient; day 0 is the day of the first dose.

    Raises
    ------
    DataError
        With every fault of the file.
    """
    frame = read_text_table(path)
    faults = Faults(str(path))
    for name in COLUMNS:
        if name not in frame.columns:
            faults.add(f"column {name} is missing")
    for name in frame.columns:
        if name not in (*COLUMNS, LINE):
            faults.add(f"unknown column {name!r}{did_you_mean(name, COLUMNS)}")
    faults.raise_if_any(DataError)
    day, value = (
        parse_numbers(frame, name, faults, missing=None, identity=("test",))
        for name in ("day", "value")
    )
    where = ("test",)
    outside = ~day.is_nan() & ~day.is_between(EARLIEST_DAY, LATEST_DAY)
    text = f"day {{day}} is outside {EARLIEST_DAY:g} to {LATEST_DAY:g}"
    note_rows(frame, outside, faults, where, text)
    unknown = ~frame["test"].is_in(READ)
    note_rows(frame, unknown, faults, (), f"test {{test!r}} is unknown; use {', '.join(READ)}")
    records = {}
    for name in READ:
        mask, limits = frame["test"] == name, VARIABLES[name]
        wrong = mask & (frame["unit"] != limits.unit)
        note_rows(frame, wrong, faults, where, f"unit {{unit!r}}: {name} is in {limits.unit!r}")
        beyond = mask & ~value.is_nan() & ~value.is_between(limits.low, limits.high)
        if limits.unit == "1":
            beyond |= mask & ~value.is_nan() & (value != value.round())
        for line, told in zip(
            frame[LINE].filter(beyond).to_list(), value.filter(beyond).to_list(), strict=True
        ):
            faults.add(f"row {line}: {reading_fault(name, told)}")
        rows = mask.arg_true()
        _note_twice(frame, day, rows, name, faults)
        if rows.len():
            records[name] = _record(day.gather(rows), value.gather(rows))
    faults.raise_if_any(DataError)
    if AFTER_DOSE in records:  # the dose of its day is the one that brought it about
        who, days, values = records[AFTER_DOSE]
        records[AFTER_DOSE] = (who, days + JUST_AFTER_DAY, values)
    return TableReadings(records)


def _note_twice(
    frame: pl.DataFrame, day: pl.Series, rows: pl.Series, name: str, faults: Faults
) -> None:
    """Two readings of one test at one time contradict each other: which acts is not told."""
    lines = frame[LINE].gather(rows).to_list()
    first: dict[float, int] = {}
    for line, when in zip(lines, day.gather(rows).to_list(), strict=True):
        if when == when and when in first:
            faults.add(f"rows {first[when]} and {line}: {name} twice on day {when:g}; keep one")
        first.setdefault(when, line)


def _record(day: pl.Series, value: pl.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    days, values = day.to_numpy(), value.to_numpy()
    order = np.argsort(days, kind="stable")
    return np.zeros(days.size, dtype=np.int64), days[order], values[order]
