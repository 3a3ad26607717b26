"""Endpoints of a trial from the outcomes of its patients, as they were observed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Mask
from her2sim.biology.blood import CTCAE_LIMITS
from her2sim.trials.measures import SUBGROUPS
from her2sim.trials.survival import KaplanMeier, kaplan_meier
from her2sim.trials.trial import Trial
from her2sim.units import DAY_PER_MONTH

Column = Callable[[str], NDArray[np.generic]]
LINES_OF_EVENTS = {"neutropenia": "neutrophils", "thrombocytopenia": "platelets"}
DATED_EVENTS: Mapping[str, tuple[str, ...]] = {
    "heart_failure": ("event:heart_failure",),
    "febrile_neutropenia": ("event:febrile_neutropenia",),
    "ild": ("event:lung_hazard",),
    "lvef_below_50": ("day:lvef_below_50",),
    "lvef_drop": ("day:lvef_drop",),
    "lvef_drop_16": ("day:lvef_drop_16",),
    "lvef_drop_confirmed": ("day:lvef_drop_confirmed",),
    "lvef_points_10_to_20": ("day:lvef_points_10", "day:lvef_points_20"),
    "lvef_points_20": ("day:lvef_points_20",),
}
"""Columns with the day of a harm; of two, the first counts without the second."""


@dataclass(frozen=True, eq=False)
class Times:
    """Months to an event, or to where observation ended; each of shape (n,)."""

    month: Array
    event: Mask

    def take(self, chosen: Mask) -> Times:
        """Those of some patients."""
        return Times(self.month[chosen], self.event[chosen])

    def curve(self) -> KaplanMeier:
        """Their survival curve, in months."""
        return kaplan_meier(self.month, self.event)


class ArmOutcomes:
    """Outcomes of the patients of an arm; columns are read when they are asked for.

    ``column`` gives a column of :func:`her2sim.trials.arm.run_arm` by name, over all patients.
    """

    def __init__(self, trial: Trial, column: Column, names: frozenset[str]) -> None:
        self.trial, self._column, self.names = trial, column, names

    def numbers(self, name: str) -> Array:
        """A column of numbers."""
        return np.asarray(self._column(name), dtype=np.float64)

    def has(self, name: str) -> bool:
        """Whether there is a column."""
        return name in self.names

    @property
    def member(self) -> NDArray[np.int64]:
        """Member of the ensemble of each patient."""
        return np.asarray(self._column("member"), dtype=np.int64)

    def until_day(self, follow_up_month: float | None = None) -> Array:
        """Where observation of each patient ends without an event.

        ``follow_up_month``: at an earlier data cut, so many months after the last patient came in.
        """
        cut = self.numbers("cut_day")
        if follow_up_month is not None:
            earlier = self.trial.design.follow_up.to("month") - follow_up_month
            cut = cut - earlier * DAY_PER_MONTH
        found: Array = np.minimum(cut, self.numbers("lost_day"))
        return found

    def times(self, endpoint: str, follow_up_month: float | None = None) -> Times:
        """Times of ``PFS``, ``TTP``, ``OS``, or ``DoR`` (NaN for those without a response).

        ``follow_up_month``: as at an earlier data cut (:meth:`until_day`).
        """
        until = self.until_day(follow_up_month)
        progressed = self.numbers("progressed_day")
        death = self.numbers("death_day")
        start: Array | float = 0.0
        if endpoint == "OS":
            event_day = death
        elif endpoint == "TTP":
            event_day, until = progressed, np.minimum(until, death)
        else:
            event_day = np.minimum(progressed, death)
        if endpoint == "DoR":
            start = np.where(self.responded("ORR"), self.numbers("response_day"), np.nan)
        observed = event_day <= until
        days = np.where(observed, event_day, until) - start
        return Times(np.maximum(days, 0.0) / DAY_PER_MONTH, observed)

    def responded(self, endpoint: str) -> Mask:
        """Who had a response (``ORR``) or a complete one (``CR``) while observed."""
        kinds = {"ORR": ("response", "confirmed"), "CR": ("complete", "complete_confirmed")}
        kind = kinds[endpoint][self.trial.response == "confirmed"]
        found: Mask = self.numbers(f"{kind}_day") <= self.until_day()
        return found

    def had(self, event: str, grade: str = "any", until_month: float | None = None) -> Mask | None:
        """Who had a harm of at least a grade.

        None if the model does not have it in this arm, or if nobody was tested for it
        (:meth:`is_unmeasured`); in an arm where some were tested, the others had none, as in
        trials.
        Until a month only those are counted whose days are known (:data:`DATED_EVENTS`).
        """
        least = 1 if grade == "any" else int(grade)
        if self.is_unmeasured(event):
            return None
        if event in DATED_EVENTS:
            came = self._came(event, until_month)
            if came is None or least == 1:
                return came
            return np.asarray(came & (np.nan_to_num(self.numbers(f"worst:{event}")) >= least))
        if event in LINES_OF_EVENTS:
            line = LINES_OF_EVENTS[event]
            if not self.has(f"nadir:{line}") or least not in CTCAE_LIMITS[line]:
                return None
            counts: Mask = self.numbers(f"nadir:{line}") < CTCAE_LIMITS[line][least]
            return counts
        if event == "discontinuation":
            drugs = [name for name in self.names if name.startswith("stopped:")]
            stopped = [np.nan_to_num(self.numbers(name)) > 0 for name in sorted(drugs)]
            return np.any(stopped, axis=0) if stopped else None
        if not self.has(f"worst:{event}"):
            return None
        graded: Mask = np.nan_to_num(self.numbers(f"worst:{event}")) >= least
        return graded

    def is_unmeasured(self, event: str) -> bool:
        """Whether the model has a fall of the LVEF, but the LVEF of nobody was ever measured."""
        is_of_lvef = event in DATED_EVENTS and DATED_EVENTS[event][0].startswith("day:lvef")
        if not is_of_lvef or not self.has("lvef_first"):
            return False
        return bool(np.isnan(self.numbers("lvef_first")).all())

    def _came(self, event: str, until_month: float | None) -> Mask | None:
        """Who had an event of a day while observed, until a month."""
        names = DATED_EVENTS[event]
        if not self.has(names[0]):
            return None
        until = self.until_day()
        if until_month is not None:
            until = np.minimum(until, until_month * DAY_PER_MONTH)
        came: Mask = self.numbers(names[0]) <= until
        for beyond in names[1:]:
            came &= ~(self.numbers(beyond) <= until)
        return came

    def group(self, name: str | None) -> Mask:
        """Who belongs to a group of patients; all without a name."""
        if name is None:
            return np.ones(self.member.size, dtype=bool)
        trait, values = SUBGROUPS[name]
        of_trait = np.asarray(self._column(trait)).astype(str)
        wanted = {*values, *(value.lower() for value in values)}
        return np.isin(of_trait, sorted(wanted))
