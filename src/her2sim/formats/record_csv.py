"""Treatment records as CSV: one line a dose, a laboratory value or an event."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, cast

import polars as pl

from her2sim.drug_names import find_meaning
from her2sim.errors import DataError, Faults, did_you_mean
from her2sim.formats.csv_table import LINE, MISSING_MARKS, read_text_table
from her2sim.patients.covariates import COVARIATES
from her2sim.protocol.record import EVENTS, KINDS, LAB_UNITS, Entry, Kind
from her2sim.protocol.variables import reading_fault
from her2sim.regimens.dose import ROUTES
from her2sim.units import outside_text

BODY = {"weight": "weight_kg", "height": "height_cm"}
"""Characteristics of the body among the tests of a record."""
COLUMNS = (
    "patient", "date", "type", "drug", "route", "dose_mg", "test", "value", "unit", "grade",
)  # fmt: skip


OF_OTHERS: dict[Kind, tuple[str, ...]] = {
    "dose": ("test", "value", "unit", "grade"),
    "lab": ("drug", "route", "dose_mg", "grade"),
    "event": ("drug", "route", "dose_mg", "value", "unit"),
}
"""Cells that a row of a type does not have."""
FIRST_YEAR, LAST_YEAR = 1990, 2100
"""No drug of a record was given before; a later year is a slip."""
YES_OR_NO = ("heart_failure", "fever")
"""Events that are there or not; of all others the grade acts."""


def read_record(path: Path) -> list[Entry]:
    """Read a treatment record.

    Raises
    ------
    DataError
        With every fault of the file; nothing is guessed.
    """
    frame = read_text_table(path)
    faults = Faults(str(path))
    frame = frame.rename({n: n.lower() for n in frame.columns if n != LINE})
    for name in frame.columns:
        if name != LINE and name not in COLUMNS:
            faults.add(f"unknown column {name!r}{did_you_mean(name, COLUMNS)}")
    for name in ("patient", "date", "type"):
        if name not in frame.columns:
            faults.add(f"column {name} is missing")
    faults.raise_if_any(DataError)
    absent = [pl.lit("").alias(n) for n in COLUMNS if n not in frame.columns]
    entries = [_entry(row, faults) for row in frame.with_columns(absent).iter_rows(named=True)]
    found = [entry for entry in entries if entry is not None]
    _note_twice(found, faults)
    faults.raise_if_any(DataError)
    return found


def _note_twice(entries: list[Entry], faults: Faults) -> None:
    """Two results of one test of a patient on one day: which of them acts is not told."""
    first: dict[tuple[str, datetime.date, str], Entry] = {}
    for entry in (e for e in entries if e.kind != "dose" and e.test is not None):
        before = first.setdefault((entry.patient, entry.date, entry.test or ""), entry)
        if before is not entry and (before.value, before.grade) != (entry.value, entry.grade):
            faults.add(
                f"rows {before.row} and {entry.row} (patient {entry.patient}): {entry.test} twice "
                f"on {entry.date}, and not the same; keep one"
            )


def _entry(row: dict[str, Any], faults: Faults) -> Entry | None:
    """One line; its faults are noted, and None is returned for it."""
    before = faults.n_faults
    where = f"row {row[LINE]} (patient {row['patient'] or '?'})"

    def fault(text: str) -> None:
        faults.add(f"{where}: {text}")

    if row["patient"] in MISSING_MARKS:
        fault("patient is missing")
    date = None
    try:
        date = datetime.date.fromisoformat(row["date"])
    except ValueError:
        fault(f"date {row['date']!r} must be a day as in 2026-03-31")
    if date is not None and not FIRST_YEAR <= date.year <= LAST_YEAR:
        fault(f"date {date} cannot be: records are of {FIRST_YEAR} to {LAST_YEAR}")
    kind = row["type"].lower()
    if kind not in KINDS:
        fault(f"type {row['type']!r}: use dose, lab or event{did_you_mean(kind, KINDS)}")
    elif unused := [n for n in OF_OTHERS[cast(Kind, kind)] if row[n] not in MISSING_MARKS]:
        cells = ", ".join(f"{name} {row[name]!r}" for name in unused)
        fault(f"a {kind} has no {cells}; write one row for each dose, test and event")
    numbers = {name: _number(row, name, fault) for name in ("dose_mg", "value", "grade")}
    if kind == "dose":
        _check_dose(row, numbers, fault)
    elif kind == "lab":
        _check_lab(row, numbers, fault)
    elif kind == "event":
        if row["test"] not in EVENTS:
            fault(f"event {row['test']!r} is unknown{did_you_mean(row['test'], EVENTS)}")
        elif row["grade"] in MISSING_MARKS and row["test"] not in YES_OR_NO:
            fault(f"{row['test']} needs its grade, 0 to 5")
        if numbers["grade"] is not None and numbers["grade"] not in range(6):
            fault(f"grade {row['grade']} must be a whole number from 0 to 5")
    if faults.n_faults > before or date is None:
        return None
    return Entry(
        row=int(row[LINE]),
        patient=row["patient"],
        date=date,
        kind=cast(Kind, kind),
        drug=row["drug"] or None,
        route=row["route"].lower() or None,
        dose_mg=numbers["dose_mg"],
        test=row["test"] or None,
        value=numbers["value"],
        grade=numbers["grade"],
    )


def _number(row: dict[str, Any], name: str, fault: Any) -> float | None:
    text = row[name]
    if text in MISSING_MARKS:
        return None
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not abs(number) < 1e9:
        fault(f"{name} {text!r} is not a number")
        return None
    return number


def _check_dose(row: dict[str, Any], numbers: dict[str, float | None], fault: Any) -> None:
    name = row["drug"]
    if name in MISSING_MARKS:
        fault("a dose needs a drug")
    elif "+" in name:
        fault(f"{name!r} is more than one drug: write one row a drug, each with its amount")
    elif row["dose_mg"] in MISSING_MARKS and find_meaning(name) is not None:
        fault(f"a dose of {name} needs its amount in mg")
    if row["route"] and row["route"].lower() not in ROUTES:
        fault(f"route {row['route']!r}: use {', '.join(ROUTES)}")
    amount = numbers["dose_mg"]
    if row["dose_mg"] not in MISSING_MARKS and amount is not None and not amount > 0:
        fault(f"dose_mg {amount:g} must be above zero")


def _outside(test: str, value: float) -> str:
    """Why a value cannot be; empty if it can."""
    if test in BODY:
        limits = COVARIATES[BODY[test]]
        return outside_text(test, value, limits.low, limits.high, LAB_UNITS[test])
    return reading_fault(test, value)


def _check_lab(row: dict[str, Any], numbers: dict[str, float | None], fault: Any) -> None:
    test = row["test"]
    if test not in LAB_UNITS:
        fault(f"test {test!r} is unknown{did_you_mean(test, LAB_UNITS)}")
        return
    if numbers["value"] is None:
        fault(f"{test} needs a value")
    elif row["unit"] == LAB_UNITS[test]:
        text = _outside(test, numbers["value"])
        if text:
            fault(text)
    if row["unit"] != LAB_UNITS[test]:
        fault(f"{test} is in {row['unit'] or 'no unit'}; give it in {LAB_UNITS[test]}")
