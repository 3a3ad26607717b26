"""What the patients of a trial say about a figure, for each member of the ensemble."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Mask
from her2sim.biology.ensemble import FEWEST
from her2sim.errors import DataError
from her2sim.trials.endpoints import ArmOutcomes
from her2sim.trials.measures import CURVES
from her2sim.trials.survival import hazard_ratio
from her2sim.trials.trial import Comparison, Outcome, Safety

Arms = Mapping[str, ArmOutcomes]


def outcome_estimates(arms: Arms, row: Outcome) -> Array:
    """A figure of an arm in each member, shape (n_members,); infinite if not reached.

    Members are in order: the numbers that fit best, if some patients have them, come first.

    Parameters
    ----------
    arms : outcomes of each arm by id
    row : which endpoint, measure and group of patients
    """
    arm, group = arms[row.arm], whom(arms[row.arm], row)
    if row.endpoint not in CURVES:
        shares = 100.0 * arm.responded(row.endpoint)
        return np.array([_mean(shares, m) for m in _members(arm, group)])
    times = arm.times(row.endpoint)
    curves = [times.take(m).curve() if m.any() else None for m in _members(arm, group)]
    if row.measure == "median_month":
        return np.array([np.nan if c is None else c.middle() for c in curves])
    month = row.at_month or 0.0
    until = float(times.month[group].max(initial=0.0))
    return np.array(
        [np.nan if c is None or month > until else 100.0 * float(c.at(month)) for c in curves]
    )


def ratio_estimates(arms: Arms, row: Comparison) -> Array:
    """A hazard ratio in each member, shape (n_members,); NaN where it is not finite."""
    own, other = arms[row.arm], arms[row.versus]
    times = [arm.times(row.endpoint, row.follow_up_month) for arm in (own, other)]
    chosen = [whom(arm, row) for arm in (own, other)]
    found = []
    pairs = zip(_members(own, chosen[0]), _members(other, chosen[1]), strict=True)
    for a, b in pairs:
        month = np.concatenate([times[0].month[a], times[1].month[b]])
        event = np.concatenate([times[0].event[a], times[1].event[b]])
        in_arm = np.arange(month.size) < np.count_nonzero(a)
        try:
            found.append(hazard_ratio(month, event, in_arm).value)
        except DataError:
            found.append(np.nan)
    return np.array(found)


class HalvedOutcomes(ArmOutcomes):
    """Outcomes of an arm in which each member is cut in two: how much is chance shows in the gap.

    Patients are cut in turn, so that arms that treat the same patients are cut alike.
    """

    def __init__(self, of: ArmOutcomes) -> None:
        self.__dict__.update(vars(of))
        member = of.member
        self._halves = 2 * member
        for number in np.unique(member):
            own = np.flatnonzero(member == number)
            self._halves[own] += np.arange(own.size) % 2

    @property
    def member(self) -> NDArray[np.int64]:
        """Half of the member of each patient: twice its number, or one more."""
        return self._halves


def event_estimates(arms: Arms, row: Safety) -> Array | None:
    """Per cent of patients with an adverse event in each member; None if there is none."""
    arm = arms[row.arm]
    had = arm.had(row.event, row.grade, row.until_month)
    if had is None:
        return None
    everyone = np.ones(had.size, dtype=bool)
    return np.array([_mean(100.0 * had, m) for m in _members(arm, everyone)])


def whom(arm: ArmOutcomes, row: Outcome | Comparison) -> Mask:
    """Patients of an arm whom a figure rests on."""
    group = arm.group(row.subgroup)
    if row.endpoint not in CURVES:
        return group
    found: Mask = group & np.isfinite(arm.times(row.endpoint).month)
    return found


def most_in_a_member(arm: ArmOutcomes, chosen: Mask) -> int:
    """Patients of some, in the member that has most of them."""
    return int(np.unique(arm.member[chosen], return_counts=True)[1].max(initial=0))


def fewest_of(arm: ArmOutcomes) -> int:
    """Patients whom a member needs to say something; of one member, any say what happened."""
    return FEWEST if np.unique(arm.member).size > 1 else 1


def _mean(values: NDArray[np.floating[Any]], chosen: Mask) -> float:
    return float(values[chosen].mean()) if chosen.any() else float("nan")


def _members(arm: ArmOutcomes, group: Mask) -> Iterator[Mask]:
    member = arm.member
    for number in np.unique(member):
        chosen: Mask = group & (member == number)
        yield chosen if np.count_nonzero(chosen) >= fewest_of(arm) else np.zeros_like(chosen)
