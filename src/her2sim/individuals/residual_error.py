"""The scatter of measurements around an individual prediction, as it enters a likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array, Mask, Positions
from her2sim.errors import DataError

TINY = 1e-12
"""Nothing is taken to be lower where its logarithm is wanted."""
LARGE_SD = 1e3


@dataclass(frozen=True)
class ResidualError:
    """Residual error: on the logarithm, or proportional and additive.

    ``log_sd`` and ``proportional_sd`` are shares of the prediction, ``additive_sd`` is in the unit
    of what is measured.
    """

    log_sd: float = 0.0
    proportional_sd: float = 0.0
    additive_sd: float = 0.0

    def __post_init__(self) -> None:
        known = (self.log_sd, self.proportional_sd, self.additive_sd)
        if min(known) < 0 or max(known) == 0:
            raise DataError("residual error: give an SD above zero")
        if self.log_sd and (self.proportional_sd or self.additive_sd):
            raise DataError("residual error: on the logarithm, or proportional and additive")


@dataclass(frozen=True, eq=False)
class Scatter:
    """Residual errors of some measurements, one entry each."""

    is_log: Mask
    log_sd: Array
    proportional_sd: Array
    additive_sd: Array

    @staticmethod
    def of(errors: Sequence[ResidualError], kind: Positions) -> Scatter:
        """Errors of measurements of several kinds; ``kind`` is the place in ``errors``."""
        columns = [
            np.array([getattr(e, name) for e in errors])[kind]
            for name in ("log_sd", "proportional_sd", "additive_sd")
        ]
        return Scatter(columns[0] > 0, *columns)

    def take(self, rows: Positions) -> Scatter:
        """Those of some of the measurements."""
        return Scatter(**{name: values[rows] for name, values in vars(self).items()})

    def on_logarithm(self, measured: Array) -> Scatter:
        """About the same scatter, on the logarithm, around what was measured."""
        share = self.additive_sd / np.maximum(np.maximum(measured, self.additive_sd), TINY)
        sd = np.sqrt(self.log_sd**2 + self.proportional_sd**2 + share**2)
        sd = np.where(measured > 0, sd, LARGE_SD)  # a logarithm of zero tells nothing
        return Scatter(np.ones_like(self.is_log), sd, np.zeros_like(sd), np.zeros_like(sd))

    def scaled(self, values: Array) -> Array:
        """Values on the scale on which they are compared."""
        if not self.is_log.any():
            return values
        return np.where(self.is_log, np.log(np.maximum(values, TINY)), values)

    def slope(self, predicted: Array) -> Array:
        """Slope of the scale at a prediction."""
        return np.where(self.is_log, 1 / np.maximum(predicted, TINY), 1.0)

    def variance(self, predicted: Array) -> tuple[Array, Array]:
        """Variance on the scale of comparison at a prediction, and its slope by the prediction.

        A prediction of zero that has a proportional error only counts as one, so that it has any.
        """
        share, flat = self.proportional_sd**2, self.additive_sd**2
        alone = (flat == 0) & ~self.is_log & (predicted == 0)
        usual = np.where(alone, 1.0, predicted)
        found = np.where(self.is_log, self.log_sd**2, share * usual**2 + flat)
        return found, np.where(self.is_log, 0.0, 2 * share * usual)

    def observed(self, predicted: Array, scores: Array) -> Array:
        """What would be measured, from standard normal scores; below zero is zero."""
        sd = np.sqrt(self.variance(predicted)[0])
        on_log = np.maximum(predicted, TINY) * np.exp(self.log_sd * scores)
        return np.where(self.is_log, on_log, np.maximum(predicted + sd * scores, 0.0))
