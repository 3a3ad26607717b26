"""The range of what may be seen of a figure: members, trials, and the sample of a published one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array, Mask
from her2sim.biology.ensemble import FEWEST, FEWEST_MEMBERS
from her2sim.studies.trial.beside import Beside, from_scale, into_scale
from her2sim.trials.endpoints import ArmOutcomes
from her2sim.trials.figure_errors import (
    Kind,
    figure_error,
    kind_of,
    median_chance,
    outcome_sampling,
    predictive_range,
    ratio_chance,
    ratio_sampling,
    share_chance,
)
from her2sim.trials.member_estimates import (
    HalvedOutcomes,
    outcome_estimates,
    ratio_estimates,
    whom,
)
from her2sim.trials.trial import Comparison, Outcome, Safety

Arms = Mapping[str, ArmOutcomes]
BAND_STEP_MONTH = 0.5


def seen_range(
    beside: Beside, arms: Arms, row: Outcome | Comparison, predicted: float, members: Array
) -> tuple[float, float]:
    """The 90 % range of what may be seen of a figure, from its values in the members."""
    kind, trial = kind_of(row), beside.trial
    if isinstance(row, Comparison):
        n = np.array([_patients_behind(arms[name], row) for name in (row.arm, row.versus)])
        chance, own = (ratio_chance(*pair) for pair in n.T)
        sampling = ratio_sampling(trial, row) if row.hazard_ratio is not None else 0.0
    else:
        chance, own = (_chance(kind, n, predicted) for n in _patients_behind(arms[row.arm], row))
        sampling = outcome_sampling(trial, row) if row.value is not None else 0.0
    if _has_replicates(arms[row.arm]):  # each is a trial of its size: its chance is to be seen
        chance = own = sampling = 0.0
    else:
        chance = _gap_chance(arms, row, kind, chance)
    noise = float(np.linalg.norm([beside.between(row), sampling, own]))
    told, middle = into_scale(kind, members), float(into_scale(kind, np.array(predicted)))
    low, high = from_scale(kind, np.array(predictive_range(told, middle, chance, noise)))
    return min(float(low), predicted), max(float(high), predicted)


def _has_replicates(arm: ArmOutcomes) -> bool:
    return bool(arm.replicate.max(initial=0) > 0)


def _gap_chance(arms: Arms, row: Outcome | Comparison, kind: Kind, otherwise: float) -> float:
    """Chance of the patients of a member, by the gaps between halves of members.

    Arms that treat the same patients differ by less chance than others would.
    """
    names = (row.arm, row.versus) if isinstance(row, Comparison) else (row.arm,)
    halved = {name: HalvedOutcomes(arms[name]) for name in names}
    if isinstance(row, Comparison):
        values = ratio_estimates(halved, row)
    else:
        values = outcome_estimates(halved, row)
    pairs = into_scale(kind, values).reshape(-1, 2)
    gaps = np.diff(pairs[np.isfinite(pairs).all(axis=1)], axis=1)
    return otherwise if gaps.size < FEWEST_MEMBERS else float(np.sqrt((gaps**2).mean()) / 2)


def event_range(
    beside: Beside, arm: ArmOutcomes, row: Safety, predicted: float, members: Array
) -> tuple[float, float]:
    """The 90 % range of what may be seen of an adverse event, in per cent."""
    n = _patients_of_members(arm, np.ones(arm.member.size, dtype=bool))
    sampling, published_n = 0.0, row.n or beside.trial.arm_of(row.arm).n
    if row.value is not None and published_n:
        sampling = _chance("response", published_n, predicted)
    noise = float(np.hypot(figure_error("between_event"), sampling))
    n_own = float(np.count_nonzero(arm.member == 0)) or n
    low, high = _rate_range((members / 100, n), (predicted / 100, n_own), noise)
    return (0.0 if predicted == 0 else min(100 * low, predicted)), max(100 * high, predicted)


@dataclass(frozen=True, eq=False)
class CurveBand:
    """A predicted survival curve at some months, and the 90 % range of what may be seen of it.

    All arrays have shape (n_months,). With fewer than ten members the range is the 95 % interval of
    chance.
    """

    month: Array
    survival: Array
    low: Array
    high: Array

    def as_dict(self) -> dict[str, list[float]]:
        """The curve as plain data."""
        return {name: values.tolist() for name, values in vars(self).items()}


def curve_band(beside: Beside, arm_id: str, arm: ArmOutcomes, endpoint: str) -> CurveBand:
    """The curve of an arm, with the range that a rate of it has at each month.

    It ends where fewer than ten patients, or than one in twenty, are at risk.
    """
    times = arm.times(endpoint)
    asked = np.isfinite(times.month)
    ids = np.unique(arm.member)
    own = times.take(asked & (arm.member == 0)) if ids[0] == 0 else times.take(asked)
    curve = own.curve()
    fewest = min(FEWEST, max(1, own.month.size // 20))
    last = float(np.sort(own.month)[-fewest])
    month = np.arange(0.0, max(last, BAND_STEP_MONTH) + 1e-9, BAND_STEP_MONTH)
    survival = curve.at(month)
    if np.count_nonzero(ids > 0) < FEWEST_MEMBERS:
        return CurveBand(month, survival, *curve.band_at(month))
    n, between = _patients_of_members(arm, asked), beside.between_rates(arm_id)
    told = np.array([times.take(asked & (arm.member == i)).curve().at(month) for i in ids[ids > 0]])
    ranges = np.array(
        [
            _rate_range((values, n), (at, own.month.size), between)
            for values, at in zip(told.T, survival, strict=True)
        ]
    )
    ranges[0] = 1.0
    low, high = np.minimum.accumulate(ranges, axis=0).T
    return CurveBand(month, survival, np.minimum(low, survival), np.maximum(high, survival))


def _rate_range(
    members: tuple[Array, float], predicted: tuple[float, float], noise: float
) -> tuple[float, float]:
    """The 90 % range of a share, from those of members, each with how many patients they are of.

    Half a patient more with an event, and half a patient without, keep shares of none and of all
    finite.
    """
    told, middle = (100 * (np.asarray(v) * n + 0.5) / (n + 1) for v, n in (members, predicted))
    chance = _chance("response", members[1], float(told.mean()))
    own = _chance("response", predicted[1], float(middle))
    at = into_scale("response", told), float(into_scale("response", middle))
    found = predictive_range(*at, chance, float(np.hypot(own, noise)))
    low, high = from_scale("response", np.array(found)) / 100
    return float(low), float(high)


def _chance(kind: Kind, n: float, percent: float) -> float:
    """Chance of a median or a share of the patients of a member."""
    if kind == "median":
        return median_chance(n)
    return share_chance(n, float(np.clip(percent / 100, 0.01, 0.99)))


def _patients_behind(arm: ArmOutcomes, row: Outcome | Comparison) -> tuple[float, float]:
    """Patients of a member whom a figure rests on, on average, and those of the best fit.

    Of replicates, which have none of those, all are behind the figure.
    """
    chosen = whom(arm, row)
    own = np.count_nonzero(chosen & (arm.member == 0)) or np.count_nonzero(chosen)
    return _patients_of_members(arm, chosen), max(1.0, float(own))


def _patients_of_members(arm: ArmOutcomes, chosen: Mask) -> float:
    """Patients of some that a member has, on average."""
    is_theirs = arm.member > 0
    n = np.count_nonzero(chosen & is_theirs) / max(1, np.unique(arm.member[is_theirs]).size)
    return max(1.0, float(n))
