"""The frame of every view: links, main part and notice; and controls of the browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from fastapi import Request
from nicegui import ui
from nicegui.element import Element

from her2sim.notice import NOTICE
from her2sim.report.html import render

LINKS = (
    ("/patient", "One patient"),
    ("/trials", "Trials"),
    ("/drug", "A drug"),
    ("/levels", "Levels"),
    ("/record", "A record"),
    ("/population", "A population"),
    ("/jobs", "Your jobs"),
    ("/learn", "Learn"),
)
Told = Callable[[Any], Any]


@contextmanager
def view(title: str, active: str = "") -> Iterator[Element]:
    """A view with its title; what is made inside stands in its main part."""
    ui.page_title(f"{title} – her2sim")
    ui.dark_mode(None)
    ui.add_head_html('<link rel="stylesheet" href="/static/her2sim.css">')
    ui.add_head_html('<script src="/static/her2sim.js" defer></script>')
    ui.html(render("top", links=LINKS, active=active), sanitize=False)
    with ui.element("div").classes("page").props("id=main tabindex=-1") as main:
        yield main  # the library's frame is the main landmark
    ui.html(render("notice", text=NOTICE), sanitize=False)


def put(template: str, **values: object) -> ui.html:
    """A piece of the view from a template, which escapes all texts."""
    return ui.html(render(template, **values), sanitize=False)


def fields_of(request: Request) -> tuple[dict[str, str], str]:
    """Fields of a link without the token, and what is wrong with them: one that is told twice.

    The first of two counts.
    """
    told: dict[str, str] = {}
    twice = []
    for name, value in request.query_params.multi_items():
        if name in told and told[name] != value:
            twice.append(name)
        told.setdefault(name, value)
    told.pop("token", None)
    fault = (
        f"{', '.join(dict.fromkeys(twice))[:200]}: told twice; the first counts" if twice else ""
    )
    return told, fault


def heading(text: str, level: int = 1) -> None:
    """A heading."""
    with ui.element(f"h{level}"):
        ui.html(render("text", text=text), sanitize=False, tag="span")


def paragraph(text: str, kind: str = "") -> ui.html:
    """A paragraph of plain text."""
    return ui.html(render("text", text=text), sanitize=False, tag="p").classes(kind)


LONG_VALUE = 22
"""Characters that need a wide field."""
AT_FIRST = "^value"
"""The value that a field of the browser begins with: as an attribute, so that what a user sets
since then is not taken back when the view is drawn anew."""


def _label(name: str, title: str) -> Element:
    """The label of a field."""
    with ui.element("label") as label:
        ui.html(render("text", text=title), sanitize=False, tag="span")
    label.props["for"] = f"field-{name}"
    return label


def _field(kind: str, name: str, **attributes: str) -> Element:
    """An element to fill in; a name may come from a file, so it is never read as attributes."""
    field = ui.element(kind)
    field.props.update({"id": f"field-{name}", "name": name, **attributes})
    return field


def slider(
    name: str,
    title: str,
    value: float,
    span: tuple[float, float, float],
    told: Told,
    words: Mapping[float, str] | None = None,
) -> None:
    """A slider of the browser, told at each move; ``words`` are shown for some values."""
    low, high, step = min(span[0], value), max(span[1], value), span[2]
    with ui.element("div").classes("field"):
        with _label(name, title):
            shown = ui.html(_worded(value, words), sanitize=False, tag="output")
        field = _field("input", name, type="range", min=f"{low:g}", max=f"{high:g}",
                       step=f"{step:g}")  # fmt: skip
        field.props[AT_FIRST] = f"{value:g}"
        field.props["aria-valuetext"] = (words or {}).get(value, f"{value:g}")

    def moved(event: Any) -> Any:
        now = float(event.args)
        shown.set_content(_worded(now, words))
        field.props["aria-valuetext"] = (words or {}).get(now, f"{now:g}")
        field.update()
        return told(now)

    field.on("input", moved, js_handler="(e) => emit(e.target.value)", throttle=0.06)


def _worded(value: float, words: Mapping[float, str] | None) -> str:
    return render("text", text=(words or {}).get(value, f"{value:g}"))


def choice(name: str, title: str, value: str, options: Mapping[str, str], told: Told) -> None:
    """A list of the browser to choose one from: what is chosen by what is shown."""
    with ui.element("div").classes("field"):
        _label(name, title)
        with _field("select", name) as field:
            for key, text in options.items():
                chosen = " selected" if key == value else ""
                option = ui.element("option")
                option.props["value"] = key
                if chosen:
                    option.props["selected"] = True
                with option:
                    ui.html(render("text", text=text), sanitize=False, tag="span")
    field.on("change", lambda event: told(event.args), js_handler="(e) => emit(e.target.value)")


def tick(name: str, title: str, value: bool, told: Told) -> None:
    """A box of the browser to tick."""
    with ui.element("div").classes("field check"), ui.element("label"):
        field = _field("input", name, type="checkbox")
        if value:
            field.props["checked"] = True
        ui.html(render("text", text=title), sanitize=False, tag="span")
    field.on("change", lambda event: told(event.args), js_handler="(e) => emit(e.target.checked)")


def entry(
    name: str,
    title: str,
    value: str,
    told: Told,
    kind: str = "text",
    text: str = "",
    suggested: Sequence[str] = (),
) -> ui.html:
    """A field to write in, with a line of help; returns where a fault of it is shown."""
    with ui.element("div").classes("field long" if len(value) >= LONG_VALUE else "field"):
        _label(name, title)
        field = _field("input", name, type="text")
        field.props[AT_FIRST] = value
        if kind == "number":  # a field of numbers drops a comma: 6,5 would be read as 65
            field.props["inputmode"] = "decimal"
        if suggested:
            field.props["list"] = f"known-{name}"
            with ui.element("datalist") as known:
                for one in suggested:
                    ui.element("option").props["value"] = one
            known.props["id"] = f"known-{name}"
        if text:
            field.props["aria-describedby"] = f"help-{name}"
            ui.html(render("text", text=text), sanitize=False, tag="span").classes(
                "faint help"
            ).props["id"] = f"help-{name}"
        fault = ui.html("", sanitize=False, tag="span").classes("fault").props("role=alert")
    field.on("change", lambda event: told(event.args), js_handler="(e) => emit(e.target.value)")
    return fault


def button(text: str, told: Told, quiet: bool = False, submits: bool = False) -> Element:
    """A button of the browser; one that submits leaves the work to its form."""
    made = ui.element("button").props("type=submit" if submits else "type=button")
    made.classes("plain" + (" quiet" if quiet else ""))
    with made:
        ui.html(render("text", text=text), sanitize=False, tag="span")
    if not submits:
        made.on("click", lambda _: told(None))
    return made
