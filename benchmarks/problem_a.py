"""Problem A: a year of trastuzumab every three weeks, in every engine that pip installs.

Two compartments, linear and Michaelis-Menten elimination, AUC; log-normal variability between
patients; 18 infusions; concentration and AUC on a daily grid of 378 days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TYPICAL = {"cl": 0.127, "vc": 2.62, "q": 0.544, "vp": 2.97, "vmax": 8.81, "km": 8.92}
CV = {"cl": 0.4, "vc": 0.25, "q": 0.2, "vp": 0.4, "vmax": 0.2, "km": 0.4}
N_DOSES, INTERVAL_DAY, FIRST_DAY, LATER_DAY = 18, 21.0, 90 / 1440, 30 / 1440
GRID_DAY = np.arange(0.0, 379.0)


@dataclass(frozen=True)
class Patients:
    """Parameters by name and weight, shape (n,) each."""

    parameters: dict[str, np.ndarray]
    weight_kg: np.ndarray

    @property
    def n(self) -> int:
        return self.weight_kg.size

    def head(self, n: int) -> Patients:
        return Patients({k: v[:n] for k, v in self.parameters.items()}, self.weight_kg[:n])

    def matrix(self) -> np.ndarray:
        """Shape (n, 7): cl vc q vp vmax km weight."""
        return np.column_stack([*(self.parameters[k] for k in TYPICAL), self.weight_kg])


def draw(n: int, seed: int = 1) -> Patients:
    rng = np.random.default_rng(seed)
    spread = {k: np.sqrt(np.log1p(v**2)) for k, v in CV.items()}
    parameters = {k: v * np.exp(spread[k] * rng.standard_normal(n)) for k, v in TYPICAL.items()}
    return Patients(parameters, np.clip(rng.normal(70, 15, n), 35, 130))


def segments() -> list[tuple[float, float, float]]:
    """(start, end, infusion rate in mg/kg/day) between the starts and ends of infusions."""
    pieces = []
    for k in range(N_DOSES):
        start, length = k * INTERVAL_DAY, FIRST_DAY if k == 0 else LATER_DAY
        dose = 8.0 if k == 0 else 6.0
        pieces.append((start, start + length, dose / length))
        pieces.append((start + length, start + INTERVAL_DAY, 0.0))
    return pieces
