"""Two trials side by side, with the same patients by number."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from her2sim.errors import DataError
from her2sim.web.layout import button, choice, entry, fields_of, heading, paragraph, put, view
from her2sim.web.pages.answer import show_answer
from her2sim.web.pages.questions_pages import trial_titles
from her2sim.web.questions import question_of

SIDES = ("first", "second")
USUAL = {"first": "destiny-breast03", "second": "emilia", "per_arm": "300", "seed": "1"}


def register() -> None:
    """Make the view known."""
    from urllib.parse import urlencode

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
                "patients with the same number are the same people; else they differ too."
            )

            def keep(name: str) -> Any:
                return lambda value: told.__setitem__(name, str(value))

            with ui.element("form").classes("fields wide").props('onsubmit="return false"'):
                for side in SIDES:
                    choice(side, f"{side} trial", told[side], trial_titles(), keep(side))
                entry("per_arm", "patients an arm", told["per_arm"], keep("per_arm"), "number")
                entry("seed", "seed", told["seed"], keep("seed"), "number")
                with ui.element("div").classes("actions"):
                    button("Compare", lambda _: ui.navigate.to(f"/compare?{urlencode(told)}"))
            with ui.element("div").classes("sides"):
                for side in SIDES:
                    with ui.element("section").props(f'aria-label="{side} trial"'):
                        fields = {"name": told[side], "per_arm": told["per_arm"],
                                  "seed": told["seed"]}  # fmt: skip
                        try:
                            question = question_of("trial", fields)
                        except DataError as error:
                            put("alert", text=str(error))
                            continue
                        heading(told[side], 2)
                        show_answer(question)
