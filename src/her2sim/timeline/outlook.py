"""What becomes of one patient with early disease: cure, relapse and survival, with their ranges.

Patients like this one are followed through the doses that were really given, in each member of the
ensemble: a range holds what members differ in, not the chance of one patient.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array, Positions
from her2sim.biology.ensemble import Members, ensemble
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.early.events import event_days
from her2sim.early.run import EarlyPlan, GivenRegimen, run_early
from her2sim.pk.treatment import Treatment
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.units import DAY_PER_MONTH, DAY_PER_WEEK

PER_MEMBER = 100
BEST = 600
"""Patients like this one in each member, and with the numbers that fit best."""
LAST_MONTH = 120
STEP_MONTH = 3


@dataclass(frozen=True)
class Chance:
    """A probability in per cent: with the numbers that fit best, 5th and 95th percentile."""

    name: str
    percent: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class OutlookCurve:
    """Share without an event at some months from the first dose, in per cent."""

    endpoint: str
    title: str
    month: Array
    percent: Array
    low: Array
    high: Array


@dataclass(frozen=True, eq=False)
class Outlook:
    """What becomes of patients like this one."""

    chances: tuple[Chance, ...]
    curves: tuple[OutlookCurve, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """The same as plain data."""
        return {
            "chances": [vars(one) for one in self.chances],
            "curves": [
                {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in vars(c).items()}
                for c in self.curves
            ],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, eq=False)
class GivenLine:
    """Drugs of a line of treatment, and the doses that were given, in days of the course."""

    treatments: Sequence[Treatment]
    record: DosingRecord
    start_day: float
    length_day: float


TITLES = {"iDFS": "without invasive disease", "RFI": "without relapse", "OS": "alive"}


def members_of_outlook() -> Members:
    """The member of each patient like this one."""
    n = len(ensemble().draws)
    return Members(
        np.concatenate([np.zeros(BEST, dtype=np.int64), np.repeat(1 + np.arange(n), PER_MEMBER)])
    )


def early_outlook(people: VirtualCohort, lines: Sequence[GivenLine], surgery_day: float) -> Outlook:
    """The outlook of patients who are like one.

    Parameters
    ----------
    people : patients like the one, in the members of :func:`members_of_outlook`
    lines : what was given
    surgery_day : infinite for a patient who was operated on before
    """
    the_one = np.zeros(1, dtype=np.int64)
    courses = [
        GivenRegimen(line.treatments, the_one, line.record, line.start_day, line.length_day)
        for line in lines
    ]
    places = np.zeros(people.cohort.n_patients, dtype=np.int64)
    columns = run_early(EarlyPlan(surgery_day), people, courses, places)
    ids = people.members.ids

    def chance(name: str, had: Array) -> Chance:
        shares = _by_member(100.0 * np.asarray(had, dtype=np.float64), ids)
        return Chance(name, *_range(shares))

    chances = [chance("cure: no hidden spread is left", columns["is_cured"])]  # type: ignore[arg-type]
    if "tpcr" in columns:
        chances.append(chance("complete response in breast and nodes", columns["tpcr"]))  # type: ignore[arg-type]
        chances.append(chance("complete response in the breast", columns["bpcr"]))  # type: ignore[arg-type]
    curves, month = list[OutlookCurve](), np.arange(0.0, LAST_MONTH + 1, STEP_MONTH)
    for endpoint, title in TITLES.items():
        event, ends = event_days(columns, endpoint)
        if endpoint == "RFI":  # other deaths do not count here
            event = np.where(event <= ends, event, np.inf)
        free = 100.0 * (event[:, None] > month[None] * DAY_PER_MONTH)
        at = np.array([_range(_by_member(column, ids)) for column in free.T])
        curves.append(OutlookCurve(endpoint, title, month, *at.T))
        for years in (5, 10):
            place = int(np.searchsorted(month, 12 * years))
            chances.append(Chance(f"{title} at {years} years", *(float(v) for v in at[place])))
    until = max(line.start_day + line.length_day for line in lines)
    counted = f"What was given until week {until / DAY_PER_WEEK:g} counts; longer courses: --weeks."
    return Outlook(
        tuple(chances),
        tuple(curves),
        (*NOTES, counted, *not_told(people.cohort.covariates, "[body] of the patient file")),
    )


NOTES = (
    "Ranges are of patients like this one in the members of the ensemble (5th to 95th percentile); "
    "what the file does not tell of the tumour is drawn. They do not hold the chance of one "
    "patient.",
    "Size and nodes are those before any treatment; endocrine therapy is taken for five years "
    "where there are hormone receptors; radiotherapy is given as in trials.",
)


def not_told(told: Collection[str], where: str) -> Iterator[str]:
    """What early disease needs and was not told in a file or a population, in words."""
    missing = [name for name in DEFAULTS if name not in told]
    if missing:
        words = "; ".join(f"{name}: {DEFAULTS[name]}" for name in missing)
        yield f"Not told in {where}, so taken as follows: {words}."


DEFAULTS = {
    "tumour_mm": "a size is drawn (median 24 mm)",
    "positive_nodes": "no node is positive",
    "locally_advanced": "not locally advanced",
}
"""What is taken where the file does not tell it."""


def _by_member(values: Array, ids: Positions) -> Array:
    """Mean of each member, that of the numbers that fit best first."""
    sums = np.bincount(ids, weights=values)
    found: Array = sums / np.bincount(ids)
    return found


def _range(shares: Array) -> tuple[float, float, float]:
    best = float(shares[0])
    low, high = np.quantile(shares[1:], [0.05, 0.95])
    return best, min(float(low), best), max(float(high), best)
