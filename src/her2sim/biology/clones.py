"""The clones of a lesion at the start: their shares, and how much each grows without HER2."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import expit, logit

from her2sim.arrays import Array, Mask, Positions
from her2sim.biology.tumour_profile import KnownTumours, after_effects, tumour_facts


def counted_lines(earlier_lines: Positions) -> Positions:
    """Lines of treatment before that count: beyond some, one more changes nothing."""
    most = int(tumour_facts().parameter["lines_counted"].value)
    found: Positions = np.minimum(earlier_lines, most)
    return found


def clones_at_start(
    told: KnownTumours,
    mixed: Mask,
    lost_low: Array,
    lines: Positions,
    value: Callable[[str], Array],
    low_odds: Array,
) -> dict[str, Array]:
    """Shares of the sensitive, the HER2-low and the resistant clone of each patient.

    ``lost_low`` is the share of HER2-low cells where receptors were lost after trastuzumab, else 0.
    ``low_odds`` multiplies the odds of HER2-low cells in heterogeneous tumours.
    """
    of_mixed = expit(logit(value("share_l_heterogeneous")) + np.log(low_odds))
    low = np.where(mixed, of_mixed, value("share_l"))
    low = np.maximum(low, lost_low)
    if told.share_l is not None:
        low = told.share_l
    shifted = logit(value("share_m")) + lines * value("line_shift")
    resistant = (1 - low) * expit(shifted)
    return {"cells_s": 1 - low - resistant, "cells_l": low, "cells_m": resistant}


def addiction(
    parameters: Mapping[str, Array],
    told: KnownTumours,
    mutated: Mask,
    earlier: Mapping[str, Mask],
    value: Callable[[str], Array],
    times: Array,
) -> dict[str, Array]:
    """Share of growth that needs no HER2, of each clone; ``times`` multiplies its odds."""
    base = np.where(mutated, value("own_growth_pik3ca"), value("own_growth"))
    odds = base / (1 - base) * times
    for name, (what, before) in after_effects().items():
        if what == "own_growth":
            odds = odds * np.where(earlier[before], value(name), 1.0)
    base = odds / (1 + odds)
    half, steepness = value("addiction_receptors"), value("addiction_steepness")
    return {
        f"own_growth_{clone}": np.where(
            told.is_amplified,
            _own_growth(base, half / parameters[f"receptors_{clone}"], steepness),
            value("own_growth_not_amplified"),
        )
        for clone in ("s", "l")
    }


def _own_growth(base: Array, fewer: Array, steepness: Array) -> Array:
    """Share of growth that needs no HER2: ``base`` at very many receptors, all of it at very few.

    ``fewer`` is the receptors at half the addiction over those of the clone.
    """
    return 1 - (1 - base) / (1 + fewer**steepness)
