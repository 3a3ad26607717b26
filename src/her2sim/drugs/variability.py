"""Random effects of patients: how an individual differs from a typical patient like it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from her2sim.drugs.pk import PkModel
from her2sim.random import Purpose, Stream


def draw_random_effects(
    pk: PkModel, numbers: NDArray[np.int64], seed: int, replicate: int = 0
) -> dict[str, NDArray[np.float64]]:
    """Draw the random effects (log scale) of numbered patients.

    Returns
    -------
    dict from parameter to array of shape (n,)
    """
    names = pk.variability.names()
    if not names:
        return {}
    stream = Stream(seed, replicate, numbers, Purpose.ETAS)
    scores = np.stack([stream.normal(f"{pk.name}:{name}") for name in names])
    effects = dict(zip(names, np.linalg.cholesky(pk.variability.omega()) @ scores, strict=True))
    return effects | {name: effects[of] for name, of in pk.variability.shared.items()}


def apply_random_effects(
    typical: dict[str, NDArray[np.float64]], effects: dict[str, NDArray[np.float64]]
) -> dict[str, NDArray[np.float64]]:
    """Multiply typical parameters with exp(effect)."""
    return {
        name: value * np.exp(effects[name]) if name in effects else value
        for name, value in typical.items()
    }
