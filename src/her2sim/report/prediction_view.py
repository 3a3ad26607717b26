"""Predictions for an event table, for the terminal and as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from her2sim.report.canvas import LINE, PRINTED, finished, new_canvas, shown_unit
from her2sim.report.tables import number_text

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

NUMBERS = ("PRED", "IPRED", "DV", "SIM")


def prediction_table(frame: pl.DataFrame, n: int) -> Table:
    """The first rows of the predictions."""
    table = Table(title="Predictions", title_justify="left")
    for name in frame.columns:
        table.add_column(name, justify="right" if name in NUMBERS else "left")
    for row in frame.head(n).iter_rows(named=True):
        table.add_row(*(_cell(name, value) for name, value in row.items()))
    return table


def _cell(name: str, value: object) -> str:
    if name not in NUMBERS:
        return str(value)
    return number_text(value) if isinstance(value, float) else ""


def prediction_figure(frame: pl.DataFrame, title: str) -> Figure:
    """Individual predictions over time, one line a subject; observed values as dots."""
    figure, panels = new_canvas(4.2)
    axes = panels[0, 0]
    for subject in frame.partition_by("ID", maintain_order=True):
        axes.plot(subject["TIME"], subject["IPRED"], ".-", color=LINE, linewidth=0.9, markersize=3)
        axes.plot(subject["TIME"], subject["DV"], "o", color=PRINTED, markersize=3)
    axes.set_xlabel("TIME, as in the table")
    analyte, unit = frame["ANALYTE"][0], frame["UNIT"][0]
    axes.set_ylabel(f"{analyte.replace('_', ' ')} ({shown_unit(unit)})")
    return finished(figure, f"{title}; lines: IPRED, dots: DV")
