"""Statistics of times to an event, on arrays.

A patient is at risk at a time if its own time is not before it, and its entry (if any) is before
it. Times are in any one unit; events are true where the time is that of an event.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, chdtrc, ndtr, ndtri

from her2sim.arrays import Array, Mask, Whole
from her2sim.errors import DataError
from her2sim.trials.survival_input import checked_sides, checked_times, of_length, yes_or_no

LEVEL = 0.95
AROUND_HALF = np.linspace(0.44, 0.56, 13)
"""Levels of survival over which a median is averaged."""
SHORTEST = 1e-3
"""Time below which none counts as a logarithm."""
_MOST_STEPS = 50
_FARTHEST = 20.0
"""Logarithm of a hazard ratio beyond which a step is not followed."""


@dataclass(frozen=True, eq=False)
class KaplanMeier:
    """A survival curve: a step at each time of an event.

    All arrays have shape (n_times,); ``survival`` holds from the time on, ``at_risk`` just before
    it; ``low`` and ``high`` are the log-log interval of Greenwood's variance.
    """

    time: Array
    survival: Array
    low: Array
    high: Array
    at_risk: Whole
    events: Whole

    def at(self, time: Array | float) -> Array:
        """Survival at some times."""
        return self._step(self.survival, time)

    def band_at(self, time: Array | float) -> tuple[Array, Array]:
        """Interval of the survival at some times."""
        return self._step(self.low, time), self._step(self.high, time)

    def _step(self, values: Array, time: Array | float) -> Array:
        place = np.searchsorted(self.time, np.asarray(time, dtype=np.float64), side="right")
        found: Array = np.concatenate([[1.0], values])[place]
        return found

    def middle(self) -> float:
        """The median, between scans too: infinite where it is not reached.

        Times of progression crowd around scans, so that a median sticks to them: this is the mean
        of the logarithms at which survival passes levels around a half.
        """
        if not np.isfinite(_first_at_or_below(self.time, self.survival, 0.5)):
            return float("inf")
        passed = [_first_at_or_below(self.time, self.survival, level) for level in AROUND_HALF]
        reached = np.minimum(passed, self.time[-1])
        return float(np.exp(np.log(np.maximum(reached, SHORTEST)).mean()))

    def median(self) -> tuple[float, float, float]:
        """Median and its interval; infinite where it is not reached."""
        low, middle, high = (
            _first_at_or_below(self.time, curve, 0.5)
            for curve in (self.low, self.survival, self.high)
        )
        return middle, low, high


def _first_at_or_below(time: Array, curve: Array, level: float) -> float:
    below = curve <= level + 1e-12
    return float(time[np.argmax(below)]) if below.any() else float("inf")


def kaplan_meier(time: Array, event: Mask, entry: Array | None = None) -> KaplanMeier:
    """Survival curve of some patients.

    Parameters
    ----------
    time, event : shape (n,)
    entry : when each comes under observation (late entry); from the start if not given

    Raises
    ------
    DataError
        If there is nobody, a time is missing or below its entry, or an event is not 0 or 1.

    Source
    ------
    Kaplan and Meier 1958; Greenwood 1926; Kalbfleisch and Prentice (log-log interval).
    """
    time, event = checked_times(time, event)
    times, place = np.unique(time[event], return_inverse=True)
    events = np.bincount(place, minlength=times.size)
    at_risk = time.size - np.searchsorted(np.sort(time), times, side="left")
    if entry is not None:
        entry = of_length(np.asarray(entry, dtype=np.float64), time.size, "entries")
        if not (entry < time).all():
            raise DataError("a patient enters at or after its own time")
        at_risk = at_risk - (time.size - np.searchsorted(np.sort(entry), times, side="left"))
    survival: Array = np.asarray(np.cumprod(1.0 - events / at_risk), dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(np.cumsum(events / (at_risk * (at_risk - events))))
        width = ndtri(0.5 + LEVEL / 2) * spread / np.log(survival)
        low, high = survival ** np.exp(-width), survival ** np.exp(width)
    none_left = survival <= 0
    low, high = np.where(none_left, 0.0, low), np.where(none_left, 0.0, high)
    return KaplanMeier(times, survival, low, high, at_risk.astype(np.int64), events)


def numbers_at_risk(time: Array, at: Array) -> Whole:
    """How many are at risk at some times."""
    found: Whole = (time.size - np.searchsorted(np.sort(time), at, side="left")).astype(np.int64)
    return found


def follow_up(time: Array, event: Mask) -> tuple[float, float, float]:
    """Median follow-up and its interval, by the reverse Kaplan-Meier method.

    Source
    ------
    Schemper and Smith 1996.
    """
    return kaplan_meier(time, ~yes_or_no(event, "events")).median()


def restricted_mean(time: Array, event: Mask, until: float) -> tuple[float, float]:
    """Mean survival time up to a time, and its standard error.

    Raises
    ------
    DataError
        If the time lies beyond the follow-up, or is not above zero.
    """
    curve = kaplan_meier(time, event)
    last, left = float(np.max(time)), curve.survival[-1] if curve.survival.size else 1.0
    if not (isinstance(until, (int, float, np.number)) and 0 < until < np.inf):
        raise DataError(f"a restricted mean up to {until}: give a time above zero")
    if until > last and left > 0:
        raise DataError(
            f"a restricted mean up to {until:g}: the follow-up ends at {last:g}, with "
            f"{100 * left:.3g} % left; give that time or an earlier one"
        )
    inside = curve.time < until
    times = np.concatenate([[0.0], curve.time[inside], [until]])
    steps = np.concatenate([[1.0], curve.survival[inside]])
    areas = steps * np.diff(times)
    rest = areas.sum() - np.cumsum(areas)[:-1]  # the area right of each event
    at_risk, events = curve.at_risk[inside], curve.events[inside]
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = rest**2 * events / (at_risk * (at_risk - events))
    return float(areas.sum()), float(np.sqrt(np.nansum(parts)))


@dataclass(frozen=True)
class HazardRatio:
    """A hazard ratio of an arm against another: 95 % interval, and the p value of Wald's test."""

    value: float
    low: float
    high: float
    p: float


