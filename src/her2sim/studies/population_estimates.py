"""Figures of a population from the outcomes of its patients, and what is missing for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Mask, Whole
from her2sim.biology.blood import CTCAE_LIMITS
from her2sim.biology.ensemble import FEWEST, spread
from her2sim.early.events import event_days
from her2sim.units import DAY_PER_MONTH, DAY_PER_YEAR
from her2sim.virtual_patient.heart_tests import USUAL
from her2sim.virtual_patient.outcomes import PatientOutcomes
from her2sim.virtual_patient.treat import TreatmentPlan
from her2sim.virtual_patient.tumour_scans import is_response

NOT_MEASURED = "not measured"
HAZARDS = {
    "heart_failure": "symptomatic heart failure",
    "febrile_neutropenia": "febrile neutropenia",
}
EVENT_NAMES = {
    "diarrhoea": "diarrhoea",
    "nausea": "nausea",
    "fatigue": "fatigue",
    "infusion_reaction": "infusion reaction",
    "transaminase": "transaminase",
    "neuropathy": "neuropathy",
    "ild": "interstitial lung disease",
}
"""Adverse events with grades, in words."""


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


def estimates_of(
    outcomes: PatientOutcomes,
    member: Whole,
    how: TreatmentPlan,
    early: Mapping[str, NDArray[np.generic]] | None = None,
) -> Iterator[PopulationEstimate]:
    """Figures of the population, with their spread over the members, shape (n,).

    ``early`` are columns of :func:`her2sim.early.run.run_early` of all patients, NaN for
    those without early disease.
    """
    figures = [*_figures(outcomes, how), *(_of_early(early) if early else ())]
    for name, unit, figure in figures:
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


Named = Iterator[tuple[str, str, _Summary]]
"""Name, unit and summary of each figure."""


def _figures(outcomes: PatientOutcomes, how: TreatmentPlan) -> Named:
    yield from _efficacy(outcomes, how)
    yield from _events(outcomes)
    yield from _counts(outcomes)
    for drug in outcomes.drugs:
        of = outcomes.drug(drug)
        yield f"{drug}: relative dose intensity", "", _mean(of.dose_intensity)
        yield f"{drug}: days on hold", "day", _mean(of.hold_day)
        yield f"{drug}: reduced at least once", "%", _share(of.n_reductions > 0)
        yield f"{drug}: stopped for an adverse event", "%", _share(of.is_stopped > 0)
    fell, first = outcomes.lvef_fall_day(USUAL), outcomes.first_lvef
    if fell is not None and first is not None:
        was_read = np.full(fell.size, not np.isnan(first).all())
        name = "LVEF measured below 50 % and 10 points down"
        yield name, "%", _share(np.isfinite(fell), was_read)
    yield "days with an adverse event of grade 2 or more", "day", _mean(outcomes.days_grade_2)


def _efficacy(outcomes: PatientOutcomes, how: TreatmentPlan) -> Named:
    """Response and progression of the patients who have a lesion model."""
    progressed = outcomes.scanned("progressed_day")
    scanned = ~np.isnan(progressed)
    if not scanned.any():
        return
    yield "objective response", "%", _share(is_response(outcomes.scanned("best")), scanned)
    yield "progression-free, median", "month", _median_month(progressed, how.end_day)
    for weeks in (26, 52, 104):
        if weeks * 7 < how.end_day:
            yield f"progression-free at {weeks} weeks", "%", _share(progressed > weeks * 7, scanned)
    has_progressed = np.isfinite(progressed)
    target = np.where(has_progressed, outcomes.scanned("by_target"), np.nan)
    yield "progression by target lesions", "% of progressions", _mean(100 * target)


def _of_early(columns: Mapping[str, NDArray[np.generic]]) -> Named:
    """Cure, relapse and survival of patients with early breast cancer."""
    is_cured = np.asarray(columns["is_cured"], dtype=np.float64)
    has_early = ~np.isnan(is_cured)
    yield "cured (no hidden spread is left)", "%", _share(is_cured > 0, has_early)
    for endpoint, words in EARLY_SHOWN.items():
        day, _ = event_days(columns, endpoint)
        for years in (5, 10):
            is_free = day > years * DAY_PER_YEAR
            yield f"{words} at {years} years", "%", _share(is_free, has_early)


EARLY_SHOWN = {"iDFS": "without invasive disease", "OS": "alive"}


def _events(outcomes: PatientOutcomes) -> Named:
    """Adverse events: those that are there or not, then those with grades."""
    for hazard, name in HAZARDS.items():
        day = outcomes.event_day(hazard)
        if day is not None:
            yield name, "%", _share(np.isfinite(day))
    for event in outcomes.graded_events(EVENT_NAMES):
        worst = outcomes.worst_grade(event)
        assert worst is not None
        name = EVENT_NAMES[event]
        yield f"{name}, any grade", "%", _share(worst >= 1)
        yield f"{name}, grade 3 or more", "%", _share(worst >= 3)


def _counts(outcomes: PatientOutcomes) -> Named:
    for line in outcomes.lines:
        lowest = outcomes.lowest_count(line)
        assert lowest is not None
        was_read = np.full(lowest.size, np.isfinite(lowest).any())
        severe = lowest < CTCAE_LIMITS[line][3]
        yield f"{line} of grade 3 or 4 at a visit", "%", _share(severe, was_read)


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
