"""How well the drug models reproduce what labels and papers printed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from her2sim.api.arguments import Count, Told, checked
from her2sim.api.result import Answer, plain, seed_or_drawn, typed_frame
from her2sim.api.sources import cited

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from her2sim.studies.validation import ValidationRow


@dataclass(frozen=True, eq=False, repr=False)
class Validation(Answer):
    """Every published exposure beside the predicted one."""

    rows: tuple[ValidationRow, ...]
    n: int
    seed: int

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing but the rows themselves, each with its reason."""
        return ()

    def heading(self) -> str:
        """How many rows are inside their tolerance."""
        from her2sim.report.validation_page import heading_text

        return heading_text(self.rows, self.n, self.seed)

    def tables(self) -> tuple[Table, ...]:
        """Rows inside their tolerance, drug by drug."""
        from her2sim.report.tables import validation_table
        from her2sim.studies.validation import summary

        return (validation_table(summary(self.rows), self.rows),)

    def frame(self) -> pl.DataFrame:
        """One row a published number."""
        from her2sim.studies.validation import ValidationRow

        return typed_frame(ValidationRow, self.rows)

    def sources(self) -> pl.DataFrame:
        """Where each row was published."""
        return cited([(row.drug, row.id, row.source) for row in self.rows])

    def markdown(self) -> str:
        """The page of the documentation."""
        from her2sim.report.validation_page import markdown_page

        return markdown_page(self.rows, self.n, self.seed)

    def html(self) -> str:
        """The page as one HTML file."""
        from her2sim.report.validation_page import html_page

        return html_page(self.rows, self.n, self.seed)

    def as_dict(self) -> dict[str, Any]:
        """The rows and the summary as plain data, for JSON."""
        from her2sim.studies.validation import validation_dict

        return plain(validation_dict(self.rows))


@checked
def validate(
    n: Count = 10_000,
    seed: int = 1,
    *,
    rows: Path | None = None,
    progress: Told = None,
) -> Validation:
    """Every published exposure of every drug beside the predicted one.

    Parameters
    ----------
    n : patients of each population
    seed : decides everything about them
    rows : published rows of your own (TOML), in addition
    progress : told rows done and in all

    Raises
    ------
    DataError
        With all faults of the file of rows.
    """
    from her2sim.studies.validation import validation_rows

    number = seed_or_drawn(seed)
    return Validation(tuple(validation_rows(n, number, rows, progress)), n, number)
