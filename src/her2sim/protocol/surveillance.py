"""Surveillance of the heart: how often ESC 2022 looks at it, by setting and risk."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
from pydantic import Field

from her2sim.facts import Claim, FactFile, read_fact_file
from her2sim.patients.cardiac_risk import Risk
from her2sim.patients.covariates import Setting

YEAR_DAY = 364


class Surveillance(Claim):
    """How often ESC 2022 looks at the heart, for a setting and risk."""

    test: str
    setting: Setting
    risk: tuple[Risk, ...]
    every_days: int | None = Field(default=None, gt=0)
    then_every_days: int | None = Field(default=None, gt=0)
    after_end_months: tuple[int, ...] = ()
    grade: Literal["I", "IIa", "IIb"] = Field(alias="class")

    def days(self, last_day: float) -> Iterator[float]:
        """Days of the test; the first is before the first dose."""
        yield 0.0
        day = float(self.every_days or np.inf)
        while day <= last_day:
            yield day
            late = self.then_every_days is not None and day >= YEAR_DAY
            day += (self.then_every_days if late else self.every_days) or np.inf


class Guideline(FactFile):
    """Rows of ESC 2022."""

    timing: str
    row: tuple[Surveillance, ...]


@cache
def esc_2022() -> Guideline:
    """The rows that come with her2sim."""
    return read_fact_file(files("her2sim.protocol").joinpath("esc_2022.toml"), Guideline)
