"""Views of a trial, a drug, a record and a population: a form, and the answer as a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request
from pydantic import ValidationError

from her2sim.errors import DataError, Her2SimError
from her2sim.web import state
from her2sim.web.layout import button, choice, entry, heading, paragraph, put, view
from her2sim.web.pages.answer import show_answer
from her2sim.web.question import Question, faults_by_field
from her2sim.web.questions import (
    QUESTIONS,
    OwnTrialQuestion,
    RecordQuestion,
    TrialQuestion,
    question_of,
)

Options = Callable[[], Mapping[str, str]]
LARGEST_FILE = 2_000_000


def trial_titles() -> Mapping[str, str]:
    """Trials of the library, by name."""
    from her2sim.trials.library import load_trial, trial_names

    return {name: load_trial(name).title or name for name in trial_names()}


def _drugs() -> Mapping[str, str]:
    from her2sim.api.library import drug_list

    return {name: name for name in drug_list().frame()["drug"]}


def _populations() -> Mapping[str, str]:
    from her2sim.patients.population import load_population, population_names

    return {name: load_population(name).title for name in population_names()}


CHOICES: Mapping[tuple[str, str], Options] = {
    ("trial", "name"): trial_titles,
    ("drug", "drug"): _drugs,
    ("drug", "population"): _populations,
    ("population", "population"): _populations,
    ("record", "region"): lambda: {"us": "US label", "eu": "EU label"},
}
HIDDEN = ("upload",)


def ask_form(kind: type[Question], told: Mapping[str, Any]) -> None:
    """Fields of a question; what is wrong with one stands at it; asking opens the view again."""
    from nicegui import ui

    values: dict[str, Any] = {
        name: told.get(name, field.default) for name, field in kind.model_fields.items()
    }
    faults: dict[str, Any] = {}

    def keep(name: str) -> Callable[[Any], None]:
        return lambda value: values.__setitem__(name, value)

    with ui.element("form").classes("fields wide").props('onsubmit="return false"'):
        for name, field in kind.model_fields.items():
            if name in HIDDEN:
                continue
            options = CHOICES.get((kind.kind, name))
            title = field.title or name
            if options is not None:
                choice(name, title, str(values[name]), options(), keep(name))
            else:
                is_number = field.annotation in (int, float)
                faults[name] = entry(name, title, str(values[name]), keep(name),
                                     "number" if is_number else "text")  # fmt: skip

        def ask(_: Any) -> None:
            for shown in faults.values():
                shown.set_content("")
            try:
                question = kind.model_validate(values)
            except ValidationError as error:
                for name, text in faults_by_field(error).items():
                    place = faults.get(name.split(".")[0])
                    if place is not None:
                        put_into(place, text)
                    else:
                        ui.notify(text)
                return
            ui.navigate.to(question.link())

        with ui.element("div").classes("actions"):
            button("Ask", ask)


def put_into(place: Any, text: str) -> None:
    """Show a text, which is escaped."""
    from her2sim.report.html import render

    place.set_content(render("text", text=text))


INTRODUCTIONS: Mapping[str, str] = {
    "trial": "Arm by arm as published: enrolment, doses under the labels' rules, scans, dropout. "
    "Predicted figures stand beside published ones.",
    "own-trial": "A trial that nobody has run, with curves, hazard ratios and their ranges.",
    "drug": "Levels up to steady state in a population, beside published exposures.",
    "record": "Doses, laboratory values and events of real patients against the label's rules.",
    "population": "Many patients on one regimen: response, adverse events, holds, progression.",
}


def _page(kind: type[Question], active: str) -> Any:
    def page(request: Request) -> None:
        told = dict(request.query_params)
        told.pop("token", None)
        with view(kind.title, active):
            heading(kind.title)
            paragraph(INTRODUCTIONS[kind.kind])
            if kind is RecordQuestion:
                _drop(".csv", _record_from)
            if kind is RecordQuestion and "upload" not in told:
                return
            try:
                question = question_of(kind.kind, told)
            except DataError as error:
                put("alert", text=str(error))
                ask_form(kind, told)
                return
            ask_form(kind, told)
            show_answer(question)

    return page


def _record_from(text: str) -> Question:
    """A dropped record, read by the same reader as on the command line."""
    import tempfile
    from pathlib import Path

    from her2sim.formats.record_csv import read_record

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.csv"
        path.write_text(text)
        read_record(path)
    return RecordQuestion(upload=state.jobs().keep_upload(text, ".csv"))


def _trial_from(text: str) -> Question:
    """A dropped trial file, read by the same reader as on the command line."""
    import tempfile
    from pathlib import Path

    from her2sim.trials.library import load_trial

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trial.toml"
        path.write_text(text)
        load_trial(str(path))
    return OwnTrialQuestion(upload=state.jobs().keep_upload(text, ".toml"))


def _drop(ending: str, read: Callable[[str], Question]) -> None:
    """Where a file is dropped; its faults stand below, all of them."""
    from nicegui import ui

    place: list[Any] = []

    async def dropped(event: Any) -> None:
        raw = await event.file.read()
        try:
            if not event.file.name.lower().endswith(ending):
                raise DataError(f"give a file that ends in {ending}")
            question = read(raw.decode("utf-8-sig"))
        except UnicodeDecodeError:
            put_alert("not a text file in UTF-8")
            return
        except Her2SimError as error:
            put_alert(str(error).replace("/tmp/", ""))
            return
        ui.navigate.to(question.link())

    def put_alert(text: str) -> None:
        place[0].clear()
        with place[0]:
            put("alert", text=_without_folder(text))

    ui.upload(
        label=f"Drop a file ({ending}) here, or choose one", on_upload=dropped, auto_upload=True,
        max_file_size=LARGEST_FILE, max_files=1,
    ).props(f"accept={ending} flat bordered").classes("w-full")  # fmt: skip
    place.append(ui.element("div"))


def _without_folder(text: str) -> str:
    """A message without the place where the file lay."""
    import re

    return re.sub(r"/\S*/(record\.csv|trial\.toml)", r"\1", text)


def register() -> None:
    """Make the views known."""
    from nicegui import ui

    active = {"trial": "/trials", "own-trial": "/trials"}
    for kind in QUESTIONS:
        if kind.kind != "patient":
            ui.page(f"/{kind.kind}")(_page(kind, active.get(kind.kind, f"/{kind.kind}")))

    @ui.page("/trials")
    def trials() -> None:
        from her2sim.trials.library import load_trial, trial_names

        with view("Trials", "/trials"):
            heading("Trials")
            ask_form(TrialQuestion, {})
            heading("A trial of your own", 2)
            put("button_link", link="/design", text="Build one in a form")
            paragraph("Or drop a trial file; its faults are told, all of them.")
            _drop(".toml", _trial_from)
            heading("Two designs side by side", 2)
            put("button_link", link="/compare", text="Compare two trials")
            heading("All trials of the library", 2)
            rows = [(name, load_trial(name).title) for name in trial_names()]
            put("trial_links", rows=rows)
