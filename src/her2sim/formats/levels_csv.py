"""Measured levels, and doses of a drug, as CSV: one line each, by day or by date."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from her2sim.errors import DataError, Faults, did_you_mean
from her2sim.formats.csv_table import LINE, MISSING_MARKS, read_text_table
from her2sim.regimens.dose import LARGEST_AMOUNT, ROUTES

LEVEL_COLUMNS = ("patient", "day", "date", "test", "value", "unit")
DOSE_COLUMNS = (
    "patient", "day", "date", "drug", "dose_mg", "route", "duration_min", "number", "every_day",
)  # fmt: skip
LATEST_DAY = 36_500.0
LONGEST_INFUSION_MIN = 10_080.0
MOST_TABLETS = 100_000
_BELOW = re.compile(r"<\s*(\d+(\.\d+)?([eE][-+]?\d+)?)")

When = float | datetime.datetime
"""A day, counted from the first dose; or a date, perhaps with a time."""


@dataclass(frozen=True)
class LevelRow:
    """A measured level: ``value`` is the limit of quantification where ``is_below``."""

    line: int
    patient: str
    when: When
    test: str
    value: float
    is_below: bool
    unit: str


@dataclass(frozen=True)
class DoseRow:
    """Doses of a drug: one, or ``number`` of them, every ``every_day`` days."""

    line: int
    patient: str
    when: When
    drug: str
    mg: float
    route: str
    duration_min: float | None
    number: int = 1
    every_day: float = 0.0


def read_levels(path: Path, drug: str) -> list[LevelRow]:
    """Read measured levels: columns ``day`` or ``date``, ``value`` and ``unit``.

    ``test`` says what was measured (``drug`` if there is no such column), ``patient`` of whom. A
    value below the limit of quantification is written ``<0.5``.

    Raises
    ------
    DataError
        With every fault of the file.
    """
    frame, faults = _table(path, LEVEL_COLUMNS, ("value", "unit"))
    rows = []
    for cells in frame.iter_rows(named=True):
        reader = _Cells(cells, faults)
        when = reader.when()
        text = cells["value"]
        below = _BELOW.fullmatch(text)
        value = float(below[1]) if below else reader.number("value")
        if value is not None and not (value > 0 or (value == 0 and not below)):
            reader.fault(f"value {text!r} must not be below zero; write <0.5 below a limit of 0.5")
        if value == 0:
            reader.fault("value 0: nothing measured is zero; write the limit, as in <0.5")
        if cells["unit"] in MISSING_MARKS:
            reader.fault("unit is missing")
        if when is not None and value is not None:
            rows.append(
                LevelRow(
                    reader.line, cells.get("patient", ""), when, cells.get("test") or drug, value,
                    below is not None, cells["unit"],
                )
            )  # fmt: skip
    faults.raise_if_any(DataError)
    return rows


def read_doses(path: Path, drug: str) -> list[DoseRow]:
    """Read doses: columns ``day`` or ``date``, and ``dose_mg``.

    ``drug`` (that at hand if there is no such column), ``route``, ``duration_min``; tablets may
    be told as ``number`` of them, one every ``every_day`` days; ``patient`` to whom.

    Raises
    ------
    DataError
        With every fault of the file.
    """
    frame, faults = _table(path, DOSE_COLUMNS, ("dose_mg",))
    rows = []
    for cells in frame.iter_rows(named=True):
        reader, before = _Cells(cells, faults), faults.n_faults
        when, mg = reader.when(), reader.number("dose_mg")
        if mg is not None and not 0 < mg <= LARGEST_AMOUNT["mg"]:
            reader.fault(
                f"dose_mg {mg:g} must be above zero and not above {LARGEST_AMOUNT['mg']:g}"
            )
        route = cells.get("route", "").lower()
        if route and route not in ROUTES:
            reader.fault(f"route {cells['route']!r}: use {', '.join(ROUTES)}")
        minutes = reader.number("duration_min") if reader.has("duration_min") else None
        if minutes is not None and not 0 <= minutes <= LONGEST_INFUSION_MIN:
            reader.fault(f"duration_min {minutes:g} is outside 0 to {LONGEST_INFUSION_MIN:g}")
        number = reader.number("number") if reader.has("number") else 1.0
        every = reader.number("every_day") if reader.has("every_day") else 0.0
        if number is not None and (number != round(number) or not 1 <= number <= MOST_TABLETS):
            reader.fault(f"number {number:g} must be a whole number from 1")
        if every is not None and not 0 <= every <= LATEST_DAY:
            reader.fault(f"every_day {every:g} must not be below zero")
        if number is not None and every is not None and (number > 1) != (every > 0):
            reader.fault("number and every_day belong together: 42 doses, every 0.5 days")
        if faults.n_faults == before and when is not None and mg is not None:
            rows.append(
                DoseRow(
                    reader.line, cells.get("patient", ""), when, cells.get("drug") or drug, mg,
                    route, minutes, int(number or 1), every or 0.0,
                )
            )  # fmt: skip
    faults.raise_if_any(DataError)
    return rows


def _table(path: Path, known: Sequence[str], needed: Sequence[str]) -> tuple[pl.DataFrame, Faults]:
    """A table whose headings are known, in lower case."""
    frame = read_text_table(path, may_be_empty=True)
    frame = frame.rename({name: name.lower() for name in frame.columns if name != LINE})
    faults, names = Faults(str(path)), [n for n in frame.columns if n != LINE]
    for name in names:
        if name not in known:
            faults.add(f"unknown column {name!r}{did_you_mean(name, known)}")
    for name in needed:
        if name not in names:
            faults.add(f"column {name} is missing")
    if ("day" in names) == ("date" in names):
        faults.add("give either day (the first dose is on day 0) or date")
    faults.raise_if_any(DataError)
    return frame, faults


class _Cells:
    """Cells of one row."""

    def __init__(self, cells: Mapping[str, str], faults: Faults) -> None:
        self.cells, self.faults, self.line = cells, faults, int(cells[LINE])

    def fault(self, text: str) -> None:
        who = self.cells.get("patient", "")
        self.faults.add(f"row {self.line}{f' (patient {who})' if who else ''}: {text}")

    def has(self, name: str) -> bool:
        return self.cells.get(name, "") not in MISSING_MARKS

    def number(self, name: str) -> float | None:
        text = self.cells[name]
        try:
            found = float(text)
        except ValueError:
            found = float("nan")
        if not abs(found) < 1e12:
            missing = text in MISSING_MARKS
            self.fault(f"{name} is missing" if missing else f"{name} {text!r} is not a number")
            return None
        return found

    def when(self) -> When | None:
        if "day" in self.cells:
            day = self.number("day")
            if day is not None and not 0 <= day <= LATEST_DAY:
                self.fault(
                    f"day {day:g} is outside 0 to {LATEST_DAY:g}; day 0 is that of the first dose"
                )
                return None
            return day
        text = self.cells["date"]
        try:
            found = datetime.datetime.fromisoformat(text)
        except ValueError:
            self.fault(f"date {text!r} must be as in 2026-03-31 or 2026-03-31 09:30")
            return None
        if found.tzinfo is not None:
            self.fault(f"date {text!r} has a time zone; write local times without it")
            return None
        return found
