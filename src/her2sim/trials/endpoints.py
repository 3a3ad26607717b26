"""Endpoints of a trial from the outcomes of its patients, as they were observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Mask, Positions
from her2sim.biology.blood import CTCAE_LIMITS
from her2sim.drugs.toxicity import Line
from her2sim.early.events import event_days, first_events
from her2sim.trials.measures import SUBGROUPS
from her2sim.trials.survival import KaplanMeier, kaplan_meier
from her2sim.trials.trial import Trial
from her2sim.units import DAY_PER_MONTH
from her2sim.virtual_patient.outcomes import CONFIRMED_FALL, Column, PatientOutcomes

LINES_OF_EVENTS: Mapping[str, Line] = {
    "neutropenia": "neutrophils",
    "thrombocytopenia": "platelets",
}
HAZARDS = {
    "heart_failure": "heart_failure",
    "febrile_neutropenia": "febrile_neutropenia",
    "ild": "lung_hazard",
}
"""Adverse events whose day is that of a modelled hazard."""
LVEF_FALLS: Mapping[str, tuple[str, ...]] = {
    "lvef_below_50": ("lvef_below_50",),
    "lvef_drop": ("lvef_drop",),
    "lvef_drop_16": ("lvef_drop_16",),
    "lvef_drop_confirmed": (CONFIRMED_FALL,),
    "lvef_points_10_to_20": ("lvef_points_10", "lvef_points_20"),
    "lvef_points_20": ("lvef_points_20",),
}
"""Falls of the LVEF behind an adverse event; of two, the first counts without the second."""


EARLY_COLUMNS = ("relapse_day", "site", "contralateral_day", "other_cancer_day", "death_day")
"""Columns of events of early disease."""


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
    """Outcomes of the patients of an arm as a trial observes them.

    ``column`` gives a column of :func:`her2sim.trials.arm.run_arm` by name, over all patients;
    ``patients`` are their outcomes, observed or not.
    """

    def __init__(self, trial: Trial, column: Column, names: frozenset[str]) -> None:
        self.trial, self._column = trial, column
        self.patients = PatientOutcomes(column, names)
        self.has_deaths = "death_day" in names
        self.is_early = "is_enrolled" in names

    def _numbers(self, name: str) -> Array:
        return np.asarray(self._column(name), dtype=np.float64)

    @property
    def n_enrolled(self) -> int:
        """Patients that are in the trial: all, but in early disease."""
        if not self.is_early:
            return int(self.replicate.size)
        return int(np.asarray(self._column("is_enrolled"), dtype=bool).sum())

    @property
    def replicate(self) -> NDArray[np.int64]:
        """Replicate of each patient."""
        return np.asarray(self._column("replicate"), dtype=np.int64)

    @property
    def member(self) -> NDArray[np.int64]:
        """Member of the ensemble of each patient."""
        return np.asarray(self._column("member"), dtype=np.int64)

    def until_day(self, follow_up_month: float | None = None) -> Array:
        """Where observation of each patient ends without an event.

        ``follow_up_month``: at an earlier data cut, so many months after the last patient came in.
        """
        cut = self._numbers("cut_day")
        if follow_up_month is not None:
            earlier = self.trial.design.follow_up.to("month") - follow_up_month
            cut = cut - earlier * DAY_PER_MONTH
        found: Array = np.minimum(cut, self._numbers("lost_day"))
        return found

    def times(self, endpoint: str, follow_up_month: float | None = None) -> Times:
        """Times of ``PFS``, ``TTP``, ``OS``, or ``DoR`` (NaN for those without a response).

        In early disease those of STEEP, from the clock of the trial.

        ``follow_up_month``: as at an earlier data cut (:meth:`until_day`).
        """
        until = self.until_day(follow_up_month)
        if self.is_early:
            return self._early_times(endpoint, until)
        progressed = self.patients.scanned("progressed_day")
        death = self._numbers("death_day")
        start: Array | float = 0.0
        if endpoint == "OS":
            event_day = death
        elif endpoint == "TTP":
            event_day, until = progressed, np.minimum(until, death)
        else:
            event_day = np.minimum(progressed, death)
        if endpoint == "DoR":
            start = np.where(self.responded("ORR"), self.patients.scanned("response_day"), np.nan)
        observed = event_day <= until
        days = np.where(observed, event_day, until) - start
        return Times(np.maximum(days, 0.0) / DAY_PER_MONTH, observed)

    def first_events(self) -> tuple[Array, Positions]:
        """Months to the first event of early disease and its place in ``FIRST_EVENTS``.

        -1 where observation ended without one; months are NaN for those who were not enrolled.
        """
        day, cause = first_events({name: self._column(name) for name in EARLY_COLUMNS})
        until = self.until_day()
        is_enrolled = np.asarray(self._column("is_enrolled"), dtype=bool)
        month = np.where(is_enrolled, np.maximum(np.minimum(day, until), 0.0), np.nan)
        return month / DAY_PER_MONTH, np.where((day <= until) & is_enrolled, cause, -1)

    def _early_times(self, endpoint: str, until: Array) -> Times:
        """Times of an endpoint of early disease; NaN for those who were not enrolled."""
        event_day, ends = event_days({name: self._column(name) for name in EARLY_COLUMNS}, endpoint)
        until = np.minimum(until, ends)
        observed = event_day <= until
        days = np.where(observed, event_day, until)
        is_enrolled = np.asarray(self._column("is_enrolled"), dtype=bool)
        days = np.where(is_enrolled, np.maximum(days, 0.0), np.nan)
        return Times(days / DAY_PER_MONTH, observed & is_enrolled)

    def responded(self, endpoint: str) -> Mask:
        """Who had a response (``ORR``, ``bpCR``, ``tpCR``) or a complete one (``CR``)."""
        if self.is_early:
            return np.asarray(self._column(endpoint.lower()), dtype=bool)
        kinds = {"ORR": ("response", "confirmed"), "CR": ("complete", "complete_confirmed")}
        kind = kinds[endpoint][self.trial.response == "confirmed"]
        found: Mask = self.patients.scanned(f"{kind}_day") <= self.until_day()
        return found

    def had(self, event: str, grade: str = "any", until_month: float | None = None) -> Mask | None:
        """Who had an adverse event of at least a grade.

        None if the model does not have it in this arm, or if nobody was tested for it
        (:meth:`is_unmeasured`); in an arm where some were tested, the others had none, as in
        trials. Until a month only those are counted whose days are known.
        """
        least = 1 if grade == "any" else int(grade)
        if self.is_unmeasured(event):
            return None
        if event in HAZARDS or event in LVEF_FALLS:
            came = self._came(event, until_month)
            return came if came is None or least == 1 else came & self._graded(event, least)
        if event in LINES_OF_EVENTS:
            line = LINES_OF_EVENTS[event]
            nadir = self.patients.nadir_count(line)
            if nadir is None or least not in CTCAE_LIMITS[line]:
                return None
            return np.asarray(nadir < CTCAE_LIMITS[line][least])
        if event == "discontinuation":
            stopped = [self.patients.drug(drug).is_stopped for drug in self.patients.drugs]
            return np.any(np.nan_to_num(stopped) > 0, axis=0) if stopped else None
        return self._graded(event, least) if self.patients.worst_grade(event) is not None else None

    def _graded(self, event: str, least: int) -> Mask:
        """Who had an event of at least a grade, whenever it came."""
        worst = self.patients.worst_grade(event)
        assert worst is not None
        return np.asarray(np.nan_to_num(worst) >= least)

    def is_unmeasured(self, event: str) -> bool:
        """Whether the model has a fall of the LVEF, but the LVEF of nobody was ever measured."""
        first = self.patients.first_lvef
        return event in LVEF_FALLS and first is not None and bool(np.isnan(first).all())

    def _came(self, event: str, until_month: float | None) -> Mask | None:
        """Who had an event of a day while observed, until a month."""
        if event in HAZARDS:
            days = [self.patients.event_day(HAZARDS[event])]
        else:
            days = [self.patients.lvef_fall_day(name) for name in LVEF_FALLS[event]]
        known = [day for day in days if day is not None]
        if not known:
            return None
        until = self.until_day()
        if until_month is not None:
            until = np.minimum(until, until_month * DAY_PER_MONTH)
        came: Mask = known[0] <= until
        for beyond in known[1:]:
            came &= ~(beyond <= until)
        return came

    def group(self, name: str | None) -> Mask:
        """Who belongs to a group of patients; all without a name."""
        if name is None:
            return np.ones(self.member.size, dtype=bool)
        trait, values = SUBGROUPS[name]
        of_trait = np.asarray(self._column(trait))
        if of_trait.dtype.kind == "f":
            is_above = of_trait > np.median(of_trait)
            of_trait = np.where(is_above, "above", "below")
        of_trait = of_trait.astype(str)
        wanted = {*values, *(value.lower() for value in values)}
        return np.isin(of_trait, sorted(wanted))
