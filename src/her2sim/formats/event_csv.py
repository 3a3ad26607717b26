"""NONMEM-style event tables from CSV: every cell checked, all faults in one message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl

from her2sim.errors import DataError, Faults, did_you_mean
from her2sim.formats.csv_table import (
    LINE,
    MISSING_MARKS,
    note_rows,
    parse_numbers,
    read_text_table,
)
from her2sim.formats.event_order import (
    IDENTITY,
    SHOWN,
    check_order,
    forgotten_doses,
    is_dose,
    repeated_doses,
    running_time,
    starts,
)
from her2sim.regimens.event_table import (
    MODELLED_DURATION,
    MODELLED_RATE,
    MS_PER_UNIT,
    OBSERVATION,
    EventTable,
)

Rule = tuple[pl.Series, str]
"""Rows that break a rule, and what to say of each (cells in braces)."""

COMMENT = "C"
NONMEM_COLUMNS = (
    "ID",
    "TIME",
    "AMT",
    "RATE",
    "DUR",
    "II",
    "ADDL",
    "SS",
    "EVID",
    "CMT",
    "MDV",
    "DV",
)
ELSEWHERE = {
    **dict.fromkeys(("DATE", "DAT1", "DAT2", "DAT3"), "part of the time: work it into TIME"),
    "TINF": "the length of an infusion: call it DUR",
    "L2": "groups records whose errors go together, which does not act here",
    "YTYPE": "tells kinds of readings apart, which does not act here",
}
"""Columns whose meaning is fixed in other programs, and what to do with them."""
_NEEDED = ("ID", "TIME", "AMT")
_WHOLE = {"EVID": (0, 4), "ADDL": (0, 100_000), "SS": (0, 2), "CMT": (0, 1000), "MDV": (0, 1)}


def read_events(
    path: Path,
    time_unit: str,
    n_compartments: int,
    largest_amount: float,
    text_columns: Iterable[str] = (),
    ignore: Iterable[str] = (),
    observed: int | None = None,
) -> tuple[EventTable, list[str]]:
    """Read an event table.

    Headings in any case; a column ``C`` is a comment (rows marked ``C`` in it are left out).

    Parameters
    ----------
    path : CSV file
    time_unit : ``h`` or ``day``, of TIME, II and DUR
    n_compartments : CMT runs from 1 to this
    largest_amount : AMT above it is taken for a slip of the unit
    text_columns : further columns that hold words
    ignore : columns that are left out unread
    observed : CMT whose concentration is predicted; a note says which observations name another

    Returns
    -------
    table, notes on what was left out and what comes twice

    Raises
    ------
    DataError
        With all faults of the file.
    """
    frame = read_text_table(path)
    frame = frame.rename({name: name.upper() for name in frame.columns})
    frame = _with_own_columns(frame, path, ignore)
    n_all = frame.height
    if COMMENT in frame.columns:
        frame = frame.filter(pl.col(COMMENT).str.to_uppercase() != "C").drop(COMMENT)
    if frame.height == 0:
        raise DataError(f"{path}: all rows are comments")
    faults = Faults(str(path))
    numbers = _numbers(frame, faults, time_unit, set(text_columns))
    if faults.n_faults:
        # What can be read is checked as well, so that one message has the faults of all rows.
        is_read = ~pl.DataFrame(numbers).select(pl.any_horizontal(pl.all().is_nan())).to_series()
        read = {name: values.filter(is_read) for name, values in numbers.items()}
        _check_records(frame.filter(is_read), read, faults, n_compartments, largest_amount)
        faults.raise_if_any()
    _check_records(frame, numbers, faults, n_compartments, largest_amount)
    check_order(frame, numbers, faults)
    faults.raise_if_any()
    notes = [
        *_idle_subjects(frame, numbers),
        *_observed_elsewhere(frame, numbers, observed),
        *_comment_note(n_all - frame.height),
        *repeated_doses(frame, numbers),
        *forgotten_doses(frame, numbers),
    ]
    return _table(frame, numbers, time_unit, set(text_columns)), notes


def _with_own_columns(frame: pl.DataFrame, path: Path, ignore: Iterable[str]) -> pl.DataFrame:
    """The table without what is to be ignored; what is missing or means other things is refused."""
    left_out = {name.upper() for name in ignore}
    absent = sorted(left_out - set(frame.columns))
    if absent:
        told = ", ".join(f"{name}{did_you_mean(name, frame.columns)}" for name in absent)
        raise DataError(f"{path}: no such column to ignore: {told}")
    frame = frame.drop(left_out - {LINE})
    missing = [name for name in _NEEDED if name not in frame.columns]
    if missing:
        known = [n for n in frame.columns if n not in NONMEM_COLUMNS and n != LINE]
        hints = "".join(f"{n}{did_you_mean(n, known) if known else ''}; " for n in missing)
        raise DataError(f"{path}: missing columns: {hints.rstrip('; ')}")
    meant = [f"{name}: {ELSEWHERE[name]}" for name in frame.columns if name in ELSEWHERE]
    if meant:
        raise DataError(
            f"{path}: columns that mean something in other programs are never dropped in silence: "
            f"{'; '.join(meant)}; or ignore them by name"
        )
    return frame


def _numbers(
    frame: pl.DataFrame, faults: Faults, time_unit: str, text_columns: set[str]
) -> dict[str, pl.Series]:
    numbers = {}
    for name in frame.columns:
        if name == LINE or name == "DV" or name in text_columns:
            continue
        if name == "ID":
            is_missing = frame["ID"].is_in(MISSING_MARKS)
            note_rows(frame, is_missing, faults, IDENTITY[1:], "ID is missing")
            continue
        is_own = name not in NONMEM_COLUMNS
        missing = None if is_own or name in ("TIME", "EVID") else 0.0
        hint = f" (ignore {name} to leave the column out)" if is_own else ""
        numbers[name] = parse_numbers(
            frame, name, faults, missing=missing, identity=IDENTITY, hint=hint
        )
    if "DV" in frame.columns:
        parse_numbers(frame, "DV", faults, missing=0.0, identity=IDENTITY)
    if "EVID" not in numbers:
        numbers["EVID"] = (numbers["AMT"] != 0).cast(pl.Float64)
    for name in ("RATE", "II", "ADDL", "SS"):
        numbers.setdefault(name, pl.zeros(frame.height, pl.Float64, eager=True))
    if "CMT" not in numbers:
        numbers["CMT"] = pl.ones(frame.height, pl.Float64, eager=True)
    unit_ms = MS_PER_UNIT[time_unit]
    for name in ("TIME", "II", "DUR"):
        if name in numbers:
            numbers[name] = numbers[name] * unit_ms
    return numbers


def _check_records(
    frame: pl.DataFrame,
    numbers: dict[str, pl.Series],
    faults: Faults,
    n_compartments: int,
    largest_amount: float,
) -> None:
    """Faults of single records."""
    rules = chain(
        _whole_number_rules(numbers),
        _amount_rules(frame.height, numbers, largest_amount),
        _repetition_rules(numbers),
        _compartment_rules(numbers, n_compartments),
    )
    for mask, text in rules:
        note_rows(frame, mask, faults, IDENTITY, text)


def _is_constant_infusion(numbers: dict[str, pl.Series]) -> pl.Series:
    return (numbers["SS"] > 0) & (numbers["AMT"] == 0) & (numbers["RATE"] > 0)


def _whole_number_rules(numbers: dict[str, pl.Series]) -> Iterator[Rule]:
    for name, (low, high) in _WHOLE.items():
        if name in numbers:
            values = numbers[name]
            wrong = (values < low) | (values > high) | (values != values.round())
            yield wrong, f"{name} {{{name}!r}} must be a whole number from {low} to {high}"


def _amount_rules(
    n_rows: int, numbers: dict[str, pl.Series], largest_amount: float
) -> Iterator[Rule]:
    amount, rate = numbers["AMT"], numbers["RATE"]
    duration = numbers.get("DUR", pl.zeros(n_rows, pl.Float64, eager=True))
    gives = is_dose(numbers)
    yield amount < 0, "AMT {AMT} is negative; a dose is above zero"
    too_large = f"AMT {{AMT}} is above {largest_amount:g} mg; check the unit (amounts are in mg)"
    yield amount > largest_amount, too_large
    nothing = gives & (amount == 0) & ~_is_constant_infusion(numbers)
    yield nothing, "a dose record needs AMT above zero"
    yield ~gives & (amount != 0), "AMT {AMT} on a record that is no dose (EVID {EVID})"
    odd_rate = (rate < 0) & (rate != MODELLED_RATE) & (rate != MODELLED_DURATION)
    yield odd_rate, "RATE {RATE}: use a rate above zero, 0, -1 or -2"
    yield duration < 0, "DUR {DUR} is negative"
    yield ~gives & (rate != 0), "RATE on a record that is no dose"
    yield ~gives & (duration != 0), "DUR on a record that is no dose"
    yield (rate != 0) & (duration != 0), "RATE {RATE} and DUR {DUR} both given; keep one"


def _repetition_rules(numbers: dict[str, pl.Series]) -> Iterator[Rule]:
    steady, interval, additional = numbers["SS"], numbers["II"], numbers["ADDL"]
    gives, is_constant = is_dose(numbers), _is_constant_infusion(numbers)
    yield interval < 0, "II {II} is negative"
    yield (additional > 0) & (interval <= 0), "ADDL needs II above zero"
    yield (additional > 0) & ~gives, "ADDL on a record that is no dose"
    yield (steady > 0) & ~gives, "SS on a record that is no dose"
    yield (steady > 0) & (interval <= 0) & ~is_constant, "SS needs II above zero"
    unsupported = "ADDL with the steady state of a constant infusion is not supported"
    yield is_constant & (additional > 0), unsupported


def _compartment_rules(numbers: dict[str, pl.Series], n_compartments: int) -> Iterator[Rule]:
    wrong = numbers["CMT"] > n_compartments
    yield wrong, f"CMT {{CMT}}: the model has compartments 1 to {n_compartments}"


def _observed_elsewhere(
    frame: pl.DataFrame, numbers: dict[str, pl.Series], observed: int | None
) -> Iterator[str]:
    """Observations in another compartment than the one that is predicted."""
    if observed is None or "CMT" not in frame.columns:
        return
    cmt = numbers["CMT"]
    elsewhere = (numbers["EVID"] == OBSERVATION) & (cmt > 0) & (cmt != observed)
    lines = frame.filter(elsewhere)[LINE].to_list()
    if lines:
        rows = ", ".join(map(str, lines[:SHOWN])) + (" ..." if len(lines) > SHOWN else "")
        yield (
            f"row{'' if len(lines) == 1 else 's'} {rows}: CMT of an observation does not act; "
            f"predicted is the concentration in compartment {observed}"
        )


def _idle_subjects(frame: pl.DataFrame, numbers: dict[str, pl.Series]) -> Iterator[str]:
    """Subjects without a dose or without an observation: perhaps an ID written in two ways."""
    told = frame.select("ID").with_columns(
        dose=is_dose(numbers), reading=numbers["EVID"] == OBSERVATION
    )
    each = told.group_by("ID", maintain_order=True).agg(pl.col("dose", "reading").any())
    for column, what in (("dose", "dose"), ("reading", "observation")):
        names = each.filter(~pl.col(column))["ID"].to_list()
        if names:
            shown = ", ".join(names[:SHOWN]) + (" ..." if len(names) > SHOWN else "")
            yield f"ID {shown}: no {what} in the table"


def _table(
    frame: pl.DataFrame, numbers: dict[str, pl.Series], time_unit: str, text_columns: set[str]
) -> EventTable:
    def whole(name: str) -> np.ndarray:
        return numbers[name].round().cast(pl.Int64).to_numpy()

    duration = numbers["DUR"].to_numpy() if "DUR" in numbers else np.zeros(frame.height)
    dose = (numbers["EVID"] == 1) | (numbers["EVID"] == 4)
    compartment = np.where((whole("CMT") == 0) | ~dose.to_numpy(), 1, whole("CMT"))
    columns = {
        name: values.to_numpy() for name, values in numbers.items() if name not in NONMEM_COLUMNS
    }
    columns |= {
        name: frame[name].to_numpy().astype(str) for name in text_columns if name in frame.columns
    }
    dv = frame["DV"] if "DV" in frame.columns else pl.repeat("", frame.height, eager=True)
    return EventTable(
        line=frame[LINE].to_numpy().astype(np.int64),
        subject=np.cumsum(starts(frame)) - 1,
        label=frame["ID"].to_numpy().astype(str),
        time_text=frame["TIME"].to_numpy().astype(str),
        time_ms=running_time(frame, numbers),
        evid=whole("EVID"),
        amount=numbers["AMT"].to_numpy(),
        rate=numbers["RATE"].to_numpy()
        * np.where(numbers["RATE"].to_numpy() > 0, 24.0 if time_unit == "h" else 1.0, 1.0),
        duration_ms=duration,
        interval_ms=whole("II"),
        additional=whole("ADDL"),
        steady_state=whole("SS"),
        compartment=compartment,
        dv=dv.to_numpy().astype(str),
        columns=columns,
        headings=tuple(name for name in frame.columns if name != LINE),
        missing_dv=whole("MDV") if "MDV" in numbers else None,
        told_compartment=whole("CMT"),
    )


def _comment_note(n_comments: int) -> list[str]:
    """What to say of rows that were left out as comments."""
    return [f"{n_comments} rows marked C in column C left out"] if n_comments else []
