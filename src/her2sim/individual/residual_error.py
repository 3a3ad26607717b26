"""The scatter of measurements around an individual prediction, as it enters a likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array
from her2sim.errors import DataError


@dataclass(frozen=True)
class ResidualError:
    """Residual error: on the logarithm, or proportional and additive.

    ``log_sd`` and ``proportional_sd`` are shares of the prediction, ``additive_sd`` is in the unit
    of the concentration.
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

    @property
    def is_log(self) -> bool:
        """Whether logarithms are compared."""
        return self.log_sd > 0

    def scaled(self, values: Array) -> Array:
        """Values on the scale on which they are compared."""
        return np.log(np.maximum(values, TINY)) if self.is_log else values

    def slope(self, predicted: Array) -> Array:
        """Slope of the scale at a prediction."""
        return 1 / np.maximum(predicted, TINY) if self.is_log else np.ones(predicted.shape)

    def variance(self, predicted: Array) -> tuple[Array, Array]:
        """Variance on the scale of comparison at a prediction, and its slope by the prediction."""
        if self.is_log:
            return np.full(predicted.shape, self.log_sd**2), np.zeros(predicted.shape)
        share, flat = self.proportional_sd**2, self.additive_sd**2
        if flat == 0:  # as a prediction of zero would have no error
            predicted = np.where(predicted == 0, 1.0, predicted)
        return share * predicted**2 + flat, 2 * share * predicted


TINY = 1e-12
