"""Faults of a trial file, gathered from its fields and from what does not fit together."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError


def own_faults(error: ValidationError) -> list[ErrorDetails]:
    """Faults without those that only follow: a list is not short because its rows have faults."""
    rows = error.errors()
    return [
        row
        for row in rows
        if row["type"] != "too_short"
        or not any(len(o["loc"]) > len(row["loc"]) and o["loc"][: len(row["loc"])] == row["loc"]
                   for o in rows)
    ]  # fmt: skip


def again(fault: Any) -> InitErrorDetails:
    """A fault of a field, to be raised once more beside others."""
    return InitErrorDetails(
        type=fault["type"], loc=fault["loc"], input=fault["input"], ctx=fault.get("ctx", {})
    )


def fault_at(place: str, text: str, data: Any) -> InitErrorDetails:
    """A fault of ours at a place of the file."""
    kind = PydanticCustomError("value_error", "{text}", {"text": text})
    return InitErrorDetails(type=kind, loc=(place,), input=data)
