"""One patient from left to right, with sliders; the rules made visible."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, get_args

from fastapi import Request
from pydantic import ValidationError

from her2sim.errors import Her2SimError
from her2sim.regimens.library import NamedRegimen, load_regimen, named_regimens
from her2sim.report.html import PageTable
from her2sim.report.timeline_page import HEADINGS
from her2sim.web import state
from her2sim.web.chain import ChainView
from her2sim.web.charts import chart_svg, lanes_svg
from her2sim.web.layout import choice, fields_of, heading, paragraph, put, slider, tick, view
from her2sim.web.pages.answer import show_answer
from her2sim.web.patient_question import Her2Result, PatientQuestion
from her2sim.web.question import faults_by_field
from her2sim.web.rules_shown import RulesView
from her2sim.web.stage import key_of
from her2sim.web.stage_numbers import numbers_behind

BAND_AFTER_SECONDS = 0.35
FOCUS_AFTER_MS = 80
"""The browser draws the strip anew first."""
TO_OPEN_STAGE = """const b = document.querySelector('.strip [aria-pressed=true]');
const s = b && b.closest('.strip');
if (s) s.scrollLeft = b.offsetLeft - s.clientWidth / 2 + b.clientWidth / 2"""
RESULTS = get_args(Her2Result)
FIRST_STAGE = "tumour"
STAGES = (
    "test", "receptors", "levels", "occupancy", "kinase", "payload", "signal", "tumour", "heart",
    "counts", "rule", "next", "outcome", "survival",
)  # fmt: skip


class PatientView:
    """What one browser looks at: the question, the open stage, and the parts that follow."""

    def __init__(self, question: PatientQuestion) -> None:
        self.question, self.open = question, FIRST_STAGE
        self.refused: dict[str, Any] = {}
        self.asked, self.is_drawn = 0, False
        self.strip: Any = None
        self.detail: Any = None
        self.rules: Any = None
        self.fault: Any = None
        self.same: Any = None

    async def change(self, **fields: Any) -> None:
        """Ask with other fields; what was asked before and is not there yet is forgotten.

        What was refused is asked for again with the next change: fields and answer go together.
        """
        from nicegui import ui

        try:
            told = self.question.model_dump(exclude_defaults=True) | self.refused | fields
            question = PatientQuestion.model_validate(told)
        except ValidationError as error:
            faults = faults_by_field(error, PatientQuestion)
            lines = [*faults.values(), "What stands below is without the last changes."]
            self.fault.set_content(_alert("\n".join(lines)))
            self.refused |= fields
            return
        self.question, self.refused = question, {}
        self.asked += 1
        if await self.draw_all():
            ui.run_javascript(f"history.replaceState(null, '', {self.question.link()!r})")

    async def draw_all(self) -> bool:
        """The patient, and then the band; false if something else was asked, or nobody looks."""
        asked = self.asked
        await self.draw(asked, has_band=False)
        await asyncio.sleep(BAND_AFTER_SECONDS)
        if self.is_wanted(asked):
            await self.draw(asked, has_band=True)
        return self.is_wanted(asked)

    def is_wanted(self, asked: int) -> bool:
        """Whether the page is still there, and nothing else was asked since."""
        return asked == self.asked and not self.strip.is_deleted

    async def draw(self, asked: int, has_band: bool) -> None:
        """Work the chain out beside the page, and show it if nothing else was asked since."""
        question = self.question
        try:
            found = await state.CHAINS.chain(question, has_band, lambda: self.is_wanted(asked))
        except Her2SimError as error:
            self.fault.set_content(_alert(str(error)))
            return
        if found is None or not self.is_wanted(asked):
            return
        if not self.refused:
            self.fault.set_content("")
        self.show(found)
        if found.rules is not None:
            self.show_rules(found.rules, found.notes)

    def show(self, found: ChainView) -> None:
        """The strip of stages, and the open one."""
        from nicegui import ui

        from her2sim.report.html import render

        stage = found.stage(self.open)
        self.strip.set_content(render("stages", stages=found.stages, open=stage.key))
        if not self.is_drawn:
            self.is_drawn = True
            with self.strip:  # a narrow screen shows two stages of the strip
                ui.run_javascript(f"setTimeout(() => {{ {TO_OPEN_STAGE} }}, {FOCUS_AFTER_MS})")
        charts = [(chart.title, chart_svg(chart)) for chart in stage.charts]
        numbers = numbers_behind(stage.key, self.question)
        self.detail.set_content(
            render("stage", stage=stage, charts=charts, key=key_of(stage))
            + render("stage_numbers", numbers=numbers)
        )

    def show_rules(self, did: RulesView, notes: tuple[str, ...]) -> None:
        """What rules did, and what would be without them."""
        from her2sim.report.html import render

        question = self.question
        rows = PageTable("Decisions", HEADINGS["decisions"], did.rows)
        chart = lanes_svg(did.lanes, float(question.weeks))
        nothing = "No rule had to act." if question.rules else "The rules are off."
        self.rules.set_content(
            render(
                "decisions", rows=rows, nothing=nothing, notes=notes,
                difference=did.difference, chart=chart,
            )
        )  # fmt: skip
        self.same.set_content(render("same", question=question, files=(), job=""))

    async def look_at(self, stage: Any) -> None:
        """Open another stage."""
        from nicegui import ui

        if stage not in STAGES:
            return
        self.open = stage
        await self.draw(self.asked, has_band=True)
        focus = f"document.querySelector('[data-stage={stage}]')?.focus()"
        ui.run_javascript(f"setTimeout(() => {focus}, {FOCUS_AFTER_MS})")


def nearest_question(told: Mapping[str, str]) -> tuple[PatientQuestion, str]:
    """The question of a link, and its faults; a field that is wrong takes its usual value."""
    good = dict(told)
    faults: dict[str, str] = {}
    while True:
        try:
            return PatientQuestion.model_validate(good), "\n".join(faults.values())
        except ValidationError as error:
            found = faults_by_field(error, PatientQuestion)
            wrong = set(found) & set(good)
            faults |= found
            good = {name: v for name, v in good.items() if name not in wrong} if wrong else {}


def _alert(text: str) -> str:
    from her2sim.report.html import render

    return render("alert", text=text)


def register() -> None:
    """Make the view known."""
    from nicegui import ui

    @ui.page("/patient")
    def patient(request: Request) -> None:
        told, twice = fields_of(request)
        with view("One patient", "/patient"):
            heading("One patient, from the HER2 test to survival")
            question, faults = nearest_question(told)
            if twice:
                put("alert", text=twice)
            if faults:
                put("alert", text=f"{faults}\nWhat is wrong takes its usual value below.")
            shown = PatientView(question)
            with ui.element("div").classes("two patient"):
                with (
                    ui.element("form")
                    .classes("fields")
                    .props("aria-label=Patient onsubmit='return false'")
                ):
                    _controls(shown)
                with ui.element("div"):
                    shown.fault = ui.html("", sanitize=False)
                    shown.strip = put("text", text="Working it out ...").classes("strip")
                    shown.strip.on(
                        "click", lambda event: shown.look_at(event.args),
                        js_handler="(e) => { const b = e.target.closest('[data-stage]');"
                        " if (b) emit(b.dataset.stage) }",
                    )  # fmt: skip
                    shown.detail = ui.html("", sanitize=False).props("aria-live=polite")
                    shown.rules = ui.html("", sanitize=False)
                    shown.same = ui.html("", sanitize=False)
                    _files(shown)
            ui.timer(0.01, shown.draw_all, once=True)


def _files(shown: PatientView) -> None:
    """A button that makes table, figure and reports as a job."""
    from nicegui import ui

    from her2sim.web.layout import button

    place = ui.element("div")

    def make(_: Any) -> None:
        place.clear()
        with place:
            show_answer(shown.question)

    with ui.element("div").classes("actions"):
        button("Table, figure and report of this patient", make)
    place.move(target_index=-1)


SLIDERS: tuple[tuple[str, tuple[float, float, float], Mapping[float, str]], ...] = (
    ("weight_kg", (35, 160, 1), {}),
    ("dose_percent", (25, 200, 5), {}),
    ("every_weeks", (0, 8, 1), {0: "label"}),
    ("missed", (1, 12, 1), {1: "none"}),
    ("lvef_percent", (40, 80, 1), {}),
    ("tumour_mm", (10, 300, 1), {}),
    ("lines_before", (0, 4, 1), {}),
    ("weeks", (6, 156, 2), {}),
    ("seed", (0, 60, 1), {}),
)
"""Fields as sliders: low, high and step, and words that stand for some values."""
TITLES = {"seed": "another patient like this", "missed": "dose that is missed",
          "every_weeks": "weeks between doses"}  # fmt: skip


def _controls(shown: PatientView) -> None:
    question = shown.question

    def told(name: str, kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda value: shown.change(**{name: kind(value)})

    regimens = {r.id: r.title for r in named_regimens().values() if is_for_view(r)}
    shown_as = load_regimen(question.regimen).id
    if shown_as not in regimens:
        shown_as = question.regimen
        regimens[shown_as] = load_regimen(shown_as).title
    choice("regimen", "Regimen", shown_as, regimens, told("regimen", str))
    choice("her2", "HER2 test", question.her2, {r: r for r in RESULTS}, told("her2", str))
    for name, span, words in SLIDERS:
        field = PatientQuestion.model_fields[name]
        title = TITLES.get(name, field.title or name)
        value = max(span[0], float(getattr(question, name)))
        kind = _number_missed if name == "missed" else float
        slider(name, title[0].upper() + title[1:], value, span, told(name, kind), words)
    tick("rules", "The label's rules act", question.rules, told("rules", bool))
    paragraph("Characteristics that are not here are those of the patient file below.", "faint")


def is_for_view(regimen: NamedRegimen) -> bool:
    """Whether a regimen is for metastatic breast cancer, the disease of this view's patient."""
    return "breast" in regimen.setting and not regimen.setting.startswith("early breast")


def _number_missed(value: float) -> int:
    """The number of the missed dose; the first stop of the slider is none."""
    return 0 if value < 2 else int(value)
