"""Survival statistics of many sets of patients at once, as :mod:`her2sim.trials.survival` of each.

A calibration asks for the same figures of some hundred sets of numbers, each with its own outcomes
of the same patients. Arrays have shape (n_sets, n); ``chosen`` says who counts.
"""

from __future__ import annotations

import numpy as np

from her2sim.arrays import Array, Mask, Positions
from her2sim.trials.survival import AROUND_HALF, SHORTEST

TIED = 1e-12
"""Survival so little above a level is at it."""
_STEPS = 30
_FARTHEST = 4.0
"""Logarithm of a hazard ratio that is not passed: nobody progresses in one of the arms."""
_ENOUGH = 1e-8


def survival_at(time: Array, event: Mask, chosen: Mask, at: Array) -> Array:
    """Kaplan-Meier survival of each set at some times, shape (n_sets, n_times).

    Parameters
    ----------
    time, event, chosen : of each patient in each set, shape (n_sets, n)
    at : times, shape (n_times,)
    """
    times, curve = _curves(time, event, chosen)
    place = np.stack([(times <= t).sum(axis=1) for t in at], axis=1)
    found: Array = np.take_along_axis(curve, place, axis=1)
    return found


def log_median(time: Array, event: Mask, chosen: Mask, latest: float) -> Array:
    """Logarithm of the median time of each set, shape (n_sets,).

    Times of progression crowd around scans, so that a median sticks to them: it is the mean of the
    logarithms at which survival passes levels around a half. ``latest`` stands for what is not
    reached.
    """
    times, curve = _curves(time, event, chosen)
    last = np.full((times.shape[0], 1), latest)
    padded = np.minimum(np.concatenate([times, last], axis=1), latest)
    below = curve[:, 1:] - TIED
    passed = [np.argmax(np.c_[below <= level, last > 0], axis=1) for level in AROUND_HALF]
    at = np.take_along_axis(padded, np.stack(passed, axis=1), axis=1)
    found: Array = np.log(np.maximum(at, SHORTEST)).mean(axis=1)
    return found


def _curves(time: Array, event: Mask, chosen: Mask) -> tuple[Array, Array]:
    """Times in order, (n_sets, n), and survival before and after each, (n_sets, n + 1)."""
    order = _order(time, event, chosen)
    times = np.take_along_axis(np.where(chosen, time, np.inf), order, axis=1)
    happens = np.take_along_axis(event & chosen, order, axis=1)
    at_risk = _left(np.take_along_axis(chosen, order, axis=1))
    with np.errstate(divide="ignore"):
        steps = np.log1p(-np.where(happens, 1.0 / np.maximum(at_risk, 1.0), 0.0))
    sums = np.concatenate([np.zeros((time.shape[0], 1)), np.cumsum(steps, axis=1)], axis=1)
    return times, np.exp(sums)


def log_hazard_ratio(
    time: tuple[Array, Array], event: tuple[Mask, Mask], chosen: tuple[Mask, Mask]
) -> Array:
    """Logarithm of the hazard ratio of the first arm over the second in each set, shape (n_sets,).

    Cox's partial likelihood with Breslow's ties (times of different patients hardly ever tie).

    Parameters
    ----------
    time, event, chosen : of both arms, each of shape (n_sets, n)
    """
    everybody = np.concatenate(chosen, axis=1)
    events = np.concatenate(event, axis=1) & everybody
    order = _order(np.concatenate(time, axis=1), events, everybody)
    in_arm = order < time[0].shape[1]
    counts = np.take_along_axis(everybody, order, axis=1)
    happens = np.take_along_axis(events, order, axis=1)
    first, other = _left(counts & in_arm), _left(counts & ~in_arm)
    seen = (happens & in_arm).sum(axis=1)
    beta = np.zeros(order.shape[0])
    for _ in range(_STEPS):
        odds = first * np.exp(beta)[:, None]
        share = np.where(happens, odds / np.maximum(odds + other, 1e-300), 0.0)
        score = seen - share.sum(axis=1)
        information = (share * (1.0 - share)).sum(axis=1)
        step = np.clip(score / np.maximum(information, 1e-9), -1.0, 1.0)
        beta = np.clip(beta + step, -_FARTHEST, _FARTHEST)
        if np.abs(step).max(initial=0.0) < _ENOUGH:
            break
    return beta


def _left(counts: Mask) -> Array:
    """Who is at risk at the time of each patient, who stand in the order of their times."""
    found: Array = np.cumsum(counts[:, ::-1], axis=1, dtype=np.float64)[:, ::-1]
    return found


def _order(time: Array, event: Mask, chosen: Mask) -> Positions:
    """Patients of each set by their times, events before others; those who do not count last."""
    late = np.nextafter(np.where(chosen, time, np.inf), np.inf)
    found: Positions = np.argsort(np.where(event & chosen, time, late), axis=1, kind="stable")
    return found
