"""The lung: hazard of interstitial lung disease under a conjugate.

In patients who get it the onset, in time on treatment, is log-normal; the hazard is that of a
mixture with those who never do, in proportion to the concentration.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from her2sim.engine.functions import exp, log, maximum, positive
from her2sim.engine.model import Component, Part, Symbol
from her2sim.models.assembly import Assembled

TWO_OVER_ROOT_PI, ROOT_2 = 2.0 / math.sqrt(math.pi), math.sqrt(2.0)


def lung_hazard(tag: str) -> Component:
    """Cumulative hazard under one drug."""

    def hazard(k: Any) -> Part:
        """Mixture hazard p f / (1 - p F) at the time on treatment, times the relative level."""
        conc = positive(k[f"conc_{tag}"])
        is_there = conc / (conc + k[f"lung_switch_{tag}"])
        ratio = maximum(k["lung_clock"] / k["lung_median"], 1e-6)
        score = log(ratio) / k["lung_spread"]
        density = exp(-0.5 * score * score) * (0.5 * TWO_OVER_ROOT_PI / ROOT_2)
        share = k["lung_share"]
        left = 1.0 - share * normal_share(score)
        rate = share * density / (k["lung_spread"] * ratio * k["lung_median"]) / left
        relative = conc / k[f"lung_level_{tag}"]
        return Part(rates={"lung_clock": 1.0 * is_there, "lung_hazard": rate * relative})

    return Assembled("lung_hazard", hazard)


def normal_share(score: Any) -> Any:
    """Share of a normal distribution below a score, to 2e-4 (logistic in a cubic)."""
    return 1.0 / (1.0 + exp(-(1.5976 * score + 0.07056 * score * score * score)))


def lung_symbols(tags: Sequence[str]) -> dict[str, Symbol]:
    """Register entries of the lung."""
    entries = [
        Symbol("lung_clock", "state", "day", "time on treatment"),
        Symbol("lung_hazard", "state", "1", "cumulative hazard of interstitial lung disease"),
        Symbol("lung_share", "parameter", "1", "share that gets it on unlimited treatment"),
        Symbol("lung_median", "parameter", "day", "median onset of those"),
        Symbol("lung_spread", "parameter", "1", "SD of the logarithm of the onset"),
    ]
    for tag in tags:
        entries.append(Symbol(f"lung_level_{tag}", "parameter", "mg/L", "usual mean level"))
        entries.append(Symbol(f"lung_switch_{tag}", "parameter", "mg/L", "level that is gone"))
    return {entry.name: entry for entry in entries}
