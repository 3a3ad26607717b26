"""A real treatment record: doses, laboratory values and events of patients, day by day."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Kind = Literal["dose", "lab", "event"]
KINDS: tuple[Kind, ...] = ("dose", "lab", "event")

LAB_UNITS = {
    "lvef": "%",
    "weight": "kg",
    "height": "cm",
    "platelets": "1/nL",
    "neutrophils": "1/nL",
    "ast": "ULN",
    "alt": "ULN",
    "bilirubin": "ULN",
    "alkaline_phosphatase": "ULN",
    "diarrhoea_days": "day",
    "diarrhoea_complicated": "1",
    "on_antidiarrhoeal": "1",
}
"""Laboratory tests of a record, what is known of a diarrhoea, and their unit."""

EVENTS = {
    "diarrhoea": "diarrhoea_grade",
    "ild": "ild_grade",
    "infusion_reaction": "infusion_reaction_grade",
    "neuropathy": "neuropathy_grade",
    "heart_failure": "heart_failure",
    "fever": "fever",
    "other": "other_grade",
}
"""Events of a record, and the variable of rules that their grade is."""


@dataclass(frozen=True)
class Entry:
    """One line of a record; ``row`` is its line in the file."""

    row: int
    patient: str
    date: datetime.date
    kind: Kind
    drug: str | None = None
    route: str | None = None
    dose_mg: float | None = None
    test: str | None = None
    value: float | None = None
    grade: float | None = None

    @cached_property
    def day(self) -> int:
        """Days on an absolute scale."""
        return self.date.toordinal()


def by_patient(entries: Sequence[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """Entries of each patient, in order of first appearance."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.patient, []).append(entry)
    yield from found.items()
