"""A calibration: the best fit from several starts, and members around it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from her2sim.arrays import Array
from her2sim.calibration.evidence import SEED, Evidence
from her2sim.calibration.map_fit import MapFit, Note, fit_map, slopes_at
from her2sim.calibration.members import (
    CORRECTIONS,
    KEPT_CORRECTIONS,
    DrawnMembers,
    draw_members,
)

STARTS = 3
"""Fits: from the starts of the plan, and from others."""
KEPT, SHAKEN = 0.5, 0.5
"""What the other starts keep of the distance from the prior, and the SD of their shake."""
OTHER_RENEWALS, OTHER_STEPS = 1, 10
"""Of the fits from other starts, which begin with the slopes of the first."""
MEMBERS = 24
PATIENTS = 512
"""Patients of an arm in the fit."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """The best fit, the costs of all, best first, and members around the best."""

    fit: MapFit
    costs: tuple[float, ...]
    members: DrawnMembers


def calibrate(
    evidence: Evidence,
    *,
    starts: int = STARTS,
    n_members: int = MEMBERS,
    note: Note = lambda text: None,
) -> Calibration:
    """Fit all anchors, and draw members around the best fit."""
    random = np.random.default_rng(SEED)
    first = evidence.parameters.start()
    fits: list[MapFit] = []
    for number in range(starts):
        note(f"fit {number + 1} of {starts}")
        if number == 0:
            fits.append(fit_map(evidence, first, note=note))
            continue
        fits.append(
            fit_map(
                evidence, _shaken(first, random), slopes=fits[0].slopes, renewals=OTHER_RENEWALS,
                most_steps=OTHER_STEPS, note=note,
            )
        )  # fmt: skip
    fits.sort(key=lambda fit: fit.cost)
    best = fits[0]
    note(f"{n_members} members")
    slopes, _ = slopes_at(evidence, best.at, np.ones(best.at.size, dtype=bool))
    corrections = KEPT_CORRECTIONS if evidence.plan.keeps_members else CORRECTIONS
    members = draw_members(
        evidence, replace(best, slopes=slopes), n_members, SEED, corrections=corrections
    )
    return Calibration(best, tuple(fit.cost for fit in fits), members)


def _shaken(start: Array, random: np.random.Generator) -> Array:
    return KEPT * start + SHAKEN * np.clip(random.standard_normal(start.size), -2, 2)
