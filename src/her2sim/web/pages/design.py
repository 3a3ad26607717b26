"""A trial of one's own in a form that follows from the schema of a trial file."""

from __future__ import annotations

from typing import Any

from her2sim.errors import DataError, UnknownNameError
from her2sim.report.html import render
from her2sim.web import state
from her2sim.web.layout import button, choice, heading, paragraph, put, view
from her2sim.web.own_trials import drafted_trial, kept_trial, own_trial, trial_like
from her2sim.web.pages.questions_pages import trial_titles
from her2sim.web.pages.trial_form import TrialForm
from her2sim.web.trial_questions import OwnTrialQuestion


def register() -> None:
    """Make the view known."""
    from nicegui import ui

    @ui.page("/design")
    def design(upload: str = "", like: str = "") -> None:
        with view("A trial of your own", "/trials"):
            heading("A trial of your own")
            paragraph(
                "Every part of a trial file as a field. Numbers need a source, or status assumed "
                "with a reason. What you write here is kept until you begin anew."
            )
            raw, told, is_draft = _begun(upload, like)
            if told:
                put("alert", text=told)
            if is_draft:
                paragraph("This is what you had here last.", "faint")
            _show_form(raw)


def _begun(upload: str, like: str) -> tuple[dict[str, Any], str, bool]:
    """The trial to begin with, what could not be had, and whether it is what was left here."""
    fault = ""
    if like:
        try:
            return trial_like(like), "", False
        except UnknownNameError as error:
            fault = str(error)
    if upload:
        kept = kept_trial(upload)
        if kept is not None:
            return kept, "", False
        fault = "This trial is not kept any more."
    left = drafted_trial(state.owner())
    return (own_trial(), fault, False) if left is None else (left, fault, True)


def _show_form(raw: dict[str, Any]) -> None:
    """Fields, and what can be done with them."""
    import tomli_w
    from nicegui import ui

    from her2sim.trials.trial import Trial

    who, files = state.owner(), state.jobs().files
    kept = [files.draft(who)]

    def keep() -> None:
        """Keep the draft, which a reload finds; say if another window wrote it meanwhile."""
        if files.draft(who) != kept[0]:
            text = "Another window changed this trial too; what stands here is kept from now on."
            form.above.set_content(render("alert", text=text))
        files.keep_draft(who, tomli_w.dumps(raw))
        kept[0] = files.draft(who)
        with form.place:
            ui.run_javascript("history.replaceState(null, '', '/design')")

    form = TrialForm(raw, Trial.model_json_schema(), keep)

    def run(_: Any) -> None:
        if not form.check():
            ui.run_javascript("document.querySelector('main .alert').scrollIntoView()")
            return
        try:
            name = files.keep(tomli_w.dumps(raw), ".toml", who)
        except DataError as error:
            form.above.set_content(render("alert", text=str(error)))
            return
        ui.navigate.to(OwnTrialQuestion(upload=name).link())

    def show(_: Any) -> None:
        shown.set_content(render("pre", text=tomli_w.dumps(raw)))

    def begin(name: str) -> None:
        if name == "-":
            return
        files.drop_draft(who)
        ui.navigate.to(f"/design?like={name}" if name else "/design")

    with ui.element("div").classes("fields wide"):
        offered = {"-": "...", "": "the example", **trial_titles()}
        choice("begin", "begin anew, from", "-", offered, begin)
    form.above = ui.html("", sanitize=False)
    form.place = ui.element("div")
    form.draw()
    with ui.element("div").classes("actions"):
        button("Check, and run it", run)
        button("Show the file", show, quiet=True)
    shown = ui.html("", sanitize=False)
