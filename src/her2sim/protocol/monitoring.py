"""What a label has measured, how often, and for how long after the last dose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from her2sim.facts import FactModel
from her2sim.patients.covariates import Setting
from her2sim.protocol.label_row import LabelRow


class AfterEnd(FactModel):
    """Tests that go on after the last dose, from some months after it on.

    ``needs`` is what the patient was treated with (``prior_anthracycline``), before or in the
    regimen.
    """

    every_months: int = Field(gt=0)
    for_months: int = Field(gt=0)
    from_months: int = Field(default=0, ge=0)
    setting: Setting | None = None
    needs: str | None = None

    def months(self) -> range:
        """Months after the last dose at which a test is due."""
        return range(self.from_months + self.every_months, self.for_months + 1, self.every_months)


class MonitoringPace(FactModel):
    """How often something is measured until a day of the treatment."""

    every_days: float = Field(gt=0)
    until_day: float = Field(gt=0)


class Monitoring(LabelRow):
    """How often something is measured: at each dose or at an interval, and at the start.

    ``at_first`` are the paces of the first days, the earliest first; ``every_days`` follows them.
    """

    variable: str
    every_days: float | None = Field(default=None, gt=0)
    at_first: tuple[MonitoringPace, ...] = ()
    after_end: tuple[AfterEnd, ...] = ()

    @model_validator(mode="after")
    def _paces_follow(self) -> Monitoring:
        untils = [pace.until_day for pace in self.at_first]
        if untils and (self.every_days is None or untils != sorted(set(untils))):
            raise ValueError("paces follow each other, and every_days follows them")
        return self

    def interval_day(self, day: Any) -> NDArray[np.float64]:
        """Days to the next test from one on a day of the treatment, of the shape of ``day``.

        Infinite where the test belongs to a dose.
        """
        day = np.asarray(day, dtype=np.float64)
        found = np.full(day.shape, np.inf if self.every_days is None else self.every_days)
        for pace in reversed(self.at_first):
            found = np.where(day < pace.until_day, pace.every_days, found)
        return found

    def text(self) -> str:
        """How often, in words."""
        if self.every_days is None:
            return "at each dose"
        paces = [f"every {p.every_days:g} days until day {p.until_day:g}" for p in self.at_first]
        return ", then ".join([*paces, f"every {self.every_days:g} days"])

    def days(self, first: float, last: float) -> Iterator[float]:
        """Days of the tests from the first dose to the last."""
        day = first
        while day <= last:
            yield day
            day += float(self.interval_day(day - first))
