"""Dose lists become schedule rows: infusions that overlap add up, ends are computed once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from her2sim.engine.schedule import Action, Row


@dataclass(frozen=True)
class PlannedDose:
    """An amount into a state: a bolus, or an infusion with a rate and an end.

    ``target`` is the state; times are in days; for an infusion ``rate_per_day`` is above zero.
    """

    target: int
    start_day: float
    amount: float
    rate_per_day: float = 0.0
    end_day: float = 0.0

    @property
    def is_infusion(self) -> bool:
        """Whether it runs over time."""
        return self.rate_per_day > 0


@dataclass
class RunningInfusions:
    """Infusions that run now; the rate of a state is their sum, exactly zero when none is left."""

    running: list[PlannedDose]

    def rate(self, target: int) -> float:
        """Total rate into a state."""
        return sum((d.rate_per_day for d in self.running if d.target == target), 0.0)

    def start(self, dose: PlannedDose) -> Row:
        """Row for the start of an infusion."""
        self.running.append(dose)
        return (dose.start_day, Action.INFUSION, dose.target, self.rate(dose.target))

    def end(self, dose: PlannedDose) -> Row:
        """Row for the end of an infusion."""
        self.running.remove(dose)
        return (dose.end_day, Action.INFUSION, dose.target, self.rate(dose.target))


def dose_rows(doses: Iterable[PlannedDose]) -> list[Row]:
    """Rows of doses in order of time; at one time ends come before starts, then list order."""
    changes: list[tuple[float, int, int, PlannedDose]] = []
    for order, dose in enumerate(doses):
        changes.append((dose.start_day, 1, order, dose))
        if dose.is_infusion:
            changes.append((dose.end_day, 0, order, dose))
    infusions = RunningInfusions([])
    rows: list[Row] = []
    for time, is_start, _, dose in sorted(changes, key=lambda c: c[:3]):
        if not dose.is_infusion:
            rows.append((time, Action.BOLUS, dose.target, dose.amount))
        elif is_start:
            rows.append(infusions.start(dose))
        else:
            rows.append(infusions.end(dose))
    return rows
