"""A trial file as a form that follows from its schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from her2sim.errors import plain_message
from her2sim.report.html import render
from her2sim.web.layout import button, choice, entry, heading, paragraph, tick
from her2sim.web.own_trials import PUBLISHED, PUBLISHED_OF_ROWS
from her2sim.web.trial_schema import (
    FileSchema,
    Place,
    first_capital,
    key_of,
    place_of,
    read_field,
    shown_field,
    title_of,
)

NOT_OFFERED = {*PUBLISHED, *PUBLISHED_OF_ROWS["comparison"]} - {"note"}
"""Parts that tell what was published are shown where a file has them, and not offered."""
CLOSED = ("sources",)
UNITS = ("month", "week", "day", "%", "mm")


class TrialForm:
    """A trial file as it is edited: fields by their places in the file, and their faults.

    Parameters
    ----------
    raw : the file as it was read; it is changed
    schema : of a trial file
    told : called after each change
    """

    def __init__(
        self, raw: dict[str, Any], schema: Mapping[str, Any], told: Callable[[], None]
    ) -> None:
        self.raw, self.schema, self.told = raw, FileSchema(schema), told
        self.faults: dict[Place, Any] = {}
        self.opened: set[Place] = set()
        self.place: Any = None
        self.above: Any = None

    def draw(self) -> None:
        """All fields anew."""
        self.faults.clear()
        self.place.clear()
        with self.place:
            self._table(self.schema.whole, self.raw, ())

    def check(self) -> bool:
        """Whether the file holds; what is wrong stands at each field, and all of it above."""
        from her2sim.trials.trial import Trial

        for shown in self.faults.values():
            shown.set_content("")
        self.above.set_content("")
        try:
            Trial.model_validate(self.raw)
        except ValidationError as error:
            found: dict[Place, list[str]] = {}
            for row in error.errors():
                text = plain_message(row)
                place = place_of(row["loc"], text, self.raw)
                found.setdefault(place, []).append(text)
            self._show(found)
            n = sum(map(len, found.values()))
            lines = [
                f"{self.schema.words_of(place)}: {text}" if place else text
                for place, texts in found.items()
                for text in texts
            ]
            told = (
                f"{n} fault{'s' if n > 1 else ''}; each stands at its field or part, too. Once "
                "they are mended, checks of what belongs together may find more."
            )
            self.above.set_content(render("alert", text="\n".join([told, *lines])))
            return False
        return True

    def _show(self, found: Mapping[Place, Sequence[str]]) -> None:
        """Faults at their fields, or at what holds them."""
        shown: dict[Place, list[str]] = {}
        for place, texts in found.items():
            near = place
            while near and near not in self.faults:
                near = near[:-1]
            shown.setdefault(near, []).extend(texts)
        for place, texts in shown.items():
            if place:
                self.faults[place].set_content(render("text", text="; ".join(texts)))

    def _table(self, schema: Mapping[str, Any], raw: dict[str, Any], path: Place) -> None:
        """Fields of a table of the file that are told, and those that may be added."""
        from nicegui import ui

        known: Mapping[str, Any] = schema.get("properties", {})
        parts = {n: self.schema.resolved(known[n]) for n in raw if n in known}
        nested = [n for n, part in parts.items() if self.schema.is_nested(part)]
        with ui.element("div").classes("fields wide"):
            for name in [n for n in parts if n not in nested]:
                self._leaf(parts[name], raw, known[name], (*path, name))
            self._offer(known, raw, path)
        for name in nested:
            self._nested(parts[name], raw, known[name], (*path, name))

    def _offer(self, known: Mapping[str, Any], raw: dict[str, Any], path: Place) -> None:
        """What may be added to a table."""
        left = {n: title_of(n, known[n]) for n in known if n not in raw and n not in NOT_OFFERED}
        if not left:
            return

        def add(name: str) -> None:
            if name in left:
                raw[name] = self.schema.empty(self.schema.resolved(known[name]))
                self._changed((*path, name))

        choice(f"add-{key_of(path) or 'trial'}", "add to this part", "", {"": "...", **left}, add)

    def _nested(
        self, schema: Mapping[str, Any], raw: dict[str, Any], told: Mapping[str, Any], path: Place
    ) -> None:
        """A part of the file with parts of its own."""
        from nicegui import ui

        name = str(path[-1])
        title = title_of(name, told)
        inner = self.schema.keyed(schema)
        if inner is not None:
            with self._part(title, path, raw, name, is_closed=name in CLOSED):
                for key in raw[name]:
                    with self._part(str(key), (*path, key), raw[name], key):
                        self._table(inner, raw[name][key], (*path, key))
                self._new_name(raw[name], inner, path)
        elif schema.get("type") != "array":
            with self._part(title, path, raw, name, told.get("description", "")):
                self._table(schema, raw[name], path)
        else:
            items = self.schema.resolved(schema["items"])
            rows = raw[name] = list(raw[name])
            for number, row in enumerate(rows):
                with self._part(f"{title} {number + 1}", (*path, number), rows, number):
                    self._table(items, row, (*path, number))

            def add(_: Any) -> None:
                rows.append(self.schema.empty(items))
                self._changed((*path, len(rows) - 1))

            with ui.element("div").classes("actions"):
                button(f"Add: {title}", add, quiet=True)
                self.faults[path] = _fault()

    def _new_name(self, holder: dict[str, Any], inner: Mapping[str, Any], path: Place) -> None:
        """A field for the name of a part that is added."""

        def add(text: Any) -> None:
            name = str(text).strip()
            if name and name not in holder:
                holder[name] = self.schema.empty(inner)
                self._changed((*path, name))

        entry(f"new-{key_of(path)}", "add one of the name", "", add)

    @contextmanager
    def _part(
        self,
        title: str,
        path: Place,
        holder: Any,
        key: str | int,
        text: str = "",
        *,
        is_closed: bool = False,
    ) -> Iterator[None]:
        """A frame with a title, where faults of the whole part stand, and a button to remove it."""
        from nicegui import ui

        def remove(_: Any) -> None:
            holder.pop(key)
            self._changed(path[:-1])

        with ui.element("fieldset").props("tabindex=-1") as frame:
            frame.props.update({"id": f"part-{key_of(path)}", "aria-label": title})
            with ui.element("div").classes("part"):
                heading(first_capital(title), 3)
                self.faults[path] = _fault()
                button(f"Remove: {title}", remove, quiet=True)
            if text:
                paragraph(first_capital(text) + ".", "faint")
            if not is_closed:
                yield
                return
            with ui.element("details") as details:
                if path in self.opened:
                    details.props["open"] = True
                with ui.element("summary"):
                    ui.html(render("text", text=f"{len(holder[key])} told"), sanitize=False)
                yield

    def _changed(self, place: Place) -> None:
        """Draw anew after a part was added or removed, and go to it."""
        from nicegui import ui

        self.told()
        self.opened.add(place[:1])
        self.draw()
        key = key_of(place)
        find = " || ".join(f"document.getElementById({json.dumps(f'{kind}-{key}')})"
                           for kind in ("field", "part"))  # fmt: skip
        with self.place:  # what was pressed may be gone
            ui.run_javascript(f"setTimeout(() => {{ const e = {find}; e && e.focus() }}, 100)")

    def _leaf(
        self, schema: Mapping[str, Any], raw: dict[str, Any], told: Mapping[str, Any], path: Place
    ) -> None:
        """A field of one value."""
        name, key = str(path[-1]), key_of(path)
        value, title = raw[name], first_capital(title_of(name, told))
        kind = "object" if isinstance(value, Mapping) else str(schema.get("type"))

        def keep(text: Any) -> None:
            raw[name] = read_field(kind, text)
            self.told()

        if "enum" in schema:
            options = {str(one): str(one) for one in schema["enum"]}
            choice(key, title, str(value), options, keep)
        elif kind == "boolean":
            tick(key, title, bool(value), keep)
        else:
            self.faults[path] = entry(
                key, title, shown_field(value), keep,
                "number" if kind in ("number", "integer") else "text",
                told.get("description", ""), self._suggested(name),
            )  # fmt: skip

    def _suggested(self, name: str) -> tuple[str, ...]:
        """What a field may be filled with."""
        from her2sim.patients.population import population_names
        from her2sim.regimens.library import named_regimens

        arms = tuple(str(arm.get("id", "")) for arm in self.raw.get("arm", ()))
        known: Mapping[str, Callable[[], tuple[str, ...]]] = {
            "name": lambda: tuple(named_regimens()),
            "base": population_names,
            "arm": lambda: arms,
            "versus": lambda: arms,
            "to": lambda: arms,
            "endpoint": lambda: tuple(map(str, self.raw.get("endpoints", ()))),
            "source": lambda: tuple(self.raw.get("sources", ())),
            "unit": lambda: UNITS,
        }
        return known[name]() if name in known else ()


def _fault() -> Any:
    """Where faults of a part are shown."""
    from nicegui import ui

    return ui.html("", sanitize=False, tag="span").classes("fault").props("role=alert")
