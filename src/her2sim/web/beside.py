"""Answers to two questions about trials in one table, arm by arm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from her2sim.report.html import PageTable
from her2sim.web.results import View

NOT_THERE = "–"
KEYS = {"Endpoints": ("endpoint", "unit"), "Hazard ratios": ("endpoint",)}
"""Tables of a trial that are laid side by side, and what their rows are about."""


def beside(names: Sequence[str], views: Sequence[View]) -> tuple[PageTable, ...]:
    """Endpoints and hazard ratios of trials, a column for each arm; what both tell first.

    Parameters
    ----------
    names : of the trials, shape (n,)
    views : their answers, shape (n,)
    """
    return tuple(found for caption in KEYS if (found := _table(caption, names, views)).rows)


def _table(caption: str, names: Sequence[str], views: Sequence[View]) -> PageTable:
    keys = KEYS[caption]
    columns: dict[str, None] = {}
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for name, view in zip(names, views, strict=True):
        for row in _rows(view, caption):
            over = f" over {row['over']}" if "over" in row else ""
            column = f"{name}: {row['arm']}{over}"
            columns[column] = None
            place = tuple(row.get(key, "") for key in keys)
            told = f"{row['predicted']} ({row['range']})" if row["range"] else row["predicted"]
            rows.setdefault(place, {})[column] = told
    cells = tuple(
        (*place, *(told.get(column, NOT_THERE) for column in columns))
        for place, told in sorted(rows.items(), key=lambda row: -len(row[1]))
    )
    return PageTable(f"{caption}, predicted (range)", (*keys, *columns), cells)


def _rows(view: View, caption: str) -> Iterator[dict[str, str]]:
    """Rows of a table of an answer, by heading."""
    for table in view.tables:
        if table.caption == caption:
            yield from (dict(zip(table.headings, row, strict=True)) for row in table.rows)
