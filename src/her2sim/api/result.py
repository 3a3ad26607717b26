"""What every answer has: tables, a frame, a figure, sources, and a way to show itself."""

from __future__ import annotations

import math
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from io import StringIO
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast, get_args, get_origin, get_type_hints

from her2sim.notice import NOTICE

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

REPR_LINES = 16
REPR_COLUMNS = 140


class Answer(ABC):
    """An answer in tables and numbers, with its sources."""

    _more = "frame(), sources()"

    @property
    @abstractmethod
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of it."""

    @abstractmethod
    def heading(self) -> str:
        """What was asked, in a line."""

    @abstractmethod
    def tables(self) -> tuple[Table, ...]:
        """The answer as tables of text."""

    def main_table(self) -> Table | None:
        """The table that says most, which ``repr`` shows; None if there is none."""
        return next(iter(self.tables()), None)

    @abstractmethod
    def frame(self) -> pl.DataFrame:
        """The answer as numbers, one row a figure."""

    @abstractmethod
    def sources(self) -> pl.DataFrame:
        """Where its numbers come from: columns ``facts``, ``key`` and ``source``."""

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """The answer as plain data, for JSON."""

    def __repr__(self) -> str:
        """Heading, the first table cut short, and what else there is."""
        from her2sim.report.tables import counted

        table = self.main_table()
        lines = [*self.heading().splitlines(), *([] if table is None else _lines(table))]
        if len(lines) > REPR_LINES:
            lines = [*lines[:REPR_LINES], "..."]
        return "\n".join([*lines, f"{self._more}; {counted(len(self.notes), 'note')}"])

    def _repr_html_(self) -> str:
        from her2sim.report.html import page_table, render

        tables = [page_table(table) for table in self.tables()]
        found = render("result", heading=self.heading(), tables=tables, notes=self.notes)
        return found


class Report(Protocol):
    """What a study hands over."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of it."""

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""


class Reported:
    """What an answer takes over from the report of a study."""

    report: Report

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the models, and what was not worked out."""
        return self.report.notes

    def as_dict(self) -> dict[str, Any]:
        """The answer as plain data, for JSON."""
        return plain(self.report.as_dict())


class Result(Answer):
    """An answer that is also a figure."""

    _more = "frame(), plot(), sources()"

    @abstractmethod
    def plot(self) -> Figure:
        """The answer as a matplotlib figure."""


def _lines(table: Table) -> list[str]:
    """Lines of a table."""
    from rich.console import Console

    console = Console(file=StringIO(), width=REPR_COLUMNS, color_system=None, force_jupyter=False)
    with console.capture() as written:
        console.print(table)
    return [line.rstrip() for line in written.get().splitlines()]


def typed_frame(
    kind: type[Any], rows: Sequence[object], first: Mapping[str, Sequence[str]] | None = None
) -> pl.DataFrame:
    """Rows that are dataclasses as a table, whose columns have their types without any value too.

    Parameters
    ----------
    kind : the dataclass; what is a dataclass in it becomes columns of its own
    rows : one each
    first : columns of text that come first
    """
    import polars as pl

    columns: dict[str, list[Any]] = {name: [] for name, _ in _columns(kind)}
    for row in rows:
        for name, value in _values(row):
            columns[name].append(value)
    found = pl.DataFrame(columns, schema=dict(_columns(kind)))
    told = [pl.Series(name, values, dtype=pl.String) for name, values in (first or {}).items()]
    return without_nan(pl.DataFrame([*told, *found.get_columns()]))


def without_nan(frame: pl.DataFrame) -> pl.DataFrame:
    """A table in which a number that there is not is null; what was not reached stays infinite."""
    import polars.selectors as cs

    return frame.with_columns(cs.float().fill_nan(None))


def _columns(kind: type[Any]) -> Iterator[tuple[str, Any]]:
    """Name and type of each column of a dataclass."""
    import polars as pl

    hints = get_type_hints(kind)
    for field in fields(kind):
        told = _told(hints[field.name])
        if is_dataclass(told):
            yield from _columns(told)
        else:
            yield field.name, pl.List(pl.String) if told is tuple else getattr(pl, _COLUMN[told])


def _values(row: Any) -> Iterator[tuple[str, Any]]:
    """Name and value of each column of a row."""
    for name, value in vars(row).items():
        if is_dataclass(value):
            yield from _values(value)
        else:
            yield name, list(value) if isinstance(value, tuple) else value


_COLUMN = {float: "Float64", int: "Int64", bool: "Boolean", str: "String"}


def _told(hint: Any) -> type:
    """The plain type behind a type that may be None, or one of some words."""
    if get_origin(hint) is tuple:
        return tuple
    if get_origin(hint) is Literal:
        return type(get_args(hint)[0])
    parts = [part for part in get_args(hint) if part is not NoneType]
    return _told(parts[0]) if parts else cast(type, hint)


def seed_or_drawn(seed: int | None) -> int:
    """A seed that was given, or a fresh one; it is shown and stored with the results.

    Raises
    ------
    DataError
        If it does not fit 64 bits.
    """
    from her2sim.random import check_seed

    return secrets.randbits(32) if seed is None else check_seed(seed)


def plain(content: dict[str, Any]) -> dict[str, Any]:
    """Plain data for JSON: a number that is not finite is None."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: clean(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [clean(inner) for inner in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return {name: clean(value) for name, value in content.items()}


def with_notice(content: dict[str, Any]) -> dict[str, Any]:
    """Plain data with the notice."""
    return plain(content | {"notice": NOTICE})
