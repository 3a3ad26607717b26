"""Doses: complete records of drug, route, amount, time and duration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from her2sim.errors import DoseError

if TYPE_CHECKING:
    from her2sim.patients.cohort import Cohort

Route = Literal["iv", "sc", "oral"]
ROUTES: tuple[Route, ...] = ("iv", "sc", "oral")
AmountUnit = Literal["mg", "mg/kg", "mg/m2"]

MINUTES_PER_DAY = 1440
_SCALED_BY = {"mg": None, "mg/kg": "weight_kg", "mg/m2": "bsa_m2"}

LARGEST_AMOUNT = {"mg": 20_000.0, "mg/kg": 100.0, "mg/m2": 10_000.0}
"""No HER2 medicine or partner comes near these; more is taken for a slip of the unit."""


def size_needed(unit: str) -> str | None:
    """Characteristic that an amount in a unit is multiplied with; None for mg."""
    return _SCALED_BY[unit]


def mg_of(amount: Any, unit: str, characteristic: Callable[[str], Any]) -> Any:
    """An amount in mg: as it is, by body weight or by body surface.

    Parameters
    ----------
    amount : a number or an array
    unit : ``mg``, ``mg/kg`` or ``mg/m2``
    characteristic : gives weight (kg) or surface (m2) by its name in the register
    """
    name = size_needed(unit)
    return amount if name is None else amount * characteristic(name)


@dataclass(frozen=True)
class Dose:
    """One dose. Times are whole minutes; ``duration_min`` 0 is a bolus (or SC, or oral)."""

    drug: str
    route: Route
    amount: float
    unit: AmountUnit
    time_min: int
    duration_min: int = 0

    def __post_init__(self) -> None:
        where = f"{self.drug} {self.amount:g} {self.unit} at minute {self.time_min}"
        if not self.amount > 0:
            raise DoseError(f"{where}: an amount must be above zero")
        if self.amount > LARGEST_AMOUNT[self.unit]:
            raise DoseError(
                f"{where}: more than {LARGEST_AMOUNT[self.unit]:g} {self.unit}; check the unit"
            )
        if self.duration_min < 0:
            raise DoseError(f"{where}: an infusion cannot last {self.duration_min} minutes")
        if self.duration_min and self.route != "iv":
            raise DoseError(f"{where}: only intravenous doses have a duration")

    @property
    def time_day(self) -> float:
        """Start in days."""
        return self.time_min / MINUTES_PER_DAY

    @property
    def end_day(self) -> float:
        """End in days."""
        return (self.time_min + self.duration_min) / MINUTES_PER_DAY

    def mg_for(self, cohort: Cohort) -> Any:
        """The amount in mg of each patient of a cohort, shape (n,), or one number for all."""
        return mg_of(self.amount, self.unit, cohort.covariate)
