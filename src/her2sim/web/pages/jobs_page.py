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
            sure: set[str] = set()

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
                                _buttons(job, who, look, sure)

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
    before = state.jobs().before(job) if job.state == "waiting" else 0
    return {"job": job, "progress": job.progress(), "seconds": job.seconds_left(), "before": before}


def _buttons(job: Job, who: str, look: Told, sure: set[str]) -> None:
    """What can be done to a job; ``sure`` are those whose deletion was asked for once."""
    from nicegui import ui

    jobs = state.jobs()

    def change(is_sure: bool) -> Told:
        def call(_: object) -> None:
            (sure.add if is_sure else sure.discard)(job.id)
            ui.run_javascript("setTimeout(() => document.getElementById('main').focus(), 100)")
            look(None)  # the button that was pressed is gone then

        return call

    if job.id in sure:
        button("Delete for good", _calls(jobs.delete, job.id, who, change(False)))
        button("Keep it", change(False), quiet=True)
        return
    if not job.is_over:
        button("Cancel", _calls(jobs.cancel, job.id, who, look), quiet=True)
    if job.state in ("failed", "cancelled"):
        button("Start it again", _calls(jobs.again, job.id, who, look))
    button("Delete", change(True), quiet=True)


def _calls(function: Callable[[str, str], object], job_id: str, who: str, then: Told) -> Told:
    """What a button does: something to a job, which may be gone, and looking again."""

    def call(_: object) -> None:
        with suppress(DataError):
            function(job_id, who)
        then(None)

    return call
