"""Whether arrays of times, events, arms and strata can be, before any statistic is worked out."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Mask, Whole
from her2sim.errors import DataError

T = TypeVar("T", bound=np.generic)
TIE = 1e-9
"""Times that differ by less are one time: sums of the same days, rounded in another order."""


def checked_times(time: Array, event: Mask) -> tuple[Array, Mask]:
    """Times and events that can be; times that are a rounding apart are made one.

    Parameters
    ----------
    time, event : shape (n,); events are 0 or 1

    Raises
    ------
    DataError
        If there is nobody, lengths differ, a time is missing or negative, or a code is unknown.
    """
    try:
        times = np.asarray(time, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError("times have to be numbers") from None
    if times.ndim != 1:
        raise DataError(f"times have to be one row of numbers; these have {times.ndim} dimensions")
    if times.size == 0:
        raise DataError("there is nobody whose time could be looked at")
    events = of_length(yes_or_no(event, "events"), times.size, "events")
    wrong = np.flatnonzero(~np.isfinite(times) | (times < 0))
    if wrong.size:
        raise DataError(
            f"{wrong.size} times are missing or below zero, the first in row {wrong[0] + 1}"
        )
    return _tied(times), events


def of_length(values: NDArray[T], n: int, what: str) -> NDArray[T]:
    """Values of which there is one a patient.

    Raises
    ------
    DataError
        If there are more or fewer.
    """
    if values.shape != (n,):
        raise DataError(f"{n} times and {values.size} {what} do not go together")
    return values


def yes_or_no(values: Any, what: str) -> Mask:
    """Codes 0 and 1 as false and true.

    Raises
    ------
    DataError
        If there is another code.
    """
    told = np.asarray(values)
    if told.dtype != bool:
        wrong = np.flatnonzero(~np.isin(told, (0, 1)))
        if wrong.size:
            raise DataError(
                f"{what} are 0 or 1 (false or true); row {wrong[0] + 1} has {told[wrong[0]]}, "
                f"{wrong.size} rows in all"
            )
    return told.astype(bool)


def _tied(times: Array) -> Array:
    """Times of which those that are a rounding apart are the earliest of them."""
    order = np.argsort(times, kind="stable")
    steps = np.diff(times[order])
    if not ((steps > 0) & (steps < TIE)).any():
        return times
    first = np.concatenate([[0], np.where(steps < TIE, 0, np.arange(1, times.size))])
    found = times.copy()
    found[order] = times[order][np.maximum.accumulate(first)]
    return found


def checked_sides(n: int, in_arm: Any, stratum: Any) -> tuple[Mask, Whole | None]:
    """Who is in the arm, and in which stratum: each with patients of both arms.

    Raises
    ------
    DataError
        If an arm is empty, a stratum is missing or has patients of one arm only, or lengths differ.
    """
    arm = of_length(yes_or_no(in_arm, "arms"), n, "arms")
    if not arm.any() or arm.all():
        raise DataError("a comparison needs patients in both arms")
    if stratum is None:
        return arm, None
    strata = of_length(np.asarray(stratum), n, "strata")
    if strata.dtype.kind == "f" and not np.isfinite(strata).all():
        raise DataError("a stratum is missing")
    alone = [k for k in np.unique(strata) if np.unique(arm[strata == k]).size == 1]
    if alone:
        named = ", ".join(str(k) for k in alone)
        raise DataError(
            f"stratum {named}: patients of one arm only, which compare nothing; merge it with "
            "another, or leave its patients out"
        )
    return arm, strata
