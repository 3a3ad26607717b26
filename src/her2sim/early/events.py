"""What becomes of patients after surgery: relapse, its first site, other cancers, and death.

Endpoints are those of STEEP: which events count, and which end observation.

Source
------
Hudis et al. 2007, J Clin Oncol 25:2127-2132 (STEEP).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Mask, Positions
from her2sim.biology.early_disease import EarlyTumours, early_number
from her2sim.units import DAY_PER_MONTH, DAY_PER_YEAR

Site = Literal["local", "distant", "cns"]
SITES: tuple[Site, ...] = ("local", "distant", "cns")
Event = Literal["local", "distant", "cns", "contralateral", "other_cancer", "death"]
RELAPSES: tuple[Event, ...] = ("local", "distant", "cns")

COUNTS: Mapping[str, tuple[Event, ...]] = {
    "DFS": (*RELAPSES, "contralateral", "other_cancer", "death"),
    "iDFS": (*RELAPSES, "contralateral", "other_cancer", "death"),
    "EFS": (*RELAPSES, "contralateral", "other_cancer", "death"),
    "RFS": (*RELAPSES, "death"),
    "DRFS": ("distant", "cns", "death"),
    "BCFI": (*RELAPSES, "contralateral"),
    "RFI": RELAPSES,
    "OS": ("death",),
}
"""Endpoints of early disease: which events count; others that end it are competing."""
ENDS: Mapping[str, tuple[Event, ...]] = {
    "BCFI": ("death",), "RFI": ("death",),
}  # fmt: skip
"""Events after which an endpoint is no longer observed."""
NEVER = np.inf


def event_days(columns: Mapping[str, NDArray[np.generic]], endpoint: str) -> tuple[Array, Array]:
    """Day of the first event that counts, and of the first that ends observation, shape (n,)."""

    def first(names: tuple[Event, ...]) -> Array:
        never = np.full(np.asarray(columns["death_day"]).size, NEVER)
        found: Array = np.min([never, *(_days(columns, name) for name in names)], axis=0)
        return found

    return first(COUNTS[endpoint]), first(ENDS.get(endpoint, ()))


FIRST_EVENTS: tuple[Event, ...] = (*RELAPSES, "contralateral", "other_cancer", "death")
"""Events of which the first counts in the cumulative incidence."""


def first_events(columns: Mapping[str, NDArray[np.generic]]) -> tuple[Array, Positions]:
    """Day of the first event of each patient, and which of ``FIRST_EVENTS`` it is, shape (n,)."""
    days = np.array([_days(columns, name) for name in FIRST_EVENTS])
    return days.min(axis=0), days.argmin(axis=0)


def _days(columns: Mapping[str, NDArray[np.generic]], name: Event) -> Array:
    """Day of an event of each patient, infinite without."""
    if name in SITES:
        relapse = np.asarray(columns["relapse_day"], dtype=np.float64)
        at_site: Array = np.where(np.asarray(columns["site"]).astype(str) == name, relapse, NEVER)
        return at_site
    return np.asarray(columns[f"{name}_day"], dtype=np.float64)


def after_surgery(
    early: EarlyTumours, relapse_day: Array, had_antibody: Mask, clock_day: float
) -> dict[str, NDArray[np.generic]]:
    """Other events of patients, and what follows a relapse; days from the clock.

    Parameters
    ----------
    early : tumours
    relapse_day : day of relapse from the start of all, infinite without
    had_antibody : who had an antibody against HER2 before
    clock_day : when the clock begins
    """
    relapse = relapse_day - clock_day

    def waits(name: str, hazard: str) -> Array:
        rate = early.value(hazard) / DAY_PER_YEAR
        found: Array = -np.log(early.uniform(name)) / rate
        return found

    cns = np.where(had_antibody, early_number("cns_first_antibody"), early_number("cns_first"))
    drawn, local = early.uniform("first site"), early_number("local_first")
    site = np.where(drawn < cns, "cns", np.where(drawn < cns + local, "local", "distant"))
    level = (-np.log(early.uniform("death after relapse")) / np.log(2)) ** (
        1 / early_number("after_relapse_shape")
    )
    after = relapse + early.value("after_relapse") * DAY_PER_MONTH * level
    death = np.minimum(after, waits("death without relapse", "death_without_relapse"))
    return {
        "relapse_day": np.where(relapse <= death, relapse, NEVER),
        "site": np.where(np.isfinite(relapse), site, "none"),
        "contralateral_day": waits("contralateral", "contralateral"),
        "other_cancer_day": waits("other cancer", "other_cancer"),
        "death_day": death,
    }
