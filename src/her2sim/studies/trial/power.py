"""How often a trial of its size shows a difference: over replicates, by the log-rank test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from her2sim.biology.ensemble import FEWEST_MEMBERS, QUANTILES
from her2sim.errors import DataError
from her2sim.trials.endpoints import ArmOutcomes, Times
from her2sim.trials.run import TrialRun
from her2sim.trials.survival import hazard_ratio, log_rank, numbers_at_risk, proportion

ALPHA = 0.05


@dataclass(frozen=True)
class Power:
    """Share of replicates in which the log-rank test of an endpoint favours an arm (two-sided 5 %).

    ``low`` and ``high`` are its exact 95 % interval; ``hazard_ratio`` and its percentiles are those
    over the replicates, None where there are too few; ``needs`` says what they would need.
    """

    endpoint: str
    arm: str
    versus: str
    replicates: int
    patients: int
    power: float
    low: float
    high: float
    hazard_ratio: float | None
    hazard_ratio_p5: float | None
    hazard_ratio_p95: float | None
    needs: str = ""


def trial_power(run: TrialRun, arms: Mapping[str, ArmOutcomes]) -> Iterator[Power]:
    """Power of each comparison of a trial over its replicates."""
    for row in run.trial.comparison:
        if row.subgroup is not None:
            continue
        sides = [arms[arm] for arm in (row.arm, row.versus)]
        times = [arm.times(row.endpoint, row.follow_up_month) for arm in sides]
        of = [arm.replicate for arm in sides]
        won, ratios, n_patients = 0, list[float](), 0
        for replicate in range(run.asked.replicates):
            own, other = (t.take(o == replicate) for t, o in zip(times, of, strict=True))
            month = np.concatenate([own.month, other.month])
            event = np.concatenate([own.event, other.event])
            in_arm = np.arange(month.size) < own.month.size
            n_patients = month.size
            won += is_won(own, other)
            with suppress(
                DataError
            ):  # an arm without an event has no ratio, and a test all the same
                ratios.append(hazard_ratio(month, event, in_arm).value)
        share, low, high = proportion(won, run.asked.replicates)
        yield Power(
            row.endpoint, row.arm, row.versus, run.asked.replicates, n_patients, share, low, high,
            *_ratio_spread(ratios),
        )  # fmt: skip


def is_won(own: Times, other: Times, alpha: float = ALPHA) -> bool:
    """Whether the two-sided log-rank test favours the first of two arms."""
    month = np.concatenate([own.month, other.month])
    event = np.concatenate([own.event, other.event])
    try:
        p = log_rank(month, event, np.arange(month.size) < own.month.size)[1]
    except DataError:  # no event while both arms are at risk shows nothing
        return False
    return p < alpha and _is_better(own, other)


def _is_better(own: Times, other: Times) -> bool:
    """Whether an arm has fewer events than the log-rank test expects of it."""
    month = np.concatenate([own.month, other.month])
    event = np.concatenate([own.event, other.event])
    times, counts = np.unique(month[event], return_counts=True)
    at_risk, own_at_risk = (numbers_at_risk(t, times) for t in (month, own.month))
    return bool(own.event.sum() < (counts * own_at_risk / at_risk).sum())


def _ratio_spread(
    ratios: Sequence[float],
) -> tuple[float | None, float | None, float | None, str]:
    """Median, 5th and 95th percentile of the hazard ratios, and what is missing for them."""
    if not ratios:
        return None, None, None, "an event in each arm"
    middle = float(np.median(ratios))
    if len(ratios) < FEWEST_MEMBERS:
        return middle, None, None, f"{FEWEST_MEMBERS} replicates; {len(ratios)} here"
    p5, p95 = np.percentile(ratios, QUANTILES)
    return middle, float(p5), float(p95), ""
