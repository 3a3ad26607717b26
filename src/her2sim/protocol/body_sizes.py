"""Weights and heights of a record, by day."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

from her2sim.protocol.record import Entry


class BodySizes:
    """Weights and heights of a patient, each with its day."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._told: dict[str, tuple[list[int], list[float]]] = {}
        for entry in sorted(entries, key=lambda e: e.day):
            if entry.kind == "lab" and entry.test in ("weight", "height") and entry.value:
                days, values = self._told.setdefault(entry.test, ([], []))
                days.append(entry.day)
                values.append(entry.value)

    def at(self, name: str, day: int) -> tuple[float, int] | None:
        """The last value until a day, and how old it is; None if there is none."""
        days, values = self._told.get(name, ([], []))
        place = bisect.bisect_right(days, day)
        return None if not place else (values[place - 1], day - days[place - 1])
