"""What is kept of an answer: a view, its tables, its figure and its reports, in one folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from her2sim.notice import NOTICE
from her2sim.report.html import PageTable, page_table, render
from her2sim.store.files import write_text
from her2sim.web.forest import forest_svg
from her2sim.web.question import Question

if TYPE_CHECKING:
    import polars as pl

    from her2sim.api.result import Answer

FILES: Mapping[str, str] = {
    "report.html": "text/html",
    "report.docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "table.csv": "text/csv",
    "table.parquet": "application/vnd.apache.parquet",
    "figure.svg": "image/svg+xml",
    "figure.png": "image/png",
    "answer.json": "application/json",
    "sources.csv": "text/csv",
    "trial.toml": "application/toml",
    "record.csv": "text/csv",
}
"""Files that a view offers, with their types."""
VIEW = "view.json"
DPI = 150
DOCX_WIDTH_INCH = 6.3


@dataclass(frozen=True)
class View:
    """What a page shows of an answer; ``forest`` are the hazard ratios of a trial, as SVG."""

    heading: str
    notes: tuple[str, ...]
    tables: tuple[PageTable, ...]
    sources: tuple[tuple[str, str], ...]
    svg: str
    command: str
    python: str
    forest: str = ""


def keep_answer(question: Question, answer: Answer, folder: Path) -> None:
    """Write all files of an answer into a folder."""
    from her2sim.api.result import Result, with_notice
    from her2sim.api.trial import TrialResult
    from her2sim.report.canvas import svg_text

    figure = answer.plot() if isinstance(answer, Result) else None
    svg = "" if figure is None else svg_text(figure)
    sources = answer.sources()
    view = View(
        answer.heading(),
        tuple(answer.notes),
        tuple(page_table(table) for table in answer.tables()),
        tuple((row["facts"], row["source"]) for row in sources.iter_rows(named=True)),
        svg,
        question.command(),
        question.python(),
        forest_svg(list(answer.hazard_ratios().iter_rows(named=True)))
        if isinstance(answer, TrialResult)
        else "",
    )
    if figure is not None:
        write_text(folder / "figure.svg", svg)
        figure.savefig(folder / "figure.png", dpi=DPI)
    _write_frame(answer.frame(), folder)
    sources.write_csv(folder / "sources.csv")
    write_text(folder / "answer.json", json.dumps(with_notice(answer.as_dict()), indent=1))
    write_text(folder / "report.html", report_html(question, view))
    write_docx(question, view, folder)
    write_text(folder / VIEW, json.dumps(_view_dict(view)))


def _write_frame(frame: pl.DataFrame, folder: Path) -> None:
    """Both forms of a table; lists are written into CSV joined by ``;``."""
    import polars as pl

    frame.write_parquet(folder / "table.parquet")
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    frame.with_columns(pl.col(name).list.join("; ") for name in lists).write_csv(
        folder / "table.csv"
    )


def report_html(question: Question, view: View) -> str:
    """The view as one HTML file."""
    return render(
        "answer", title=f"{question.title}: {view.heading.splitlines()[0]}", view=view,
        files=question.files(),
    )  # fmt: skip


def write_docx(question: Question, view: View, folder: Path) -> None:
    """The view as a Word file; none without python-docx."""
    try:
        from docx import Document
        from docx.shared import Inches, Pt
    except ImportError:
        return
    document = Document()
    document.styles["Normal"].font.size = Pt(10)
    document.add_heading(question.title, level=1)
    for line in view.heading.splitlines():
        document.add_paragraph(line)
    if (picture := folder / "figure.png").is_file():
        document.add_picture(str(picture), width=Inches(DOCX_WIDTH_INCH))
    for table in view.tables:
        document.add_heading(table.caption or "Table", level=2)
        _add_table(document, table)
    for title, lines in (("Notes", view.notes), ("Sources", [text for _, text in view.sources])):
        if lines:
            document.add_heading(title, level=2)
            for line in dict.fromkeys(lines):
                document.add_paragraph(line, style="List Bullet")
    document.add_heading("The same again", level=2)
    document.add_paragraph(view.command)
    document.add_paragraph(NOTICE)
    document.save(str(folder / "report.docx"))


def _add_table(document: Any, table: PageTable) -> None:
    if not table.headings:
        return
    made = document.add_table(rows=1, cols=len(table.headings))
    made.style = "Light Grid Accent 1"
    for cell, text in zip(made.rows[0].cells, table.headings, strict=True):
        cell.text = text
    for row in table.rows:
        cells = made.add_row().cells
        for cell, text in zip(cells, row, strict=True):
            cell.text = text


def _view_dict(view: View) -> dict[str, Any]:
    found = dict(vars(view))
    found["tables"] = [
        {**vars(t), "numeric": sorted(t.numeric), "marked": sorted(t.marked)} for t in view.tables
    ]
    return found


def read_view(folder: Path) -> View:
    """The view of an answer that was kept."""
    told = json.loads((folder / VIEW).read_text())
    tables = tuple(
        PageTable(
            t["caption"], t["headings"], t["rows"], frozenset(t["numeric"]), frozenset(t["marked"])
        )
        for t in told.pop("tables")
    )
    sources = tuple((facts, text) for facts, text in told.pop("sources"))
    return View(tables=tables, sources=sources, notes=tuple(told.pop("notes")), **told)


def files_of(folder: Path) -> tuple[str, ...]:
    """Files that are there of those that a view offers."""
    return tuple(name for name in FILES if (folder / name).is_file())
