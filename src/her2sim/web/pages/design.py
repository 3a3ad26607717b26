"""A trial of one's own in a form that follows from the schema of a trial file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from pydantic import ValidationError

from her2sim.errors import DataError, plain_message
from her2sim.report.html import render
from her2sim.web import state
from her2sim.web.layout import button, choice, entry, heading, paragraph, tick, view
from her2sim.web.question import UPLOAD_PATTERN
from her2sim.web.trial_questions import OwnTrialQuestion

Path = tuple[str | int, ...]
HIDDEN = {"sources", "aliases", "prognosis", "safety", "landmarks", "outcome", "nct", "crossover"}
"""Parts of a trial file that tell what was published: a trial that nobody has run has none."""
MOST_DEEP = 8


class TrialForm:
    """A trial file as it is edited: fields by their places in the file, and their faults."""

    def __init__(self, raw: dict[str, Any], schema: Mapping[str, Any]) -> None:
        self.raw, self.schema = raw, schema
        self.places: dict[Path, Any] = {}
        self.place: Any = None
        self.faults: Any = None

    def draw(self) -> None:
        """All fields anew, after a part was added or removed."""
        self.places.clear()
        self.place.clear()
        with self.place:
            self._table(self.schema, self.raw, ())

    def check(self) -> bool:
        """Whether the file holds; what is wrong stands at each field, the rest above."""
        from her2sim.trials.trial import Trial

        for shown in self.places.values():
            shown.set_content("")
        self.faults.set_content("")
        try:
            Trial.model_validate(self.raw)
        except ValidationError as error:
            rest = []
            for row in error.errors():
                text = plain_message(row)
                place = self._nearest(tuple(row["loc"]))
                where = ".".join(map(str, row["loc"]))
                if place is None:
                    rest.append(f"{where}: {text}" if where else text)
                else:
                    place.set_content(render("text", text=text))
            n = len(error.errors())
            told = f"{n} fault{'s' if n > 1 else ''}; each stands at its field."
            self.faults.set_content(render("alert", text="\n".join([told, *rest])))
            return False
        return True

    def _nearest(self, loc: Path) -> Any:
        """Where the fault of a place is shown: at it, or at what holds it."""
        while loc:
            if loc in self.places:
                return self.places[loc]
            loc = loc[:-1]
        return None

    # Drawing.

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """A schema without references; of several kinds the one that is not null."""
        for _ in range(MOST_DEEP):
            if "$ref" in schema:
                schema = self.schema["$defs"][schema["$ref"].rsplit("/", 1)[1]]
            elif "anyOf" in schema:
                schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
            else:
                break
        return schema

    def _table(self, schema: Mapping[str, Any], raw: dict[str, Any], path: Path) -> None:
        """Fields of a table of the file that are told, and those that may be added."""
        from nicegui import ui

        known: Mapping[str, Any] = schema.get("properties", {})
        with ui.element("div").classes("fields wide"):
            for name in [n for n in raw if n in known and n not in HIDDEN]:
                if not self._is_nested(self._resolved(known[name])):
                    self._leaf(self._resolved(known[name]), raw, name, (*path, name))
        for name in [n for n in raw if n in known and n not in HIDDEN]:
            part = self._resolved(known[name])
            if self._is_nested(part):
                self._nested(part, raw, name, (*path, name))
        left = {n: n for n in known if n not in raw and n not in HIDDEN}
        if left:

            def add(name: str) -> None:
                if name in left:
                    raw[name] = self._empty(self._resolved(known[name]))
                    self.draw()

            place = "-".join(map(str, path)) or "trial"
            choice(f"add-{place}", "add to this part", "", {"": "...", **left}, add)

    def _is_nested(self, schema: Mapping[str, Any]) -> bool:
        if schema.get("type") == "array":
            return "properties" in self._resolved(schema.get("items", {}))
        return "properties" in schema

    def _nested(
        self, schema: Mapping[str, Any], raw: dict[str, Any], name: str, path: Path
    ) -> None:
        from nicegui import ui

        if schema.get("type") != "array":
            with ui.element("fieldset").props(f'aria-label="{name}"'), ui.element("div"):
                self._legend(name, path, lambda _: self._remove(raw, name))
                self._table(schema, raw[name], path)
            return
        items = self._resolved(schema["items"])
        raw[name] = list(raw[name])
        for number, one in enumerate(raw[name]):
            group = ui.element("fieldset").props(f'aria-label="{name} {number + 1}"')
            with group, ui.element("div"):
                self._legend(
                    f"{name} {number + 1}", (*path, number), self._remover(raw[name], number)
                )
                self._table(items, one, (*path, number))
        with ui.element("div").classes("actions"):
            button(f"Add: {name}", self._adder(raw[name], items), quiet=True)

    def _legend(self, text: str, path: Path, remove: Callable[[Any], None]) -> None:
        from nicegui import ui

        heading(text, 3)
        self.places[path] = (
            ui.html("", sanitize=False, tag="span").classes("fault").props("role=alert")
        )
        with ui.element("div").classes("actions"):
            button(f"Remove: {text}", remove, quiet=True)

    def _remove(self, holder: dict[str, Any], name: str) -> None:
        holder.pop(name, None)
        self.draw()

    def _remover(self, holder: list[Any], number: int) -> Callable[[Any], None]:
        def remove(_: Any) -> None:
            holder.pop(number)
            self.draw()

        return remove

    def _adder(self, holder: list[Any], items: Mapping[str, Any]) -> Callable[[Any], None]:
        def add(_: Any) -> None:
            holder.append(self._empty(items))
            self.draw()

        return add

    def _empty(self, schema: Mapping[str, Any], depth: int = 0) -> Any:
        """A part with what it needs, not yet filled in."""
        if "properties" in schema and depth < MOST_DEEP:
            return {
                name: self._empty(self._resolved(schema["properties"][name]), depth + 1)
                for name in schema.get("required", ())
            }
        if schema.get("type") == "array":
            return []
        if schema.get("type") == "object":
            return {}
        return {"number": 0.0, "integer": 0, "boolean": False}.get(str(schema.get("type")), "")

    def _leaf(self, schema: Mapping[str, Any], raw: dict[str, Any], name: str, path: Path) -> None:
        field = "-".join(map(str, path))
        kind, value = schema.get("type"), raw[name]

        def keep(told: Any) -> None:
            raw[name] = _read(str(kind), told)

        if "enum" in schema:
            options = {str(one): str(one) for one in schema["enum"]}
            choice(field, name, str(value), options, keep)
        elif kind == "boolean":
            tick(field, name, bool(value), keep)
        else:
            is_number = kind in ("number", "integer")
            self.places[path] = entry(
                field, name, _shown(value), keep, "number" if is_number else "text"
            )


def _shown(value: Any) -> str:
    """A value as a field shows it: shares as ``3+ = 0.9, 2+ = 0.1``, lists with commas."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {share:g}" for name, share in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _read(kind: str, told: Any) -> Any:
    """What a field means; what is no number stays text, and the check says so."""
    if kind == "boolean":
        return bool(told)
    text = str(told).strip()
    if kind in ("number", "integer"):
        return _number(text)
    if kind == "array":
        return [one.strip() for one in text.split(",") if one.strip()]
    if kind == "object":
        pairs = [one.partition("=") for one in text.split(",") if one.strip()]
        return {name.strip(): _number(value.strip()) for name, _, value in pairs}
    return text


