"""Views of a trial, a drug, a record and a population: a form, and the answer as a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from fastapi import Request
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from her2sim.regimens.library import named_regimens
from her2sim.web import state
from her2sim.web.jobs import EXAMPLES
from her2sim.web.layout import button, choice, entry, fields_of, heading, paragraph, put, view
from her2sim.web.pages.answer import show_answer
from her2sim.web.pages.dropped import drop
from her2sim.web.question import Question, faults_by_field
from her2sim.web.questions import QUESTIONS, RecordQuestion
from her2sim.web.trial_questions import GridQuestion, OwnTrialQuestion, TrialQuestion

Options = Callable[[], Mapping[str, str]]


def trial_titles() -> Mapping[str, str]:
    """Trials of the library, by name."""
    from her2sim.trials.library import load_trial, trial_names

    return {name: f"{load_trial(name).id}: {load_trial(name).title}" for name in trial_names()}


def _drugs() -> Mapping[str, str]:
    from her2sim.api.library import drug_list

    return {name: name for name in drug_list().frame()["drug"]}


def _populations() -> Mapping[str, str]:
    from her2sim.patients.population import load_population, population_names

    return {name: load_population(name).title for name in population_names()}


CHOICES: Mapping[tuple[str, str], Options] = {
    ("trial", "name"): trial_titles,
    ("grid", "name"): trial_titles,
    ("drug", "drug"): _drugs,
    ("drug", "population"): _populations,
    ("levels", "drug"): _drugs,
    ("population", "population"): _populations,
    ("record", "region"): lambda: {"us": "US label", "eu": "EU label"},
}
SUGGESTED: Mapping[tuple[str, str], Callable[[], tuple[str, ...]]] = {
    ("population", "regimen"): lambda: tuple(named_regimens()),
}
"""What may be written into a field that takes more than that."""
HIDDEN = ("upload",)


def ask_form(
    kind: type[Question], told: Mapping[str, Any], wrong: Mapping[str, str] | None = None
) -> None:
    """Fields of a question; what is wrong with one stands at it; asking opens the view again.

    Parameters
    ----------
    kind : of the question
    told : fields that are told
    wrong : what is wrong with them, by field
    """
    from nicegui import ui

    values: dict[str, Any] = {
        name: told.get(name, field.default) for name, field in kind.model_fields.items()
    }
    places: dict[str, Any] = {}

    def keep(name: str) -> Callable[[Any], None]:
        return lambda value: values.__setitem__(name, value)

    def show(faults: Mapping[str, str], first: str) -> None:
        for place in (*places.values(), above):
            place.set_content("")
        rest = [first]
        for name, text in faults.items():
            if name in places:
                put_into(places[name], text)
            else:
                rest.append(text)
        put_into(above, "\n".join(rest))

    with ui.element("form").classes("fields wide") as form:
        for name, field in kind.model_fields.items():
            if name in HIDDEN or (name == "name" and values.get("upload")):
                continue
            options = CHOICES.get((kind.kind, name))
            title = field.title or name
            if options is not None:
                choice(name, title, str(values[name]), options(), keep(name))
            else:
                is_number = field.annotation in (int, float)
                suggested = SUGGESTED.get((kind.kind, name), tuple)()
                places[name] = entry(
                    name, title, str(values[name]), keep(name), "number" if is_number else "text",
                    _help(field), suggested,
                )  # fmt: skip

        def ask(_: Any) -> None:
            try:
                question = kind.model_validate(values)
            except ValidationError as error:
                told = "Not asked; what stands below is of the question before."
                show(faults_by_field(error, kind), told)
                return
            ui.navigate.to(question.link())

        with ui.element("div").classes("actions"):
            button("Ask", ask, submits=True)
    form.on("submit", ask, js_handler="(e) => { e.preventDefault(); emit() }")
    above = ui.html("", sanitize=False).classes("alert").props("role=alert")
    if wrong:
        show(wrong, "The link has faults; mend them, and ask.")


def _help(field: FieldInfo) -> str:
    """What may be written into a field."""
    limits = {kind: getattr(one, kind) for one in field.metadata for kind in ("ge", "le")
              if hasattr(one, kind)}  # fmt: skip
    if field.description or len(limits) < 2:
        return field.description or ""
    return f"{limits['ge']:,} to {limits['le']:,}"


def put_into(place: Any, text: str) -> None:
    """Show a text, which is escaped."""
    from her2sim.report.html import render

    place.set_content(render("text", text=text))


INTRODUCTIONS: Mapping[str, str] = {
    "trial": "Arm by arm as published: enrolment, doses under the labels' rules, scans, dropout. "
    "Predicted figures stand beside published ones.",
    "own-trial": "A trial that nobody has run, with curves, hazard ratios and their ranges.",
    "grid": "Power, duration and patients of many designs of one trial: arm sizes, follow-ups, and "
    "what is shown if only a part of the predicted effect is there.",
    "drug": "Levels up to steady state in a population, beside published exposures.",
    "levels": "Levels that were measured of one patient, on the doses of the label: this patient's "
    "numbers, and what each way to go on would do. Never advice on a dose.",
    "record": "Doses, laboratory values and events of real patients against the label's rules.",
    "population": "Many patients on one regimen: response, adverse events, holds, progression.",
}


def _page(kind: type[Question], active: str) -> Any:
    def page(request: Request) -> None:
        told, twice = fields_of(request)
        with view(kind.title, active):
            heading(kind.title)
            paragraph(INTRODUCTIONS[kind.kind])
            if twice:
                put("alert", text=twice)
            if kind is RecordQuestion:
                drop("record")
            try:
                question = kind.model_validate(told)
            except ValidationError as error:
                _not_asked(kind, told, faults_by_field(error, kind))
                return
            ask_form(kind, told)
            if isinstance(question, TrialQuestion | OwnTrialQuestion):
                put("button_link", link=designs_of(question).link(), text="A grid of its designs")
                own = question.upload if isinstance(question, OwnTrialQuestion) else question.name
                link = f"/compare?first={own}&per_arm={question.per_arm}&seed={question.seed}"
                put("button_link", link=link, text="Beside another trial")
            if isinstance(question, OwnTrialQuestion):
                link = f"/design?upload={question.upload}"
                put("button_link", link=link, text="Change it in the form")
            show_answer(question, None if told else EXAMPLES)

    return page


def _not_asked(kind: type[Question], told: Mapping[str, str], faults: Mapping[str, str]) -> None:
    """What a view shows of a link that is no question: its faults, or where to begin."""
    if kind is RecordQuestion and "upload" not in told:
        if rest := [text for name, text in faults.items() if name != "upload"]:
            put("alert", text="\n".join(rest))
        _example_record()
        return
    if kind is OwnTrialQuestion and "upload" not in told:
        paragraph("No trial of your own is told. Build one in the form, or drop a file.")
        put("button_link", link="/design", text="Build one in a form")
        drop("trial")
        return
    ask_form(kind, told, faults)


def designs_of(question: TrialQuestion | OwnTrialQuestion) -> GridQuestion:
    """Designs of the same trial."""
    if isinstance(question, OwnTrialQuestion):
        return GridQuestion(upload=question.upload, seed=question.seed)
    return GridQuestion(name=question.name, seed=question.seed)


def _example_record() -> None:
    """A record with a departure of each kind, as a file that somebody dropped."""
    from her2sim.formats.record_csv import COLUMNS

    heading("An example", 2)
    paragraph(
        "Fifteen patients, each with another departure. A row is a dose, a test (lab) or an event; "
        f"the columns are {', '.join(COLUMNS)}. The file stands below, as record.csv: begin with "
        "it, and put your rows in."
    )
    text = files("her2sim.web").joinpath("record.csv").read_text(encoding="utf-8")
    kept = state.jobs().files.keep(text, ".csv", EXAMPLES)
    show_answer(RecordQuestion(upload=kept), EXAMPLES)


def register() -> None:
    """Make the views known."""
    from nicegui import ui

    active = dict.fromkeys(("trial", "own-trial", "grid"), "/trials")
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
            drop("trial")
            heading("Two designs side by side", 2)
            put("button_link", link="/compare", text="Compare two trials")
            heading("A grid of designs", 2)
            put("button_link", link="/grid", text="Arm sizes, follow-ups and effects")
            heading("All trials of the library", 2)
            rows = [(name, load_trial(name).title) for name in trial_names()]
            put("trial_links", rows=rows)
