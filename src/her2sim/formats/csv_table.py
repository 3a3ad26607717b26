"""CSV files as text columns: found, opened and looked over before any number is read."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from her2sim.errors import DataError, Faults, reason

MISSING_MARKS = ("", ".")
LINE = "##"
"""Column with the line of each row in the file; the heading is line 1."""

_HEAD_BYTES = 65_536


def read_text_table(path: Path, *, may_be_empty: bool = False) -> pl.DataFrame:
    """Read a CSV file; every cell stays the text that was written, stripped.

    A further column :data:`LINE` says in which line of the file a row stands. Without rows it is
    refused, unless it ``may_be_empty``.

    Raises
    ------
    DataError
        The file is absent, empty, binary or not a rectangular table with distinct headings.
    """
    names = headings_of(path)
    lines = _full_rows(path, len(names))
    if not lines and may_be_empty:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String) | {LINE: pl.Int64})
    if not lines:
        raise DataError(f"{path}: has a heading but no rows")
    if isinstance(lines, range):
        frame = pl.read_csv(
            path, has_header=False, skip_rows=1, schema=dict.fromkeys(names, pl.String)
        )
    else:
        columns = zip(*(row for _, row in _rows(path) if any(map(str.strip, row))), strict=True)
        frame = pl.DataFrame(dict(zip(names, map(list, columns), strict=True)))
    frame = frame.with_columns(pl.all().fill_null("").str.strip_chars())
    return frame.with_columns(pl.Series(LINE, lines, dtype=pl.Int64))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows below the heading, each with its line in the file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        for row in reader:
            yield reader.line_num, row


def _full_rows(path: Path, n_columns: int) -> Sequence[int]:
    """Lines of the rows that hold something; a range if all of them do, one line each.

    Raises
    ------
    DataError
        If a row has too many or too few cells, a quote stays open, or a letter is not UTF-8.
    """
    faults, lines, last = Faults(str(path)), list[int](), 1
    is_plain = True
    try:
        for line, row in _rows(path):
            is_plain &= line == last + 1
            last = line
            if not any(map(str.strip, row)):
                is_plain = False
            elif len(row) != n_columns:
                faults.add(
                    f"row {line} has {len(row)} cells, the heading {n_columns}; put text that "
                    "holds a comma in quotes, and write numbers with a point"
                )
            else:
                lines.append(line)
    except csv.Error:
        faults.add(f"row {last + 1}: a quote is opened and not closed, or a cell is too long")
    except UnicodeDecodeError:
        faults.add(f"row {last + 1} has a letter that is not UTF-8; save the file as UTF-8")
    faults.raise_if_any(DataError)
    return range(2, last + 1) if is_plain else lines


def headings_of(path: Path) -> list[str]:
    """Headings of a CSV file, after it was looked over."""
    try:
        if path.is_dir():
            raise DataError(f"{path}: is a folder; name a CSV file")
        if path.exists() and not path.is_file():
            raise DataError(
                f"{path}: is a pipe or a device, which cannot be read twice; save a file"
            )
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file or folder") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({reason(error)})") from None
    if path.suffix.lower() in (".toml", ".json", ".xlsx", ".xls", ".parquet"):
        raise DataError(f"{path}: is no CSV file by its name; save the table as CSV")
    if b"\r" in head and b"\n" not in head:
        raise DataError(f"{path}: has the line ends of old Macs (CR); save it with those of today")
    if not head.strip():
        raise DataError(f"{path}: is empty; a heading and rows are needed")
    names = [name.strip() for name in next(csv.reader(_text(path, head).splitlines()))]
    faults = Faults(str(path))
    for separator, called in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(names) == 1 and separator in names[0]:
            raise DataError(
                f"{path}: its columns are separated by {called}; save it with commas, and with "
                "points in numbers"
            )
    for position, name in enumerate(names, start=1):
        if not name:
            faults.add(f"column {position} has no heading")
    folded = [name.casefold() for name in names]
    for name in sorted({n for n in names if n and folded.count(n.casefold()) > 1}):
        faults.add(f"the heading {name} appears twice")
    faults.raise_if_any()
    return names


def _text(path: Path, head: bytes) -> str:
    """The beginning of a file as text.

    Raises
    ------
    DataError
        If it is binary, or text in another encoding.
    """
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(f"{path}: is text in UTF-16; save it as UTF-8")
    if b"\0" in head:
        raise DataError(f"{path}: is a binary file, not a CSV text table in UTF-8")
    try:
        return head.decode("utf-8-sig", errors="strict" if len(head) < _HEAD_BYTES else "ignore")
    except UnicodeDecodeError as error:
        line = head[: error.start].count(b"\n") + 1
        raise DataError(
            f"{path}: row {line} has a letter that is not UTF-8; save the file as UTF-8"
        ) from None


def parse_numbers(
    frame: pl.DataFrame,
    name: str,
    faults: Faults,
    *,
    missing: float | None,
    identity: Sequence[str],
    hint: str = "",
) -> pl.Series:
    """Read a column as numbers; cells that are none, or that are missing though needed, are faults.

    A faulty cell becomes NaN.

    Parameters
    ----------
    missing : value for an empty cell or a dot; None if every row needs a number
    identity : columns that tell a reader which row is meant (ID, TIME)
    hint : what to do about it, added to the fault
    """
    text = frame[name]
    is_missing = text.is_in(MISSING_MARKS)
    numbers = text.cast(pl.Float64, strict=False)
    bad = ~is_missing & (numbers.is_null() | ~numbers.is_finite().fill_null(False))
    note_rows(frame, bad, faults, identity, f"{name} {{{name}!r}} is not a number{hint}")
    if missing is None:
        note_rows(frame, is_missing, faults, identity, f"{name} is missing{hint}")
        bad = bad | is_missing
    return numbers.fill_null(missing or 0.0).set(bad, float("nan"))


class _Cells(dict[str, Any]):
    """Cells of a row; a column that the file does not have reads as missing."""

    def __missing__(self, name: str) -> str:
        return "missing"


def note_rows(
    frame: pl.DataFrame, mask: pl.Series, faults: Faults, identity: Sequence[str], text: str
) -> None:
    """Note a fault for each row of a mask.

    ``text`` names cells in braces, as in ``"AMT {AMT} is negative"``. Texts are made only as far as
    they will be shown.
    """
    count = int(mask.sum())
    if not count:
        return
    shown = []
    for row in mask.arg_true()[: faults.room()].to_list():
        cells = _Cells(frame.row(row, named=True))
        who = ", ".join(f"{name} {cells[name]}" for name in identity if name in cells)
        place = f"row {cells[LINE]}{f' ({who})' if who else ''}"
        shown.append(f"{place}: {text.format_map(cells)}")
    faults.add_many(shown, count)
