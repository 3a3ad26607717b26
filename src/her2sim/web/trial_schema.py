"""The schema of a trial file as a form reads it, and values as its fields show them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Place = tuple[str | int, ...]
MOST_DEEP = 8
FIRST_NAME = re.compile(r"(\w+)(?=:| )")


class FileSchema:
    """A JSON schema with its references."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self.whole = whole

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """A schema without references; of several kinds the first that is not null."""
        for _ in range(MOST_DEEP):
            if "$ref" in schema:
                schema = self.whole["$defs"][schema["$ref"].rsplit("/", 1)[1]]
            elif "allOf" in schema:
                schema = schema["allOf"][0]
            elif "anyOf" in schema:
                schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
            else:
                break
        return schema

    def keyed(self, schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What stands under each name of a table whose names are free; None if it is none."""
        inner = schema.get("additionalProperties")
        if not isinstance(inner, Mapping):
            return None
        found = self.resolved(inner)
        return found if "properties" in found else None

    def is_nested(self, schema: Mapping[str, Any]) -> bool:
        """Whether a part has parts of its own."""
        if schema.get("type") == "array":
            return "properties" in self.resolved(schema.get("items", {}))
        return "properties" in schema or self.keyed(schema) is not None

    def empty(self, schema: Mapping[str, Any], depth: int = 0) -> Any:
        """A part with what it needs, not yet filled in; numbers of one's own are assumed."""
        if "properties" in schema and depth < MOST_DEEP:
            known, needed = schema["properties"], [*schema.get("required", ())]
            made = {n: self.empty(self.resolved(known[n]), depth + 1) for n in needed}
            return made | ({"status": "assumed", "reason": ""} if "reason" in known else {})
        if "enum" in schema:
            return schema["enum"][0]
        return {"array": [], "object": {}, "number": 0.0, "integer": 0, "boolean": False}.get(
            str(schema.get("type")), ""
        )

    def words_of(self, place: Place) -> str:
        """A place of the file in the words of the form."""
        schema, words = self.whole, list[str]()
        for part in place:
            if isinstance(part, int):
                words[-1] += f" {part + 1}"
                schema = self.resolved(schema.get("items", {}))
                continue
            told = schema.get("properties", {}).get(part, schema.get("additionalProperties"))
            known = isinstance(told, Mapping)
            words.append(title_of(part, told) if known and "properties" in schema else part)
            schema = self.resolved(told) if isinstance(told, Mapping) else {}
        return ", ".join(words)


def place_of(loc: tuple[str | int, ...], text: str, raw: Any) -> Place:
    """The place of a fault; checks of the whole file write places with points between.

    A text that begins with the name of a field is about that field.
    """
    found: list[str | int] = [part for part in loc if part != "[key]"]
    if len(loc) == 1 and isinstance(loc[0], str):
        found = [int(p) if p.isdigit() else p for p in loc[0].split(".")]
    part: Any = raw
    for step in found:
        is_there = isinstance(part, Mapping) and step in part
        is_there |= isinstance(part, list) and isinstance(step, int) and step < len(part)
        part = part[step] if is_there else None
    name = FIRST_NAME.match(text)
    if name is not None and isinstance(part, Mapping) and name[1] in part:
        found.append(name[1])
    return tuple(found)


def title_of(name: str, told: Mapping[str, Any] | None) -> str:
    """What a part is called: by its schema, or else by its name in the file."""
    plain = name.replace("_", " ")
    title = str((told or {}).get("title", plain))
    return plain if title == plain.title() else title  # a title that nobody wrote


def first_capital(text: str) -> str:
    """A text with a large first letter."""
    return text[:1].upper() + text[1:]


def key_of(path: Place) -> str:
    """A place as the name of a field."""
    return "-".join(map(str, path))


def shown_field(value: Any) -> str:
    """A value as a field shows it: shares as ``3+ = 0.9, 2+ = 0.1``, lists with commas."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {_shown_number(share)}" for name, share in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return _shown_number(value)


def _shown_number(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def read_field(kind: str, told: Any) -> Any:
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
        found = {name.strip(): _number(value.strip()) for name, _, value in pairs}
        return found if len(found) == len(pairs) else text  # a group told twice is a fault
    return text


def _number(text: str) -> Any:
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() and "." not in text else value
