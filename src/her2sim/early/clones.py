"""Clones of hidden spread: how few they became, whether they died out, when they are found.

A clone is a number of cells; when a treatment leaves n of them, none is left with the probability
exp(-n), and a clone that died out never grows again. Without drugs the law of growth has a closed
form; under drugs the lesion model is integrated.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from her2sim.arrays import Array, Mask
from her2sim.biology.early_disease import (
    CLONES,
    LOG_UNIT,
    EarlyTumours,
    early_number,
    log_clones,
)

NOTHING = -700.0
"""Logarithm of the cells of a clone that there never was."""
MOST_RESCUED = 15.0
"""Largest logarithm by which survivors are more than the mean of all."""


@dataclass(eq=False)
class Clones:
    """Clones of some spread in each patient.

    ``now`` and ``least`` are logarithms of cells, now and the least so far, shape (3, n); ``found``
    is the day on which living cells reached the size at which they are found, infinite without;
    ``fate`` draws from 0 to 1 decide who dies out, shape (3, n).
    """

    now: Array
    least: Array
    fate: Array
    found: Array
    largest: float = field(default_factory=lambda: early_number("log_largest_cells"))
    detected: float = field(default_factory=lambda: early_number("log_detected_cells"))

    @staticmethod
    def of(early: EarlyTumours, log_cells: Array) -> Clones:
        """Those of patients at a number of cells, none yet found."""
        start = np.maximum(log_clones(log_cells, early.shares), NOTHING)
        fate = np.array([early.uniform(f"fate of clone {clone}") for clone in CLONES])
        return Clones(start, start.copy(), fate, np.full(log_cells.size, np.inf))

    @property
    def span(self) -> float:
        """Logarithm of the largest volume over the unit of the lesion model: it scales growth."""
        return self.largest - LOG_UNIT

    @property
    def is_alive(self) -> Mask:
        """Which clones did not die out, shape (3, n)."""
        alive: Mask = self.fate > np.exp(-np.exp(np.minimum(self.least, 20.0)))
        return alive & (self.now > NOTHING)

    @property
    def total(self) -> Array:
        """Logarithm of all cells as the law of growth has them, shape (n,)."""
        found: Array = np.logaddexp.reduce(self.now, axis=0)
        return found

    def living(self) -> Array:
        """Logarithm of the cells of the clones that did not die out, given that they did not."""
        cells = np.exp(np.minimum(self.least, 20.0))
        with np.errstate(divide="ignore"):
            rescued = -np.log(-np.expm1(-np.maximum(cells, 1e-9)))
        own = np.where(self.is_alive, self.now + np.minimum(rescued, MOST_RESCUED), NOTHING)
        found: Array = np.logaddexp.reduce(own, axis=0)
        return found

    def move(self, days: Array, course: Array) -> None:
        """Follow clones that were integrated: ``course`` (3, n_days, n) on ``days`` (n_days,)."""
        day_before, living_before = float("nan"), self.living()
        for number, day in enumerate(days):
            self.now = np.maximum(course[:, number], NOTHING)
            np.minimum(self.least, self.now, out=self.least)
            living = self.living()
            crosses = (living >= self.detected) & np.isinf(self.found)
            if crosses.any():
                share = np.ones(crosses.size)
                if number:
                    rise = np.maximum(living - living_before, 1e-9)
                    share = np.clip((self.detected - living_before) / rise, 0.0, 1.0)
                start = day if np.isnan(day_before) else day_before
                self.found = np.where(crosses, start + share * (day - start), self.found)
            day_before, living_before = float(day), living

    def grow(self, rate: Array, from_day: float, until_day: float) -> None:
        """Let all clones grow without a drug; ``rate`` per day is that of a small tumour, (n,).

        Gompertz: ln N goes to its limit with a rate constant of growth over the span of the lesion
        model.
        """
        self._mark(rate, from_day, until_day)
        days, total = until_day - from_day, self.total
        room = np.maximum(self.largest - total, 0.0)
        risen = room * -np.expm1(-rate / self.span * days)
        self.now = self.now + risen

    def _mark(self, rate: Array, from_day: float, until_day: float) -> None:
        """Note who is found while growing without a drug."""
        living = self.living()
        missing = self.largest - np.minimum(living, self.detected)
        with np.errstate(divide="ignore", invalid="ignore"):
            takes = np.log(missing / (self.largest - self.detected)) / (rate / self.span)
        day = from_day + np.where(living > NOTHING / 2, takes, np.inf)
        reached = np.isinf(self.found) & (day < until_day)
        self.found = np.where(reached, day, self.found)
