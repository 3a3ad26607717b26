"""Figures of a population from the outcomes of its patients, and what is missing for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array, Mask
from her2sim.biology.blood import CTCAE_LIMITS
from her2sim.biology.ensemble import FEWEST, spread
from her2sim.units import DAY_PER_MONTH
from her2sim.virtual_patient.treat import TreatmentPlan
from her2sim.virtual_patient.tumour_scans import PARTIAL

NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class PopulationEstimate:
    """One figure of the population; without a value if too few patients have it.

    ``low`` and ``high`` are the 5th and 95th percentile of what it is in the members of the
    ensemble; None with one member, or too few. ``needs`` says what the value, or the range of one
    that is there, would need, or that nobody was measured; empty if nothing is missing.
    """

    name: str
    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    needs: str = ""


@dataclass(frozen=True, eq=False)
class _Summary:
    """A number of each patient, NaN where it is not known, and how a group is summed up."""

    values: Array
    sum_up: Callable[[Array], float]

    @property
    def n_known(self) -> int:
        """Patients who have the number."""
        return int(np.count_nonzero(~np.isnan(self.values)))

    def of(self, chosen: Mask) -> float:
        """The figure of some patients; NaN if too few have it."""
        known = self.values[chosen & ~np.isnan(self.values)]
        return self.sum_up(known) if known.size >= FEWEST else float("nan")


def estimates_of(columns: Mapping[str, Array], how: TreatmentPlan) -> Iterator[PopulationEstimate]:
    """Figures of the population, with their spread over the members."""
    member = columns["member"].astype(np.int64)
    for name, unit, figure in _figures(columns, how):
        value = figure.of(np.ones(member.size, dtype=bool))
        if np.isnan(value):
            yield PopulationEstimate(name, None, unit, needs=needs_text(figure.n_known))
        elif member.max() == 0:
            yield PopulationEstimate(name, value, unit)
        else:
            each = np.array([figure.of(member == m) for m in np.unique(member)])
            low, high, needs = spread(each[~np.isnan(each)], f"members of {FEWEST} patients")
            yield PopulationEstimate(name, value, unit, low, high, needs)


def needs_text(n: int) -> str:
    """What a figure would need that so many patients have."""
    return f"at least {FEWEST} patients; {n} here" if n else NOT_MEASURED


def _figures(
    columns: Mapping[str, Array], how: TreatmentPlan
) -> Iterator[tuple[str, str, _Summary]]:
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
            was_read = np.full(values.size, np.isfinite(values).any())
            severe = values < CTCAE_LIMITS[of][3]
            yield f"{of} of grade 3 or 4 at a visit", "%", _share(severe, was_read)
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
        was_read = np.full(fell.size, not np.isnan(columns["lvef_first"]).all())
        yield "LVEF measured below 50 % and 10 points down", "%", _share(fell, was_read)
    yield "days with a harm of grade 2 or more", "day", _mean(columns["days_grade_2"])


def _efficacy(
    columns: Mapping[str, Array], how: TreatmentPlan
) -> Iterator[tuple[str, str, _Summary]]:
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


def _share(is_so: Mask, among: Mask | None = None) -> _Summary:
    """Per cent of patients, or of those of them ``among`` some."""
    values = is_so.astype(np.float64)
    if among is not None:
        values = np.where(among, values, np.nan)
    return _Summary(values, lambda known: 100 * float(known.mean()))


def _mean(values: Array) -> _Summary:
    return _Summary(values, lambda known: float(known.mean()))


def _median_month(day: Array, end_day: float) -> _Summary:
    """Median time to progression; infinite if half are without it at the end."""

    def middle(known: Array) -> float:
        found = float(np.median(known))
        return found / DAY_PER_MONTH if found <= end_day else float("inf")

    return _Summary(day, middle)
