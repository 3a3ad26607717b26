"""The jobs of a user: how far they are, cancel, delete, open."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from her2sim.errors import DataError
from her2sim.report.html import render
from her2sim.web import state
from her2sim.web.jobs import Job
from her2sim.web.layout import Told, button, heading, paragraph, put, view
from her2sim.web.pages.answer import show_job

LOOK_SECONDS = 1.0


def register() -> None:
    """Make the views known."""
    from nicegui import ui

    @ui.page("/jobs")
    def jobs() -> None:
        who = state.owner()
        with view("Your jobs", "/jobs"):
            heading("Your jobs")
            paragraph(
                f"Up to {state.jobs().places} run at once, the others wait in line. Results stay "
                "until you delete them; a job survives a closed page and a restarted server."
            )
            place = ui.element("div")

            lines: dict[str, ui.html] = {}

            def look(_: object = None) -> None:
                own = list(state.jobs().of(who))
                place.clear()
                lines.clear()
                with place:
                    if not own:
                        paragraph("Nothing was asked yet.")
                    for job in own:
                        with ui.element("section").classes("job"):
                            lines[job.id] = put("job_line", **_line(job))
                            with ui.element("div").classes("actions"):
                                _buttons(job, who, look)

            seen: list[str] = []

            def changed() -> None:
                own = list(state.jobs().of(who))
                told = str([(job.id, job.state) for job in own])
                if seen[-1:] != [told]:
                    seen[:] = [told]
                    look()
                    return
                for job in own:  # buttons stay: one that is made anew may swallow a press
                    lines[job.id].set_content(render("job_line", **_line(job)))

            changed()
            ui.timer(LOOK_SECONDS, changed)

    @ui.page("/job/{job_id}")
    def one(job_id: str) -> None:
        who = state.owner()
        with view("A job", "/jobs"):
            try:
                job = state.jobs().find(job_id, who)
            except DataError as error:
                put("alert", text=str(error))
                return
            heading(job.question.title)
            show_job(job, who)


def _line(job: Job) -> dict[str, Any]:
    """What the line of a job shows."""
    return {"job": job, "progress": job.progress(), "seconds": job.seconds_left()}


def _buttons(job: Job, who: str, look: Told) -> None:
    """What can be done to a job."""
    jobs = state.jobs()
    if not job.is_over:
        button("Cancel", _calls(jobs.cancel, job.id, who, look), quiet=True)
    if job.state in ("failed", "cancelled"):
        button("Start it again", _calls(jobs.again, job.id, who, look))
    button("Delete", _calls(jobs.delete, job.id, who, look), quiet=True)


def _calls(function: Callable[[str, str], object], job_id: str, who: str, then: Told) -> Told:
    """What a button does: something to a job, which may be gone, and looking again."""

    def call(_: object) -> None:
        with suppress(DataError):
            function(job_id, who)
        then(None)

    return call
