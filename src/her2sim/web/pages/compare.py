"""Two trials side by side, with the same patients by number; one of your own may be among them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from fastapi import Request

from her2sim.errors import DataError
from her2sim.web import state
from her2sim.web.beside import beside
from her2sim.web.layout import button, choice, entry, fields_of, heading, paragraph, put, view
from her2sim.web.own_trials import kept_trial
from her2sim.web.pages.answer import LOOK_SECONDS, show_answer
from her2sim.web.pages.questions_pages import trial_titles
from her2sim.web.question import UPLOAD_PATTERN, Question
from her2sim.web.questions import question_of
from her2sim.web.results import read_view
from her2sim.web.trial_questions import OwnTrialQuestion

SIDES = ("first", "second")
USUAL = {"first": "destiny-breast03", "second": "emilia", "per_arm": "300", "seed": "1"}


def register() -> None:
    """Make the view known."""
    from nicegui import ui

    @ui.page("/compare")
    def compare(request: Request) -> None:
        given, twice = fields_of(request)
        told = {**USUAL, **{n: v for n, v in given.items() if n in USUAL}}
        unknown = sorted(set(given) - set(USUAL))
        with view("Two trials", "/trials"):
            heading("Two trials side by side")
            if twice:
                put("alert", text=twice)
            if unknown:
                put("alert", text=f"unknown: {', '.join(unknown)[:200]}; known: {', '.join(USUAL)}")
            paragraph(
                "Two answers beside each other. Where both trials draw on the same population, "
                "patients with the same number are the same people; else they differ too. Trials "
                "of your own stand in the lists once they were run."
            )
            _form(told)
            asked, faults = _questions(told)
            for fault in faults:
                put("alert", text=fault)
            if len(asked) == len(SIDES):
                _beside(told, asked)
            with ui.element("div").classes("sides"):
                for side, question in asked.items():
                    with ui.element("section").props(f'aria-label="{side} trial"'):
                        heading(_name(told[side]), 2)
                        show_answer(question)


def _form(told: dict[str, str]) -> None:
    """Which trials, and how many patients."""
    from urllib.parse import urlencode

    from nicegui import ui

    def keep(name: str) -> Any:
        return lambda value: told.__setitem__(name, str(value))

    offered = {**_own_trials(), **trial_titles()}

    def ask(_: Any) -> None:
        ui.navigate.to(f"/compare?{urlencode(told)}")

    with ui.element("form").classes("fields wide") as form:
        for side in SIDES:
            also = {} if told[side] in offered else {told[side]: _name(told[side])}
            choice(side, f"{side} trial", told[side], {**offered, **also}, keep(side))
        entry("per_arm", "patients an arm", told["per_arm"], keep("per_arm"), "number")
        entry("seed", "seed", told["seed"], keep("seed"), "number")
        with ui.element("div").classes("actions"):
            button("Compare", ask, submits=True)
    form.on("submit", ask, js_handler="(e) => { e.preventDefault(); emit() }")


def _own_trials() -> Mapping[str, str]:
    """Trials of one's own that were run, by the name under which they are kept."""
    found: dict[str, str] = {}
    for job in state.jobs().of(state.owner()):
        if isinstance(job.question, OwnTrialQuestion):
            when = time.strftime("%d %b, %H:%M:%S", time.localtime(job.created))
            upload = job.question.upload
            found.setdefault(upload, f"your own: {_name(upload)} ({when})")
    return found


def _name(told: str) -> str:
    """What a side is called: a trial of one's own by the id in its file."""
    raw = kept_trial(told)
    return told[:60] if raw is None else str(raw.get("id", ""))


def _questions(told: Mapping[str, str]) -> tuple[dict[str, Question], list[str]]:
    """The question of each side, and what is wrong with them, each fault once."""
    asked, faults = dict[str, Question](), list[str]()
    for side in SIDES:
        is_own = re.fullmatch(UPLOAD_PATTERN, told[side]) is not None
        kind, field = ("own-trial", "upload") if is_own else ("trial", "name")
        size = {name: told[name] for name in ("per_arm", "seed")}
        try:
            asked[side] = question_of(kind, {field: told[side], **size})
        except DataError as error:
            faults.append(str(error))
    return asked, list(dict.fromkeys(faults))


def _beside(told: Mapping[str, str], asked: Mapping[str, Question]) -> None:
    """One table of both, once both are there."""
    from nicegui import ui

    who, place = state.owner(), ui.element("div")

    def look() -> None:
        done = {job.question.link(): job for job in state.jobs().of(who) if job.state == "done"}
        jobs = [done.get(question.link()) for question in asked.values()]
        found = [job for job in jobs if job is not None]
        if len(found) < len(asked):
            return
        timer.cancel()
        names = [_name(told[side]) for side in SIDES]
        if len(set(names)) < len(names):
            names = [f"{side} {name}" for side, name in zip(SIDES, names, strict=True)]
        with place:
            for table in beside(names, [read_view(job.folder) for job in found]):
                put("plain_table", table=table)

    timer = ui.timer(LOOK_SECONDS, look)
