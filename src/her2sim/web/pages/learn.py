"""For classes and patients: lessons with a question each, topics in plain words, icon arrays."""

from __future__ import annotations

from typing import Any

from her2sim.web.layout import button, heading, paragraph, put, view
from her2sim.web.lessons import icon_arrays, lessons, topics

SHOWN_TRIALS = ("destiny-breast03", "cleopatra", "hera")


def register() -> None:
    """Make the views known."""
    from nicegui import ui

    @ui.page("/learn")
    def learn() -> None:
        with view("Learn", "/learn"):
            heading("Learn: from the test to survival")
            paragraph("A lesson a stage: a few lines, something to try, a question.")
            rows = [(f"/learn/{one.stage}", one.title, one.question) for one in lessons()]
            put("questions", questions=rows)
            heading("For patients", 2)
            paragraph("What the test means, how the medicines work, why you are checked.")
            told = "Topics, and questions for your team; what happened to 100 people in trials."
            put("questions", questions=[("/learn/patients", "HER2 in plain words", told)])

    @ui.page("/learn/patients")
    def patients() -> None:
        with view("HER2 in plain words", "/learn"):
            ui.markdown(topics(), sanitize=True)
            heading("What happened to 100 people", 2)
            paragraph(
                "Figures of published trials. They tell of the people in these trials, who may be "
                "unlike you."
            )
            for name in SHOWN_TRIALS:
                for array in icon_arrays(name):
                    put("icons", array=array, width=20)

    @ui.page("/learn/{stage}")
    def lesson(stage: str) -> None:
        known = {one.stage: one for one in lessons()}
        with view("A lesson", "/learn"):
            if stage not in known:
                put("alert", text="There is no such lesson.")
                return
            one = known[stage]
            heading(one.title)
            paragraph(one.text)
            heading("Try this", 2)
            paragraph(one.try_this)
            put("button_link", link=one.link, text="Open it")
            heading("A question", 2)
            paragraph(one.question)
            with ui.element("div").classes("actions"):
                for number, choice in enumerate(one.choices):
                    button(choice, _says(number, one, lambda: told), quiet=True)
            told: Any = ui.html("", sanitize=False).props("role=status aria-live=polite")
            following = next((n for n in known if list(known).index(n) > list(known).index(stage)),
                             None)  # fmt: skip
            if following:
                put("button_link", link=f"/learn/{following}", text="Next lesson")


def _says(number: int, lesson: Any, place: Any) -> Any:
    from her2sim.report.html import render

    def say(_: Any) -> None:
        is_right = number == lesson.answer
        start = "Right. " if is_right else "Not quite. "
        place().set_content(
            render("answered", text=start + lesson.why, kind="hit" if is_right else "miss")
        )

    return say
