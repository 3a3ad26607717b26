"""Supply that fails: a drug that is not to be had for some weeks, or now and then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array
from her2sim.errors import DataError
from her2sim.patients.cohort import Cohort
from her2sim.random import Purpose, codes_by
from her2sim.regimens.regimen import Phase

Policy = Literal["delay", "skip", "substitute"]
POLICIES: tuple[Policy, ...] = ("delay", "skip", "substitute")
Reloading = Literal["label", "never"]


@dataclass(frozen=True)
class Shortage:
    """When a drug is missing, and what is done then.

    From ``from_day`` up to ``until_day`` it is missing at each visit with a ``probability``.
    ``delay``: it is asked for again every ``retry_day`` days. ``skip``: the dose is left out.
    ``substitute``: another form of the drug is given by ``instead``. A late dose is a loading dose
    by the label's clock, which counts from the first dose that was missed, or ``never``.
    """

    drug: str
    policy: Policy
    from_day: float = 0.0
    until_day: float = np.inf
    probability: float = 1.0
    reload: Reloading = "label"
    retry_day: float = 7.0
    instead: Phase | None = None

    def __post_init__(self) -> None:
        if not 0 < self.probability <= 1:
            raise DataError(f"a probability of {self.probability:g}: use above 0 to 1")
        if self.from_day < 0:
            raise DataError(f"a shortage from week {self.from_day / 7:g}: use 0 or later")
        if not self.from_day < self.until_day:
            raise DataError(
                f"a shortage from week {self.from_day / 7:g} to {self.until_day / 7:g}: "
                "the end must come later"
            )
        if (self.policy == "substitute") != (self.instead is not None):
            raise DataError("a substitute is needed for the policy substitute, and for no other")

    def is_missing(self, day: Array, cohort: Cohort, who: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which patients do not get the drug, each on a day of its own, shape (n of who,)."""
        found: NDArray[np.bool_] = (day >= self.from_day) & (day < self.until_day)
        if self.probability == 1 or not found.any():
            return found
        names = codes_by(lambda one: f"supply:{self.drug}:{one:g}", day)
        drawn = cohort.stream(Purpose.VISITS).of(who).uniform(names)
        return found & (drawn < self.probability)
