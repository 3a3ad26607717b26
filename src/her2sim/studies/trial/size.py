"""How many patients a trial needs for a power: the log-rank test on patients drawn again.

Each member of the ensemble has its own simulated patients. A trial of any size draws from those of
one member, and the share of trials that show the difference is its power; over the members it is
the assurance (the power that can be expected when the numbers are uncertain).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from her2sim.arrays import Positions
from her2sim.biology.ensemble import FEWEST_MEMBERS, QUANTILES
from her2sim.errors import DataError
from her2sim.notice import NOTICE
from her2sim.random import Purpose, Stream
from her2sim.studies.trial.power import is_won
from her2sim.trials.endpoints import ArmOutcomes, Times
from her2sim.trials.run import RunSettings, TrialRun
from her2sim.trials.survival import proportion
from her2sim.trials.trial import Comparison, Trial

FEWEST_PATIENTS, MOST_PATIENTS = 10, 20_000
"""Patients in an arm of weight 1 between which the size is looked for."""
CLOSE = 0.02
"""The search ends when the two sizes around the power differ by so much of themselves."""
AROUND = (0.5, 0.65, 0.8, 1.0, 1.25, 1.5)
"""Sizes that are shown, as parts of the one that was found."""


@dataclass(frozen=True)
class SizeRow:
    """A size of the trial and its power.

    ``assurance`` is the share of trials that show the difference over all members, with its exact
    95 % interval (chance of the trials drawn); ``member_p5`` and ``member_p95`` are percentiles of
    the power by member (uncertain numbers), None with few members; ``power_best`` is the power with
    the numbers that fit best. ``events`` is the mean number of events in both arms.
    """

    patients: int
    per_arm: int
    events: float
    assurance: float
    low: float
    high: float
    member_p5: float | None
    member_p95: float | None
    power_best: float


@dataclass(frozen=True)
class SizeReport:
    """The size that was found, and others around it; ``found`` is None where none reaches it."""

    trial: Trial
    asked: RunSettings
    comparison: Comparison
    wanted_power: float
    alpha: float
    trials: int
    found: SizeRow | None
    rows: tuple[SizeRow, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        return {
            "trial": self.trial.id,
            "evidence": self.trial.evidence,
            "endpoint": self.comparison.endpoint,
            "arm": self.comparison.arm,
            "versus": self.comparison.versus,
            "wanted_power": self.wanted_power,
            "alpha": self.alpha,
            "trials": self.trials,
            "seed": self.asked.seed,
            "members": self.asked.members,
            "found": None if self.found is None else vars(self.found),
            "sizes": [vars(row) for row in self.rows],
            "notes": list(self.notes),
            "notice": NOTICE,
        }


@dataclass(frozen=True, eq=False)
class Pool:
    """Simulated patients of one member in the two arms."""

    own: Times
    other: Times


class TrialSizes:
    """Power of a comparison at any size.

    Parameters
    ----------
    pools : patients of each member by its number; 0 fits best
    allocation : weight of the two arms
    alpha : two-sided level of the log-rank test
    trials : how many are drawn at a size, of the members in turn
    seed : decides which patients are drawn
    """

    def __init__(
        self,
        pools: Mapping[int, Pool],
        allocation: tuple[float, float],
        alpha: float,
        trials: int,
        seed: int,
    ) -> None:
        self.pools, self.allocation = pools, allocation
        self.alpha, self.trials, self.seed = alpha, trials, seed
        self._kept: dict[int, SizeRow] = {}

    @cached_property
    def _members(self) -> list[int]:
        return [member for member in self.pools if member] or [0]

    def at(self, per_arm: int) -> SizeRow:
        """Power with so many patients in an arm of weight 1."""
        if per_arm not in self._kept:
            self._kept[per_arm] = self._at(per_arm)
        return self._kept[per_arm]

    def _at(self, per_arm: int) -> SizeRow:
        sizes = [max(2, round(per_arm * weight)) for weight in self.allocation]
        members, events = self._members, 0
        turns = [members[k % len(members)] for k in range(self.trials)]
        won = np.zeros(self.trials, dtype=bool)
        for k, member in enumerate(turns):
            won[k], n_events = self._one(member, k, sizes)
            events += n_events
        share, low, high = proportion(int(won.sum()), self.trials)
        best = won
        if members != [0] and 0 in self.pools:
            best = np.array([self._one(0, k, sizes)[0] for k in range(self.trials // 4)])
        each = [won[[t == member for t in turns]].mean() for member in members]
        p5 = p95 = None
        if len(members) >= FEWEST_MEMBERS:
            p5, p95 = (float(p) for p in np.percentile(each, QUANTILES))
        return SizeRow(
            sum(sizes), per_arm, events / self.trials, share, low, high, p5, p95, float(best.mean())
        )

    def _one(self, member: int, number: int, sizes: list[int]) -> tuple[bool, int]:
        """Whether a trial shows the difference, and how many events it had."""
        pool = self.pools[member]
        own, other = (
            _drawn(times, n, self.seed, number, side)
            for side, (times, n) in enumerate(zip((pool.own, pool.other), sizes, strict=True))
        )
        return is_won(own, other, self.alpha), int(own.event.sum() + other.event.sum())

    def smallest(self, power: float, told: Callable[[int], None] = lambda done: None) -> int | None:
        """Fewest patients in an arm of weight 1 for a power, to 2 %; None where none are enough."""
        low, high = 0, FEWEST_PATIENTS
        while self.at(high).assurance < power:
            low, high = high, 2 * high
            told(len(self._kept))
            if low >= MOST_PATIENTS:
                return None
        while high - low > max(1, CLOSE * high):
            middle = (low + high) // 2
            if self.at(middle).assurance >= power:
                high = middle
            else:
                low = middle
            told(len(self._kept))
        return high


def _drawn(times: Times, n: int, seed: int, number: int, side: int) -> Times:
    """So many of some patients, each of whom can come several times; more have the same first."""
    stream = Stream(seed, number, np.arange(n), Purpose.ENSEMBLE)
    place: Positions = np.floor(stream.uniform(f"size:{side}") * times.month.size).astype(np.int64)
    return Times(times.month[place], times.event[place])


def chosen_comparison(trial: Trial, endpoint: str | None, arm: str | None) -> Comparison:
    """The comparison whose power is wanted: the first that fits.

    Raises
    ------
    DataError
        If the trial compares nothing, or not this.
    """
    rows = [row for row in trial.comparison if row.subgroup is None]
    if not rows:
        raise DataError(f"{trial.id}: compares no arms: power needs a hazard ratio in the file")
    for row in rows:
        if endpoint in (None, row.endpoint) and arm in (None, row.arm):
            return row
    known = "; ".join(f"{row.endpoint} of {row.arm} over {row.versus}" for row in rows)
    told = " of ".join(text for text in (endpoint, arm) if text)
    raise DataError(f"{trial.id}: does not compare {told}; it compares {known}")


def size_report(
    run: TrialRun,
    row: Comparison,
    power: float,
    alpha: float,
    trials: int,
    told: Callable[[int], None] = lambda done: None,
) -> SizeReport:
    """Fewest patients for a power, and the power around them.

    Parameters
    ----------
    run : the simulated patients, of several members
    row : comparison whose log-rank test is meant
    power : wanted, as a share
    alpha : two-sided level
    trials : drawn at each size
    told : how many sizes were tried
    """
    arms = run.arms()
    own, other = arms[row.arm], arms[row.versus]
    weights = (run.trial.arm_of(row.arm).allocation, run.trial.arm_of(row.versus).allocation)
    pools = dict(pools_of(own, other, row.endpoint, row.follow_up_month))
    sizes = TrialSizes(pools, weights, alpha, trials, run.asked.seed)
    found = sizes.smallest(power, told)
    around = MOST_PATIENTS if found is None else found
    wanted = sorted({max(FEWEST_PATIENTS, round(around * part)) for part in AROUND})
    rows = []
    for per_arm in wanted:
        rows.append(sizes.at(per_arm))
        told(len(sizes._kept))
    least = min(min(p.own.month.size, p.other.month.size) for p in pools.values())
    notes = [
        "Assurance: share of trials that show the difference when the numbers are uncertain; its "
        f"interval is chance of {trials} trials. By member: that of members of the ensemble.",
        f"Each trial draws again from the simulated patients of one member, {least} an arm or "
        "more; check a size with `her2sim trial run --patients N --replicates 200`.",
        "Accrual, follow-up and loss to follow-up are those of the file at every size.",
    ]
    if found is None:
        notes.insert(0, _never(sizes.at(MOST_PATIENTS), power))
    return SizeReport(
        run.trial, run.asked, row, power, alpha, trials,
        None if found is None else sizes.at(found), tuple(rows), tuple(notes),
    )  # fmt: skip


def _never(row: SizeRow, power: float) -> str:
    return (
        f"No size reaches {100 * power:g} %: with {row.patients} patients it is "
        f"{100 * row.assurance:.0f} %, as some members of the ensemble show no difference or the "
        f"opposite (with the numbers that fit best {100 * row.power_best:.0f} %)."
    )


def pools_of(
    own: ArmOutcomes, other: ArmOutcomes, endpoint: str, follow_up_month: float | None
) -> Iterator[tuple[int, Pool]]:
    """Patients of two arms by their member; the data cut is that of the trial without months."""
    times = [side.times(endpoint, follow_up_month) for side in (own, other)]
    members = [side.member for side in (own, other)]
    for member in sorted(set(members[0].tolist()) & set(members[1].tolist())):
        mine = (t.take(m == member) for t, m in zip(times, members, strict=True))
        yield member, Pool(*mine)
