"""Departures of a record from the label, as they are reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from her2sim.notice import NOTICE

Code = Literal[
    "missing_baseline_lvef",
    "overdue_lvef",
    "dose_during_hold",
    "dose_after_stop",
    "missing_reload",
    "needless_reload",
    "dose_off_by_10pct",
    "wrong_interval",
    "missing_loading",
    "forbidden_comedication",
    "resumed_too_early",
    "wrong_dose_level",
    "unknown_drug",
    "wrong_route",
    "forbidden_combination",
]


@dataclass(frozen=True)
class Departure:
    """A line of the record that departs from the label."""

    row: int
    patient: str
    date: str
    code: Code
    found: str
    expected: str
    rule_id: str
    region: str
    source: str
    rule_status: str


@dataclass(frozen=True)
class CheckReport:
    """All departures of a record, what could not be checked, and how much was looked at."""

    departures: tuple[Departure, ...]
    notes: tuple[str, ...]
    n_patients: int
    n_entries: int

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        return {
            "departures": [vars(d) for d in self.departures],
            "n": len(self.departures),
            "notes": list(self.notes),
            "notice": NOTICE,
        }
