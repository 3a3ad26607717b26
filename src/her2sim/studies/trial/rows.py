"""Figures of a trial: each published one, and each that was planned, beside what was predicted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from her2sim.arrays import Array
from her2sim.biology.ensemble import FEWEST, FEWEST_MEMBERS, spread
from her2sim.studies.trial.beside import Beside
from her2sim.studies.trial.needs import event_needs, outcome_needs, ratio_needs
from her2sim.studies.trial.ranges import event_range, seen_range
from her2sim.trials.endpoints import ArmOutcomes
from her2sim.trials.measures import CURVES, EARLY_CURVES, SAFETY
from her2sim.trials.member_estimates import (
    event_estimates,
    outcome_estimates,
    ratio_estimates,
    whom,
)
from her2sim.trials.run import RunSettings
from her2sim.trials.survival import hazard_ratio, proportion
from her2sim.trials.trial import Comparison, Outcome, Safety, Trial

Arms = Mapping[str, ArmOutcomes]
Row = TypeVar("Row", Outcome, Safety)
Chance = Callable[[], tuple[float, float]]
Reach = Callable[[float, Array], tuple[float, float]]
LAST_YEAR = 8
USUAL_MONTH = 60.0
"""Month of a curve of early disease, of which no median is reached, where nothing was published."""
UNPUBLISHED = "nothing was published"


@dataclass(frozen=True)
class Estimate:
    """A predicted figure beside the published one; None where there is none.

    ``predicted`` is what the numbers that fit best tell (of replicates, the median).
    ``low`` and ``high`` are the 90 % range of what may be seen: the ensemble, the spread between
    trials and, beside a published figure, the sample of its trial. With one member they are
    the 95 % interval of chance.
    ``constant`` is the mean of all other trials, ``alike`` that of other trials of the same class
    of drugs and line. Infinite: not reached. ``needs`` says what the prediction, or the range of
    one that is there, would need; empty if nothing is missing.
    ``is_measured`` is false where nobody was tested.
    """

    predicted: float | None
    low: float | None
    high: float | None
    published: float | None
    published_low: float | None
    published_high: float | None
    role: str
    source: str
    note: str
    needs: str = ""
    is_measured: bool = True
    constant: float | None = None
    alike: float | None = None

    @property
    def is_inside(self) -> bool | None:
        """Whether the published figure lies in the range; None without one or the other."""
        if self.published is None or self.low is None or self.high is None:
            return None
        return self.low <= self.published <= self.high

    @property
    def is_predicted(self) -> bool:
        """Whether there is a prediction; one that is not reached is one."""
        return self.predicted is not None and not np.isnan(self.predicted)

    @property
    def ratio(self) -> float | None:
        """Predicted over published."""
        if not self.published or self.predicted is None or not np.isfinite(self.predicted):
            return None
        return self.predicted / self.published

    def as_dict(self) -> dict[str, Any]:
        """The figure as plain data."""
        return dict(vars(self))


@dataclass(frozen=True)
class EndpointRow:
    """An endpoint of an arm."""

    arm: str
    endpoint: str
    measure: str
    unit: str
    at_month: float | None
    subgroup: str | None
    figure: Estimate


@dataclass(frozen=True)
class SafetyRow:
    """An adverse event of an arm."""

    arm: str
    event: str
    grade: str
    until_month: float | None
    figure: Estimate


@dataclass(frozen=True)
class HazardRatioRow:
    """A hazard ratio; ``cut_month`` is its data cut after the last patient if it has its own."""

    endpoint: str
    arm: str
    versus: str
    subgroup: str | None
    figure: Estimate
    cut_month: float | None = None


def _estimate(
    values: Array,
    asked: RunSettings,
    row: Any,
    published: float | None,
    needs: Callable[[], str],
    chance: Chance | None,
    reach: Reach | None = None,
    guesses: tuple[float | None, float | None] = (None, None),
) -> Estimate:
    """A figure and its range over the members, beside what was published.

    Parameters
    ----------
    values : the figure in each member, NaN where it says nothing; with the numbers that fit best
        first, if the run has them
    asked : how the trial was run
    needs : what the figure would need, asked if no member has it
    chance : the range of a single member
    reach : the range of what may be seen; that of the members without it
    guesses : from other trials
    """
    best, members = values[: asked.has_best], values[asked.has_best :]
    known = members[~np.isnan(members)]
    predicted, low, high, lacks = None, None, None, ""
    if not np.isnan(values).all():
        is_best = best.size and not np.isnan(best[0])
        predicted = float(best[0] if is_best else np.median(known))
        low, high, lacks = spread(known) if chance is None else (*chance(), "")
        if lacks and members.size >= FEWEST_MEMBERS:
            lacks = f"at least {FEWEST} patients a member"
        if reach is not None and chance is None and not lacks:
            low, high = reach(predicted, known)
    else:
        lacks = needs()
    return Estimate(
        predicted, low, high, published, getattr(row, "low", None), getattr(row, "high", None),
        row.role, row.source or "", row.note or "", lacks, True, *guesses,
    )  # fmt: skip


def _wanted_outcomes(trial: Trial) -> Iterator[Outcome]:
    """Published rows, and the planned endpoints of arms that published none of them."""
    yield from trial.outcome
    there = {(row.arm, row.endpoint, row.measure) for row in trial.outcome}
    for arm in trial.arm:
        for endpoint in (e for e in trial.endpoints if e != "safety"):
            is_late = endpoint in EARLY_CURVES or (trial.setting == "early" and endpoint == "OS")
            is_median = endpoint in CURVES and not is_late
            measure = "median_month" if is_median else "rate_percent"
            at = min(USUAL_MONTH, trial.end_month) if is_late else None
            if (arm.id, endpoint, measure) not in there:
                yield Outcome(
                    arm=arm.id, endpoint=endpoint, measure=measure, at_month=at,
                    status="assumed", reason=UNPUBLISHED,
                )  # fmt: skip


def _by_arm(trial: Trial, rows: Iterable[Row]) -> list[Row]:
    """Rows in the order of the arms of a trial."""
    order = [arm.id for arm in trial.arm]
    return sorted(rows, key=lambda row: order.index(row.arm))


def endpoint_rows(trial: Trial, arms: Arms, asked: RunSettings) -> Iterator[EndpointRow]:
    """Endpoints of each arm, in the order of the arms.

    Parameters
    ----------
    trial, arms : what was run, and the outcomes of each arm by id
    asked : how it was run; with one member the range is that of chance
    """
    beside = Beside(trial)
    for row in _by_arm(trial, _wanted_outcomes(trial)):
        values = outcome_estimates(arms, row)
        needs = partial(outcome_needs, arms, row)
        chance = partial(_chance, arms[row.arm], row) if asked.members == 1 else None
        unit = "month" if row.measure == "median_month" else "%"
        yield EndpointRow(
            row.arm, row.endpoint, row.measure, unit, row.at_month, row.subgroup,
            _estimate(
                values, asked, row, row.value, needs, chance,
                partial(seen_range, beside, arms, row), beside.guesses(row),
            ),
        )  # fmt: skip


def _chance(arm: ArmOutcomes, row: Outcome) -> tuple[float, float]:
    """The 95 % interval of a figure by chance."""
    group = arm.group(row.subgroup)
    if row.endpoint not in CURVES:
        share = proportion(
            int((arm.responded(row.endpoint) & group).sum()), max(1, int(group.sum()))
        )
        return 100 * share[1], 100 * share[2]
    times = arm.times(row.endpoint)
    curve = times.take(group & np.isfinite(times.month)).curve()
    if row.measure == "median_month":
        return curve.median()[1:]
    low, high = curve.band_at(row.at_month or 0.0)
    if low == high == 1.0:  # nobody had the event yet: as of a share
        n = int((group & np.isfinite(times.month) & (times.month >= (row.at_month or 0.0))).sum())
        return (100 * proportion(n, n)[1] if n else 0.0), 100.0
    return 100 * float(low), 100 * float(high)


def safety_rows(trial: Trial, arms: Arms, asked: RunSettings) -> Iterator[SafetyRow]:
    """Adverse events of each arm: those published, and all others that the model has.

    Parameters
    ----------
    trial, arms : what was run, and the outcomes of each arm by id
    asked : how it was run; with one member the range is that of chance
    """
    beside = Beside(trial)
    there = {(row.arm, row.event) for row in trial.safety}
    rows = [*trial.safety]
    rows += [
        Safety(
            arm=arm.id,
            event=event,
            grade=_usual_grade(event),
            status="assumed",
            reason=UNPUBLISHED,
        )
        for arm in trial.arm
        for event in SAFETY
        if (arm.id, event) not in there
    ]
    if trial.setting == "early":
        rows += list(_by_year(trial))
    for row in _by_arm(trial, rows):
        values, is_unmeasured = event_estimates(arms, row), arms[row.arm].is_unmeasured(row.event)
        if values is None and row.value is None and not is_unmeasured:
            continue
        found = np.empty(0) if values is None else values
        needs = partial(event_needs, arms[row.arm], row)
        chance = (
            partial(_event_chance, found, arms[row.arm].member.size) if asked.members == 1 else None
        )
        reach = partial(event_range, beside, arms[row.arm], row)
        figure = _estimate(found, asked, row, row.value, needs, chance, reach)
        figure = replace(figure, is_measured=not is_unmeasured)
        yield SafetyRow(row.arm, row.event, row.grade, row.until_month, figure)


def _event_chance(values: Array, n: int) -> tuple[float, float]:
    """The 95 % interval by chance of an adverse event in n patients of one member."""
    share = proportion(round(float(values[0]) * n / 100), n)
    return 100 * share[1], 100 * share[2]


def _by_year(trial: Trial) -> Iterator[Safety]:
    """Cardiac events year by year."""
    for arm in trial.arm:
        for year in range(1, LAST_YEAR + 1):
            if 12 * year <= trial.end_month:
                yield Safety(
                    arm=arm.id, event="heart_failure", until_month=12.0 * year,
                    status="assumed", reason=UNPUBLISHED,
                )  # fmt: skip


def _usual_grade(event: str) -> str:
    graded = ("neutropenia", "thrombocytopenia", "diarrhoea", "transaminase", "neuropathy")
    return "3" if event in graded else "any"


def ratio_rows(trial: Trial, arms: Arms, asked: RunSettings) -> Iterator[HazardRatioRow]:
    """Hazard ratios that were published or planned.

    Parameters
    ----------
    trial, arms : what was run, and the outcomes of each arm by id
    asked : how it was run; with one member the range is that of chance
    """
    beside = Beside(trial)
    for row in trial.comparison:
        needs = partial(ratio_needs, arms, row)
        chance = partial(_ratio_chance, arms, row) if asked.members == 1 else None
        yield HazardRatioRow(
            row.endpoint, row.arm, row.versus, row.subgroup,
            _estimate(
                ratio_estimates(arms, row), asked, row, row.hazard_ratio, needs, chance,
                partial(seen_range, beside, arms, row), beside.guesses(row),
            ), row.follow_up_month,
        )  # fmt: skip


def _ratio_chance(arms: Arms, row: Comparison) -> tuple[float, float]:
    sides = [arms[arm] for arm in (row.arm, row.versus)]
    times = [arm.times(row.endpoint, row.follow_up_month).take(whom(arm, row)) for arm in sides]
    month = np.concatenate([t.month for t in times])
    event = np.concatenate([t.event for t in times])
    found = hazard_ratio(month, event, np.arange(month.size) < times[0].month.size)
    return found.low, found.high