def _number(text: str) -> Any:
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() and "." not in text else value


def own_trial() -> dict[str, Any]:
    """The trial that the form opens with."""
    return tomllib.loads(files("her2sim.web").joinpath("trial.toml").read_text(encoding="utf-8"))


def kept_trial(upload: str) -> dict[str, Any] | None:
    """A trial that was run before, by the name under which it is kept; None if there is none."""
    path = state.jobs().uploads / f"{upload}.toml"
    if re.fullmatch(UPLOAD_PATTERN, upload) is None or not path.is_file():
        return None
    return tomllib.loads(path.read_text(encoding="utf-8"))


def register() -> None:
    """Make the view known."""
    from nicegui import ui

    @ui.page("/design")
    def design(upload: str = "") -> None:
        import tomli_w

        from her2sim.trials.trial import Trial

        with view("A trial of your own", "/trials"):
            heading("A trial of your own")
            paragraph(
                "Every part of a trial file as a field. Numbers need a source, or status assumed "
                "with a reason; faults stand at their fields."
            )
            form = TrialForm(kept_trial(upload) or own_trial(), Trial.model_json_schema())
            form.faults = ui.html("", sanitize=False)
            form.place = ui.element("div")
            form.draw()

            def run(_: Any) -> None:
                if not form.check():
                    return
                try:
                    name = state.jobs().keep_upload(tomli_w.dumps(form.raw), ".toml")
                except DataError as error:
                    form.faults.set_content(render("alert", text=str(error)))
                    return
                ui.navigate.to(OwnTrialQuestion(upload=name).link())

            def show(_: Any) -> None:
                shown.set_content(render("pre", text=tomli_w.dumps(form.raw)))

            with ui.element("div").classes("actions"):
                button("Check, and run it", run)
                button("Show the file", show, quiet=True)
            shown = ui.html("", sanitize=False)
