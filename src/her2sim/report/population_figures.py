"""Figures of a population from the outcomes of its patients; NaN where nobody was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from her2sim.biology.blood import CTCAE_LIMITS
from her2sim.units import DAY_PER_MONTH
from her2sim.whole_patient.response import PARTIAL
from her2sim.whole_patient.treat import Treating

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """One figure of the population; NaN where nobody was measured for it.

    ``low`` and ``high`` are the 5th and 95th percentile of what it is in the members of the
    ensemble; None with one member.
    """

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None


def outcomes_of(columns: Mapping[str, Array], how: Treating) -> Iterator[Outcome]:
    """Figures of the population, with their spread over the members."""
    member = columns["member"].astype(np.int64)
    for name, unit, figure in _figures(columns, how):
        value = figure(np.ones(member.size, dtype=bool))
        if member.max() == 0:
            yield Outcome(name, value, unit)
            continue
        each = [figure(member == m) for m in np.unique(member)]
        if np.isnan(each).all():
            yield Outcome(name, value, unit)
            continue
        low, high = np.nanpercentile(each, [5, 95], method="nearest")
        yield Outcome(name, value, unit, float(low), float(high))


Figure = Callable[[NDArray[np.bool_]], float]


def _figures(columns: Mapping[str, Array], how: Treating) -> Iterator[tuple[str, str, Figure]]:
    yield from _efficacy(columns, how)
    for name, values in columns.items():
        kind, _, of = name.partition(":")
        if kind == "intensity":
            yield f"{of}: relative dose intensity", "", _mean(values)
        elif kind == "hold":
            yield f"{of}: days on hold", "day", _mean(values)
        elif kind == "reductions":
            yield f"{of}: reduced at least once", "%", _share(values > 0)
        elif kind == "stopped":
            yield f"{of}: stopped for harm", "%", _share(values > 0)
        elif kind == "lowest":
            severe = values < CTCAE_LIMITS[of][3]
            figure = _share(severe) if np.isfinite(values).any() else _not_measured
            yield f"{of} of grade 3 or 4 at a visit", "%", figure
        elif kind == "worst":
            harm = "interstitial lung disease" if of == "ild" else of.replace("_", " ")
            yield f"{harm}, any grade", "%", _share(values >= 1)
            yield f"{harm}, grade 3 or more", "%", _share(values >= 3)
        elif kind == "event" and of == "heart_failure":
            yield "symptomatic heart failure", "%", _share(np.isfinite(values))
        elif kind == "event" and of == "febrile_neutropenia":
            yield "febrile neutropenia", "%", _share(np.isfinite(values))
    if "day:lvef_drop" in columns:
        fell = np.isfinite(columns["day:lvef_drop"])
        was_measured = not np.isnan(columns["lvef_first"]).all()
        figure = _share(fell) if was_measured else _not_measured
        yield "LVEF measured below 50 % and 10 points down", "%", figure
    yield "days with a harm of grade 2 or more", "day", _mean(columns["days_grade_2"])


def _efficacy(columns: Mapping[str, Array], how: Treating) -> Iterator[tuple[str, str, Figure]]:
    """Response and progression of the patients who have a lesion model."""
    progressed = columns["progressed_day"]
    scanned = ~np.isnan(progressed)
    if not scanned.any():
        return
    yield "objective response", "%", _share(columns["best"] <= PARTIAL, scanned)
    yield "progression-free, median", "month", _median_month(progressed, how.end_day)
    for weeks in (26, 52, 104):
        if weeks * 7 < how.end_day:
            yield f"progression-free at {weeks} weeks", "%", _share(progressed > weeks * 7, scanned)
    has_progressed = np.isfinite(progressed)
    target = np.where(has_progressed, columns["by_target"], np.nan)
    yield "progression by target lesions", "% of progressions", _mean(100 * target)


def _share(of: NDArray[np.bool_], among: NDArray[np.bool_] | None = None) -> Figure:
    """Per cent of the chosen patients, or of those of them ``among`` some; NaN without one."""

    def figure(chosen: NDArray[np.bool_]) -> float:
        who = chosen if among is None else chosen & among
        return 100 * float(of[who].mean()) if who.any() else float("nan")

    return figure


def _mean(of: Array) -> Figure:
    """Mean of what is known of the chosen patients; NaN if nothing is."""

    def figure(chosen: NDArray[np.bool_]) -> float:
        known = of[chosen]
        return float(np.nanmean(known)) if not np.isnan(known).all() else float("nan")

    return figure


def _not_measured(chosen: NDArray[np.bool_]) -> float:
    """What nobody was measured for."""
    return float("nan")


def _median_month(day: Array, end_day: float) -> Figure:
    """Median time to progression; infinite if half are without it at the end."""

    def figure(chosen: NDArray[np.bool_]) -> float:
        known = day[chosen & ~np.isnan(day)]
        if not known.size:
            return float("nan")
        middle = float(np.median(known))
        return middle / DAY_PER_MONTH if middle <= end_day else float("inf")

    return figure
