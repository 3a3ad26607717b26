"""Trial reports as one HTML file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from rich.table import Table

from her2sim.formats.files import write_text
from her2sim.notice import NOTICE
from her2sim.report.trials.figure import curves_of, figure_png
from her2sim.report.trials.report import TrialReport
from her2sim.report.trials.view import heading, trial_tables

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c1c1c; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
table { border-collapse: collapse; margin: 0.8rem 0 1.6rem; font-size: 0.9rem; }
caption { text-align: left; font-weight: 600; padding-bottom: 0.3rem; }
th, td { padding: 0.2rem 0.7rem; border-bottom: 1px solid #ddd; text-align: right; }
th.words, td.words { text-align: left; }
img { max-width: 100%; }
.notice { border-left: 4px solid #c0392b; padding: 0.4rem 0.9rem; background: #faf3f2; }
.wide { overflow-x: auto; }
"""


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
    parts = [part for report in reports for part in _report(report)]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(name)}</title><style>{STYLE}</style></head><body>"
        f'<h1>{escape(name)}</h1><p class="notice">{escape(NOTICE)}</p>{"".join(parts)}'
        f"<footer><p>{escape(NOTICE)}</p></footer></body></html>"
    )


def _report(report: TrialReport) -> Iterator[str]:
    yield f"<section><h2>{escape(report.trial.id)}</h2><p>{escape(heading(report))}.</p>"
    if curves_of(report):
        picture = b64encode(figure_png(report)).decode()
        text = f"Kaplan-Meier curves of {report.trial.id}, predicted and published"
        yield f'<img alt="{escape(text)}" src="data:image/png;base64,{picture}">'
    for table in trial_tables(report):
        yield html_table(table)
    if report.notes:
        yield "<ul>" + "".join(f"<li>{escape(note)}</li>" for note in report.notes) + "</ul>"
    keys = sorted({key.split(":")[0] for key in _source_keys(report)})
    cited = [f"<li>{escape(report.trial.source_text(key))}</li>" for key in keys]
    yield f"<details><summary>Sources</summary><ul>{''.join(cited)}</ul></details></section>"


def _source_keys(report: TrialReport) -> Iterator[str]:
    for rows in (report.endpoints, report.safety, report.ratios):
        yield from (row.figure.source for row in rows if row.figure.source)


def html_table(table: Table) -> str:
    """A table of the terminal as HTML."""
    columns = table.columns
    words = ["words" if column.justify == "left" else "" for column in columns]
    head = "".join(
        f'<th class="{kind}">{escape(str(column.header))}</th>'
        for kind, column in zip(words, columns, strict=True)
    )
    cells = [[str(cell) for cell in column.cells] for column in columns]
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="{kind}">{escape(cell)}</td>' for kind, cell in zip(words, row, strict=True)
        )
        + "</tr>"
        for row in zip(*cells, strict=True)
    )
    caption = f"<caption>{escape(str(table.title))}</caption>" if table.title else ""
    return (
        f'<div class="wide"><table>{caption}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
