"""Traits by which treatment could be chosen: what trials saw of them, and what is predicted.

A contrast is a ratio between two groups of patients of one trial: of hazard ratios of its arms, of
medians in an arm, or a hazard ratio of the groups themselves. Where only one group was published,
it is compared with the whole trial, of which it is a part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from scipy.special import ndtri

from her2sim.arrays import Array, Mask
from her2sim.biology.ensemble import FEWEST_MEMBERS
from her2sim.errors import DataError
from her2sim.trials.endpoints import ArmOutcomes
from her2sim.trials.figure_errors import (
    INTERVAL_95,
    median_chance,
    outcome_sampling,
    predictive_range,
    ratio_chance,
    ratio_sampling,
)
from her2sim.trials.measures import PAIRS
from her2sim.trials.member_estimates import outcome_estimates, ratio_estimates
from her2sim.trials.seen_subgroups import SeenContrast, Verdict
from her2sim.trials.survival import hazard_ratio
from her2sim.trials.trial import Comparison, Outcome, Prognosis, Trial

Arms = Mapping[str, ArmOutcomes]
Figure = TypeVar("Figure", Outcome, Comparison)
_Part = Literal["best", "member"]
_PARTS: tuple[_Part, _Part] = ("best", "member")
NINETY = float(ndtri(0.95))
LITTLE = float(np.log(1.15))
"""A predicted difference below which none is predicted (log)."""
LARGEST_CHANCE = 0.25
"""Chance of a predicted figure (log) beyond which nothing is said: it takes some fifty patients."""
MUCH = float(np.log(1.5))
"""A difference that an interval has to leave out to show that there is none to speak of (log)."""


def verdict_of(published: float, error: float, predicted: float, spread: float) -> Verdict:
    """What a published contrast makes of a predicted one; logarithms and their errors."""
    if abs(predicted - published) > NINETY * float(np.hypot(error, spread)):
        return "contradicted"
    if abs(predicted) < LITTLE:
        farthest = max(abs(published) + NINETY * error, abs(predicted) + NINETY * spread)
        return "supported" if farthest < MUCH else "not seen"
    is_seen = abs(published) > NINETY * error and abs(predicted) > NINETY * spread
    return "supported" if is_seen and published * predicted > 0 else "not seen"


def contrast_rows(trial: Trial, arms: Arms, has_best: bool) -> Iterator[SeenContrast]:
    """All contrasts of a trial that was run, trait by trait.

    There are none without a best fit, none of groups with too few patients, and none with too few
    members: what is left would be chance.
    """
    if not has_best:
        return
    for trait, pairs in PAIRS.items():
        for pair in pairs:
            for found in (
                *_of_medians(trial, arms, pair),
                *_of_ratios(trial, arms, pair),
                *_of_prognosis(trial, arms, pair),
            ):
                if _is_told(found):
                    yield _row(trait, trial, found)


def _is_told(found: _Contrast) -> bool:
    """Whether there are patients and members enough for a verdict."""
    known = np.isfinite(found.values[1:]).sum()
    chance = max(found.chances[0])
    return bool(
        np.isfinite(found.values[0]) and known >= FEWEST_MEMBERS and chance < LARGEST_CHANCE
    )


@dataclass(frozen=True, eq=False)
class _Contrast:
    """A contrast as a logarithm.

    ``errors`` are those of both published figures, ``chances`` those of both predicted ones with
    the best numbers and in a member; ``values`` has the best first, then the members.
    """

    row: Outcome | Comparison | Prognosis
    over: str | None
    what: str
    published: float
    errors: Sequence[float]
    chances: tuple[Sequence[float], ...]
    values: Array


def _of_medians(trial: Trial, arms: Arms, pair: tuple[str, str]) -> Iterator[_Contrast]:
    rows = [r for r in trial.outcome if r.measure == "median_month" and _is_asked(r.endpoint)]
    for one, other in _pairs(rows, pair):
        arm, both = arms[one.arm], (one, other)
        groups = [arm.group(row.subgroup) for row in both]
        values = [outcome_estimates(arms, row) for row in both]
        yield _Contrast(
            one,
            other.subgroup,
            "median",
            float(np.log((one.value or 1.0) / (other.value or 1.0))),
            [outcome_sampling(trial, row) for row in both],
            tuple([median_chance(_size(arm, g, part)) for g in groups] for part in _PARTS),
            np.log(values[0] / values[1]),
        )


def _of_ratios(trial: Trial, arms: Arms, pair: tuple[str, str]) -> Iterator[_Contrast]:
    rows = [r for r in trial.comparison if _is_asked(r.endpoint)]
    for one, other in _pairs(rows, pair):
        both = (one, other)

        def chance(row: Comparison, part: _Part) -> float:
            sides = [arms[name] for name in (row.arm, row.versus)]
            return ratio_chance(*(_size(arm, arm.group(row.subgroup), part) for arm in sides))

        values = [ratio_estimates(arms, row) for row in both]
        yield _Contrast(
            one,
            other.subgroup,
            "hazard ratio",
            float(np.log((one.hazard_ratio or 1.0) / (other.hazard_ratio or 1.0))),
            [ratio_sampling(trial, row) for row in both],
            tuple([chance(row, part) for row in both] for part in _PARTS),
            np.log(values[0] / values[1]),
        )


def _of_prognosis(trial: Trial, arms: Arms, pair: tuple[str, str]) -> Iterator[_Contrast]:
    for row in trial.prognosis:
        if (row.subgroup, row.versus) != pair:
            continue
        ids = np.unique(next(iter(arms.values())).member)

        def chance(part: _Part) -> list[float]:
            sizes = [sum(_size(arm, arm.group(g), part) for arm in arms.values()) for g in pair]
            return [ratio_chance(*sizes)]

        yield _Contrast(
            row,
            row.versus,
            "hazard ratio of the groups",
            float(np.log(row.hazard_ratio)),
            [float(np.log(row.high / row.low)) / INTERVAL_95],
            tuple(chance(part) for part in _PARTS),
            np.array([_pooled(arms, row, int(member)) for member in ids]),
        )


def _is_asked(endpoint: str) -> bool:
    return endpoint in ("PFS", "TTP")


def _pairs(rows: Sequence[Figure], pair: tuple[str, str]) -> Iterator[tuple[Figure, Figure]]:
    """Published figures of a group, each with that of the other; else with that of all."""

    def place(row: Figure) -> tuple[str, str, str]:
        return row.endpoint, row.arm, getattr(row, "versus", "")

    there = {(place(row), row.subgroup): row for row in rows if _value(row) is not None}
    for one in rows:
        if one.subgroup == pair[0] and _value(one) is not None:
            other = there.get((place(one), pair[1])) or there.get((place(one), None))
            if other is not None:
                yield one, other


def _value(row: Outcome | Comparison) -> float | None:
    return row.value if isinstance(row, Outcome) else row.hazard_ratio


def _pooled(arms: Arms, row: Prognosis, member: int) -> float:
    """Logarithm of the hazard ratio of two groups in a member, arms as strata."""
    parts = []
    for number, arm in enumerate(arms.values()):
        times = arm.times(row.endpoint)
        one, other = (arm.group(g) & (arm.member == member) for g in (row.subgroup, row.versus))
        either = one | other
        stratum = np.full(int(either.sum()), number)
        parts.append((times.month[either], times.event[either], one[either], stratum))
    month, event, is_own, strata = (np.concatenate(values) for values in zip(*parts, strict=True))
    try:
        return float(np.log(hazard_ratio(month, event, is_own, strata).value))
    except DataError:
        return float("nan")


def _size(arm: ArmOutcomes, group: Mask, part: _Part) -> float:
    """Patients of a group with the best numbers, or those of a member on average."""
    of = arm.member == 0 if part == "best" else arm.member > 0
    return max(1.0, np.count_nonzero(group & of) / max(1, np.unique(arm.member[of]).size))


def _joined(errors: Sequence[float], is_part: bool) -> float:
    """Error of the difference of two figures.

    Of a part and its whole, the chance of the whole is in the part too.
    """
    if len(errors) == 1:
        return errors[0]
    own, other = errors
    variance = own**2 - other**2 if is_part else own**2 + other**2
    return float(np.sqrt(max(variance, (own / 4) ** 2)))


def _row(trait: str, trial: Trial, found: _Contrast) -> SeenContrast:
    is_part, row = found.over is None, found.row
    error = _joined(found.errors, is_part)
    own, chance = (_joined(parts, is_part) for parts in found.chances)
    best, members = float(found.values[0]), found.values[1:]
    members = members[np.isfinite(members)]
    low, high = predictive_range(members, best, chance, own)
    arm, versus = ("", "") if isinstance(row, Prognosis) else (row.arm, getattr(row, "versus", ""))
    return SeenContrast(
        trait=trait,
        trial=trial.id,
        arm=arm,
        versus=versus,
        what=f"{row.endpoint} {found.what}",
        group=row.subgroup or "",
        over=found.over or "",
        published=float(np.exp(found.published)),
        published_low=float(np.exp(found.published - NINETY * error)),
        published_high=float(np.exp(found.published + NINETY * error)),
        predicted=float(np.exp(best)),
        low=float(np.exp(low)),
        high=float(np.exp(high)),
        verdict=verdict_of(found.published, error, best, (high - low) / (2 * NINETY)),
        source=row.source or "",
    )
