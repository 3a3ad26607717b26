"""A question as a job in a view: how far it is, then its answer with files and the same again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nicegui import ui

from her2sim.errors import DataError
from her2sim.report.html import INSIDE, render
from her2sim.studies.trial.beside import OUTSIDE
from her2sim.web import state
from her2sim.web.jobs import EXAMPLES, Job
from her2sim.web.layout import button, paragraph, put
from her2sim.web.question import Question
from her2sim.web.results import View, files_of, read_view

LOOK_SECONDS = 0.4
ONE = ", 1 member,"
"""How a heading says that its ranges hold no uncertainty of the model."""


def show_answer(question: Question, owner: str | None = None) -> None:
    """Ask a question, and show its answer when it is there.

    It is asked once a browser has opened the view: an address alone, called from another page,
    starts no work.
    """
    who = state.owner() if owner is None else owner
    place = ui.element("div")

    def ask() -> None:
        with place:
            try:
                job = state.jobs().ask(who, question)
            except DataError as error:
                put("alert", text=str(error))
                return
            show_job(job, who)

    ui.timer(0.01, ask, once=True)


def show_job(job: Job, who: str) -> None:
    """A job: how far it is, or its answer."""
    panel = ui.element("section").props('aria-live=polite aria-label="Answer"')
    shown: list[str] = []
    lines: list[ui.html] = []

    def look() -> None:
        try:
            now = state.jobs().find(job.id, who)
        except DataError as error:
            panel.clear()
            with panel:
                put("alert", text=str(error))
            timer.cancel()
            return
        if shown == [now.state]:
            for line in lines:  # the button stays: one that is made anew may swallow a press
                line.set_content(render("progress", **_progress(now)))
        else:
            shown[:] = [now.state]
            panel.clear()
            with panel:
                lines[:] = _fill(now, who)
        if now.is_over:
            timer.cancel()

    timer = ui.timer(LOOK_SECONDS, look, immediate=False)
    look()


def _fill(job: Job, who: str) -> list[ui.html]:
    """Show a job; what is left to be kept up to date is handed back."""
    if job.state == "done":
        view = read_view(job.folder)
        lines = view.heading.splitlines()
        outside = [line for line in lines if line.startswith(OUTSIDE)]
        heading = "\n".join(line for line in lines if line not in outside)
        put("answer_view", view=view, heading=heading, verdict=verdict(view), outside=outside)
        put("same", question=job.question, files=files_of(job.folder), job=job.id)
    elif job.state in ("failed", "cancelled"):
        put("alert", text=job.message or f"This job was {job.state}.")
        button("Start it again", lambda _: _again(job, who))
    else:
        line = put("progress", **_progress(job))
        if who == EXAMPLES:
            return [line]
        button("Cancel", lambda _: state.jobs().cancel(job.id, who), quiet=True)
        paragraph("You may close this page: the job goes on, and stands under your jobs.", "faint")
        return [line]
    return []


def _progress(job: Job) -> dict[str, Any]:
    """How far a job is."""
    done, total = job.progress()
    before = state.jobs().before(job) if job.state == "waiting" else 0
    return {"job": job, "done": done, "total": total, "seconds": job.seconds_left(),
            "before": before}  # fmt: skip


def _again(job: Job, who: str) -> None:
    state.jobs().again(job.id, who)
    ui.navigate.to(job.question.link())


def verdict(view: View) -> str:
    """How many published figures lie inside what was predicted, in words."""
    told: list[tuple[str, str]] = []
    for table in view.tables:
        if INSIDE not in table.headings:
            continue
        place = table.headings.index(INSIDE)
        role = table.headings.index("role") if "role" in table.headings else None
        told += [(row[place], "" if role is None else row[role]) for row in table.rows]
    judged = [(inside, role) for inside, role in told if inside in ("yes", "no")]
    if not judged:
        return ""
    hits, anchors = sum(inside == "yes" for inside, _ in judged), _count(judged, "anchor")
    fitted = f" {anchors} of them took part in the fit (role: anchor)." if anchors else ""
    alone = " The range is chance alone, wide with few patients." if ONE in view.heading else ""
    return (
        f"Hit or miss: {hits} of {len(judged)} published figures lie inside the predicted range; "
        f"the rows that do not are marked.{fitted}{alone}"
    )


def _count(judged: Sequence[tuple[str, str]], role: str) -> int:
    return sum(own == role for _, own in judged)