def hazard_ratio(
    time: Array, event: Mask, in_arm: Mask, stratum: Whole | None = None
) -> HazardRatio:
    """Hazard ratio of one arm against the rest by a (stratified) Cox model, ties by Efron.

    Parameters
    ----------
    time, event, in_arm : shape (n,)
    stratum : number of the stratum of each patient; one for all if not given

    Raises
    ------
    DataError
        If an arm is empty, or has no event while the other has (the ratio is not finite), or a
        stratum has patients of one arm only.

    Source
    ------
    Cox 1972; Efron 1977.
    """
    time, event = checked_times(time, event)
    arm, stratum = checked_sides(time.size, in_arm, stratum)
    _require_both(event, arm)
    own, other, tied_own, tied_other, share = _risk_sets(time, event, arm, stratum)
    observed = float(np.count_nonzero(event & arm))
    beta = 0.0
    for _ in range(_MOST_STEPS):
        ratio = np.exp(beta)
        mine = (own - share * tied_own) * ratio
        expected = mine / (mine + other - share * tied_other)
        slope = float((expected * (1 - expected)).sum())
        if slope == 0:
            raise DataError("no event while both arms are at risk: nothing to compare")
        step = (observed - float(expected.sum())) / slope
        beta += float(np.clip(step, -1.0, 1.0))
        if abs(beta) > _FARTHEST:
            raise DataError("the hazard ratio is not finite: all events of an arm come last")
        if abs(step) < 1e-10:
            break
    error = 1 / np.sqrt(slope)
    width = ndtri(0.5 + LEVEL / 2) * error
    p = 2 * float(ndtr(-abs(beta) / error))
    return HazardRatio(
        float(np.exp(beta)), float(np.exp(beta - width)), float(np.exp(beta + width)), p
    )


def log_rank(
    time: Array, event: Mask, in_arm: Mask, stratum: Whole | None = None
) -> tuple[float, float]:
    """Statistic of the (stratified) log-rank test, and its p value (one degree of freedom).

    Raises
    ------
    DataError
        If an arm is empty, no event falls where both are at risk, or a stratum has one arm only.

    Source
    ------
    Mantel 1966; hypergeometric variance.
    """
    time, event = checked_times(time, event)
    arm, stratum = checked_sides(time.size, in_arm, stratum)
    excess, variance = 0.0, 0.0
    for chosen in _strata(time.size, stratum):
        t, e, a = time[chosen], event[chosen], arm[chosen]
        times, place = np.unique(t[e], return_inverse=True)
        d = np.bincount(place, minlength=times.size)
        d_own = np.bincount(place, weights=a[e], minlength=times.size)
        n, n_own = (numbers_at_risk(x, times) for x in (t, t[a]))
        excess += float((d_own - d * n_own / n).sum())
        many = n > 1
        parts = d * (n_own / n) * (1 - n_own / n) * (n - d) / np.where(many, n - 1, 1)
        variance += float(parts[many].sum())
    if variance == 0:
        raise DataError("no event while both arms are at risk: nothing to compare")
    statistic = excess**2 / variance
    return statistic, float(chdtrc(1, statistic))


def proportion(n_events: int, n: int) -> tuple[float, float, float]:
    """A share and its exact 95 % interval (Clopper and Pearson 1934)."""
    if n < 1 or not 0 <= n_events <= n or n != int(n) or n_events != int(n_events):
        raise DataError(f"{n_events} of {n} is no share")
    tail = (1 - LEVEL) / 2
    low = float(betaincinv(n_events, n - n_events + 1, tail)) if n_events else 0.0
    high = float(betaincinv(n_events + 1, n - n_events, 1 - tail)) if n_events < n else 1.0
    return n_events / n, low, high


def _require_both(event: Mask, arm: Mask) -> None:
    for name, chosen in (("the arm", arm), ("the other arm", ~arm)):
        if not (event & chosen).any():
            raise DataError(f"a hazard ratio is not finite: {name} has no event")


def _strata(n: int, stratum: Whole | None) -> list[NDArray[np.int64]]:
    if stratum is None:
        return [np.arange(n)]
    return [np.flatnonzero(stratum == k) for k in np.unique(stratum)]


def _risk_sets(
    time: Array, event: Mask, arm: Mask, stratum: Whole | None
) -> tuple[Array, Array, Array, Array, Array]:
    """One entry an event: patients of both arms at risk, those of them with an event at the time,
    and the share of the tied ones that is taken off.
    """
    parts = []
    for chosen in _strata(time.size, stratum):
        t, e, a = time[chosen], event[chosen], arm[chosen]
        times, place = np.unique(t[e], return_inverse=True)
        if not times.size:
            continue
        tied = np.bincount(place, minlength=times.size)
        tied_own = np.bincount(place, weights=a[e], minlength=times.size)
        n, n_own = (numbers_at_risk(x, times) for x in (t, t[a]))
        rows = np.repeat(np.arange(times.size), tied)
        rank = np.arange(rows.size) - np.repeat(np.cumsum(tied) - tied, tied)
        parts.append(
            np.array(
                [
                    n_own[rows], (n - n_own)[rows], tied_own[rows], (tied - tied_own)[rows],
                    rank / tied[rows],
                ]
            )
        )  # fmt: skip
    own, other, tied_own, tied_other, share = np.concatenate(parts, axis=1)
    return own, other, tied_own, tied_other, share
