"""A grid of designs: power and duration by arm size, follow-up and size of the effect.

Patients of both arms are simulated once, to the longest follow-up. Each cell draws trials from them
(:mod:`her2sim.studies.trial.size`), seen at its own data cut. An effect that is smaller than
predicted is one that only a part of the arm has: the others fare as in the arm it is compared with.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from her2sim.arrays import Progress, no_progress
from her2sim.errors import DataError
from her2sim.notice import NOTICE
from her2sim.studies.trial.size import Pool, TrialSizes, pools_of
from her2sim.trials.endpoints import ArmOutcomes, Times
from her2sim.trials.run import RunSettings, TrialRun
from her2sim.trials.trial import Comparison, Trial

MOST_CELLS = 200


@dataclass(frozen=True)
class GridCell:
    """A design and what it gives.

    ``effect_percent`` is the part of the predicted effect that is really there (0: none, then
    ``assurance`` is the chance to show one that is not); ``duration_month`` from the first patient
    to the data cut. ``assurance``, ``low`` and ``high`` are as in a table of sizes.
    """

    per_arm: int
    arm_patients: int
    versus_patients: int
    follow_up_month: float
    duration_month: float
    effect_percent: float
    events: float
    assurance: float
    low: float
    high: float
    power_best: float


@dataclass(frozen=True)
class GridReport:
    """All cells of a grid."""

    trial: Trial
    asked: RunSettings
    comparison: Comparison
    alpha: float
    trials: int
    cells: tuple[GridCell, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        return {
            "trial": self.trial.id,
            "evidence": self.trial.evidence,
            "endpoint": self.comparison.endpoint,
            "arm": self.comparison.arm,
            "versus": self.comparison.versus,
            "alpha": self.alpha,
            "trials": self.trials,
            "seed": self.asked.seed,
            "members": self.asked.members,
            "cells": [vars(cell) for cell in self.cells],
            "notes": list(self.notes),
            "notice": NOTICE,
        }


@dataclass(frozen=True)
class GridAsked:
    """Rows and columns of a grid."""

    per_arm: tuple[int, ...]
    follow_up_month: tuple[float, ...]
    effect_percent: tuple[float, ...] = (100.0, 50.0, 0.0)

    def __post_init__(self) -> None:
        for name, values in vars(self).items():
            if not values or len(set(values)) < len(values):
                raise DataError(f"{name}: give some values, each once")
        n = len(self.per_arm) * len(self.follow_up_month) * len(self.effect_percent)
        if n > MOST_CELLS:
            raise DataError(f"a grid of {n} designs: at most {MOST_CELLS} at once")


def followed_longest(trial: Trial, asked: GridAsked) -> Trial:
    """The trial with the longest follow-up of a grid; those of the file are not looked at."""
    longest = max(asked.follow_up_month)
    follow_up = trial.design.follow_up.model_copy(update={"value": longest, "unit": "month"})
    design = trial.design.model_copy(update={"follow_up": follow_up})
    return trial.model_copy(update={"design": design})


def grid_report(
    run: TrialRun,
    row: Comparison,
    asked: GridAsked,
    alpha: float,
    trials: int,
    progress: Progress = no_progress,
) -> GridReport:
    """Power of each design of a grid.

    Parameters
    ----------
    run : simulated patients of a trial that is followed longest
    row : comparison whose log-rank test is meant
    asked : sizes of an arm of weight 1, follow-ups and effects
    alpha : two-sided level
    trials : drawn for each design
    progress : told designs done and in all
    """
    arms = run.arms()
    cells = tuple(_cells(run, row, asked, alpha, trials, arms, progress))
    notes = (
        "Patients come in over the time of the file at every size: a larger trial recruits faster.",
        "An effect of 50 % is one that half of the arm has; the others fare as the control does. "
        "At 0 % the power is the chance to show a difference that is not there.",
        f"Intervals of the assurance are chance of {trials} trials; the numbers of the model are "
        "uncertain within it, as members of the ensemble.",
    )
    return GridReport(run.trial, run.asked, row, alpha, trials, cells, notes)


def _cells(
    run: TrialRun,
    row: Comparison,
    asked: GridAsked,
    alpha: float,
    trials: int,
    arms: dict[str, ArmOutcomes],
    progress: Progress,
) -> Iterator[GridCell]:
    weights = (run.trial.arm_of(row.arm).allocation, run.trial.arm_of(row.versus).allocation)
    accrual, seed = run.trial.design.accrual.to("month"), run.asked.seed
    n = len(asked.per_arm) * len(asked.follow_up_month) * len(asked.effect_percent)
    done = 0
    for months in asked.follow_up_month:
        pools = dict(pools_of(arms[row.arm], arms[row.versus], row.endpoint, months))
        for effect in asked.effect_percent:
            felt = {k: _weaker(pool, effect) for k, pool in pools.items()}
            sizes = TrialSizes(felt, weights, alpha, trials, seed)
            for per_arm in asked.per_arm:
                found = sizes.at(per_arm)
                own = max(2, round(per_arm * weights[0]))
                yield GridCell(
                    per_arm, own, found.patients - own, months, accrual + months, effect,
                    found.events, found.assurance, found.low, found.high, found.power_best,
                )  # fmt: skip
                done += 1
                progress(done, n)


def _weaker(pool: Pool, effect_percent: float) -> Pool:
    """Patients of whom a part has the effect, and the others fare as in the other arm.

    Trials draw from them again and again, so that both kinds stand there as often as they are met.
    """
    of_own = round(100 * effect_percent)
    shared = math.gcd(of_own, 10_000)
    copies = (of_own // shared, (10_000 - of_own) // shared)
    month, event = (
        np.concatenate(
            [np.tile(getattr(side, name), n) for side, n in zip((pool.own, pool.other), copies,
                                                                strict=True)]
        )
        for name in ("month", "event")
    )  # fmt: skip
    return replace(pool, own=Times(month, event))
