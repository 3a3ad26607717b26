"""What the columns of stored outcomes mean: a data dictionary beside the tables."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from her2sim.errors import DataError
from her2sim.facts import FactFile, read_fact_file
from her2sim.store.files import write_text

if TYPE_CHECKING:
    import polars as pl

ANY = "*"
HEADING = "column,unit,meaning"


class ColumnMeaning(BaseModel):
    """One column, or with ``kind:*`` all of a kind: its unit (none for words and numbers of
    patients) and what stands in it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    unit: str = ""
    meaning: str


class _Columns(FactFile):
    column: tuple[ColumnMeaning, ...]


@cache
def _meanings() -> dict[str, ColumnMeaning]:
    found = read_fact_file(files("her2sim.trials") / "columns.toml", _Columns)
    return {one.name: one for one in found.column}


def meaning_of(column: str) -> ColumnMeaning:
    """What stands in a column.

    Raises
    ------
    KeyError
        If nothing is known of it: each column has to be described.
    """
    kind, sign, _ = column.partition(":")
    return _meanings().get(column) or _meanings()[f"{kind}{sign}{ANY}"]


def dictionary(columns: Iterable[str]) -> pl.DataFrame:
    """One row a column: ``column``, ``unit``, ``meaning``, in alphabetical order."""
    import polars as pl

    names = sorted(set(columns))
    rows = [meaning_of(name) for name in names]
    return pl.DataFrame(
        {
            "column": names,
            "unit": [row.unit for row in rows],
            "meaning": [row.meaning for row in rows],
        },
        schema={"column": pl.String, "unit": pl.String, "meaning": pl.String},
    )


def require_dictionary_place(path: Path) -> None:
    """Refuse a place where somebody else's file lies, before the run.

    Raises
    ------
    DataError
        If there is a file that is no dictionary, or a link.
    """
    if path.is_symlink() or (path.exists() and not _is_dictionary(path)):
        raise DataError(f"{path}: is there already and is not of her2sim; move it away")


def _is_dictionary(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline().strip() == HEADING
    except (OSError, ValueError):
        return False


def write_dictionary(path: Path, tables: Iterable[Path]) -> None:
    """Write the dictionary of some stored tables (CSV)."""
    import polars as pl

    require_dictionary_place(path)
    columns = {name for table in tables for name in pl.read_parquet_schema(table)}
    write_text(path, dictionary(columns).write_csv())
