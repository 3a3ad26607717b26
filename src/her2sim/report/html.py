"""Pages in one HTML file: templates filled with texts, all of which are escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from her2sim.notice import NOTICE

if TYPE_CHECKING:
    from jinja2 import Environment
    from rich.table import Table


INSIDE = "inside"
"""Heading of the column that says whether a published figure is met; rows with "no" stand out."""


@dataclass(frozen=True)
class PageTable:
    """A table of texts with its caption.

    ``numeric`` are the places of the columns that are set to the right, ``marked`` those of the
    rows that stand out.
    """

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[int] = frozenset()
    marked: frozenset[int] = frozenset()


def page_table(table: Table, name: str = "") -> PageTable:
    """A table of the terminal for a page; ``name`` goes before its caption."""
    columns = table.columns
    cells = [[str(cell) for cell in column.cells] for column in columns]
    numeric = (place for place, column in enumerate(columns) if column.justify == "right")
    missed = {
        row
        for column in columns
        if str(column.header) == INSIDE
        for row, cell in enumerate(column.cells)
        if str(cell) == "no"
    }
    return PageTable(
        ": ".join(part for part in (name, str(table.title or "")) if part),
        [str(column.header) for column in columns],
        list(zip(*cells, strict=True)),
        frozenset(numeric),
        frozenset(missed),
    )


def render(template: str, **values: object) -> str:
    """Fill a template of ``templates``: texts are escaped, a missing value is refused."""
    found: str = _environment().get_template(f"{template}.html.j2").render(values)
    return found


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """The templates; they are read only when a page is written."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("her2sim.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    given: dict[str, Any] = {"notice": NOTICE}
    found.globals.update(given)
    return found
