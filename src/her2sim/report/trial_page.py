"""Trial reports as one HTML file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path

from her2sim.report.canvas import png_bytes
from her2sim.report.html import page_table, render
from her2sim.report.trial_figure import curves_of, has_published, trial_figure
from her2sim.report.trial_tables import heading, trial_tables
from her2sim.store.files import write_text
from her2sim.studies.trial.report import TrialReport


def trial_page(path: Path, reports: Sequence[TrialReport], title: str = "") -> None:
    """Write reports on some trials as one file that needs no other.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    write_text(path, page_text(reports, title))


def page_text(reports: Sequence[TrialReport], title: str = "") -> str:
    """The page as text."""
    name = title or ", ".join(report.trial.id for report in reports)
    return render("trials", title=name, reports=[_part(report) for report in reports])


def _part(report: TrialReport) -> dict[str, object]:
    """What the page has of a report."""
    keys = sorted({key.split(":")[0] for key in _source_keys(report)})
    return {
        "name": report.trial.id,
        "shown": "predicted and published" if has_published(report) else "predicted",
        "heading": heading(report),
        "picture": b64encode(png_bytes(trial_figure(report))).decode() if curves_of(report) else "",
        "tables": [page_table(table, report.trial.id) for table in trial_tables(report)],
        "notes": report.notes,
        "sources": [report.trial.source_text(key) for key in keys],
    }


def _source_keys(report: TrialReport) -> Iterator[str]:
    for rows in (report.endpoints, report.safety, report.ratios):
        yield from (row.figure.source for row in rows if row.figure.source)
