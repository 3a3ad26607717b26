"""Early disease of many patients: treatment, surgery, relapse and death."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Mask, Positions
from her2sim.biology.early_disease import EarlyTumours, draw_early_tumours, early_number
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.early.clones import Clones
from her2sim.early.course import WASHOUT_DAY, Endocrine, TreatmentPhase, follow
from her2sim.early.events import after_surgery
from her2sim.early.pathology import Pathology, examine
from her2sim.engine.trajectories import Tolerance
from her2sim.pk.treatment import Treatment
from her2sim.regimens.dose import MINUTES_PER_DAY
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.units import DAY_PER_YEAR
from her2sim.virtual_patient.composition import virtual_patient
from her2sim.virtual_patient.known_doses import KnownDoses
from her2sim.virtual_patient.run import TOLERANCE

When = Literal["all", "pcr", "residual"]
ANTIBODIES = ("antibody", "conjugate")
FOREVER = 1e6


@dataclass(frozen=True, eq=False)
class GivenRegimen:
    """A regimen of some patients: doses in days from its start, which is on ``from_day``.

    ``rows`` are patients of the record; no dose is planned after ``end_day``. ``when`` tells after
    which response it is given; ``is_crossover`` is set for the drugs of another arm that some
    cross over to.
    """

    drugs: Sequence[Treatment]
    rows: Positions
    record: DosingRecord
    from_day: float
    end_day: float
    when: When = "all"
    is_crossover: bool = False

    def last_day(self) -> float:
        """Day of the last planned dose, from the start of all: nobody's delays move it."""
        return self._last_of(range(len(self.drugs)), 0.0)

    def last_cytotoxic_day(self) -> float:
        """The same of cytotoxic drugs; minus infinity without one."""
        kinds = [drug.mechanism.kind for drug in virtual_patient(self.drugs).drugs]
        return self._last_of((k for k, kind in enumerate(kinds) if kind == "cytotoxic"), -np.inf)

    def _last_of(self, drugs: Iterable[int], without: float) -> float:
        end_min = round(self.end_day * MINUTES_PER_DAY)
        found = [
            max(phase.times_min(end_min), default=0) / MINUTES_PER_DAY
            for drug in drugs
            for phase in self.drugs[drug].regimen.phases
        ]
        return self.from_day + max(found, default=without)


@dataclass(frozen=True)
class EarlyPlan:
    """When surgery is (infinite: before all), from when events count, and who counts then.

    ``takes``: all without relapse, or those of them with or without residual disease.
    """

    surgery_day: float = np.inf
    clock_day: float = 0.0
    takes: When = "all"


def run_early(
    plan: EarlyPlan,
    people: VirtualCohort,
    courses: Sequence[GivenRegimen],
    places: Positions,
    *,
    crossing: float = 0.0,
    tolerance: Tolerance = TOLERANCE,
    threads: int | None = None,
) -> dict[str, NDArray[np.generic]]:
    """What becomes of patients under courses that are known.

    Parameters
    ----------
    plan : when what is done
    people : patients, any number of times, in any member of the ensemble
    courses : what is given to whom
    places : which patient of the records each of the people is, shape (n,)
    crossing : share of patients without relapse who cross over

    Returns
    -------
    dict
        Columns by name, shape (n,) each; days are from the clock of the plan, infinite without.
        ``relapse_day`` with its first ``site``, ``contralateral_day``, ``other_cancer_day``,
        ``death_day``; ``is_cured``, ``has_nodes``, ``is_enrolled`` (without relapse and eligible
        when the clock begins); after surgery ``bpcr``, ``tpcr`` and ``residual_burden``.
    """
    early, n = draw_early_tumours(people), places.size
    surgery = plan.surgery_day
    everyone = np.ones(n, dtype=bool)
    first = [one for one in courses if one.when == "all" and not one.is_crossover]
    phases = _phases(first, people, places, everyone)
    pathology = None
    if np.isfinite(surgery):
        pathology = _operated(early, phases, surgery, tolerance, threads)
        for when in ("pcr", "residual"):
            chosen = pathology.no_residue == (when == "pcr")
            own = [one for one in courses if one.when == when]
            phases += _phases(own, people, places, chosen)
    cytotoxic = max((one.last_cytotoxic_day() for one in first), default=-np.inf)
    begins = max(
        cytotoxic + early_number("endocrine_after"), surgery if np.isfinite(surgery) else 0.0
    )
    endocrine = Endocrine(begins, begins + early_number("endocrine_years") * DAY_PER_YEAR)
    clones = Clones.of(early, early.log_occult)
    changing = [one for one in courses if one.is_crossover] if crossing else []
    phases = _one_after_another(phases)
    horizon = max([one.until_day for one in phases], default=0.0)
    go = partial(
        follow, early, clones, kill=early.value("kill_occult"), endocrine=endocrine,
        tolerance=tolerance, carried={}, threads=threads,
    )  # fmt: skip
    had_antibody = _had_antibody(phases, n)
    if changing:
        day = min(one.from_day for one in changing)
        go(phases, 0.0, day)
        crosses = np.isinf(clones.found) & (early.uniform("crosses over") < crossing)
        phases = _one_after_another([*phases, *_phases(changing, people, places, crosses)])
        had_antibody |= _had_antibody(phases, n)
        horizon = max(one.until_day for one in phases)
        go(phases, day, horizon)
    else:
        go(phases, 0.0, horizon)
    go((), horizon, FOREVER)
    return _columns(early, clones, pathology, had_antibody, plan)


def _columns(
    early: EarlyTumours,
    clones: Clones,
    pathology: Pathology | None,
    had_antibody: Mask,
    plan: EarlyPlan,
) -> dict[str, NDArray[np.generic]]:
    enrolled = clones.found > plan.clock_day
    found: dict[str, NDArray[np.generic]] = {}
    if pathology is not None:
        found |= {
            "bpcr": pathology.no_residue_breast, "tpcr": pathology.no_residue,
            "residual_burden": pathology.burden,
        }  # fmt: skip
        if plan.takes != "all":
            enrolled &= pathology.no_residue == (plan.takes == "pcr")
    found |= after_surgery(early, clones.found, had_antibody, plan.clock_day)
    found["is_cured"] = np.asarray(~clones.is_alive.any(axis=0) & np.isinf(clones.found))
    found["has_nodes"] = early.has_nodes
    found["is_enrolled"] = np.asarray(enrolled)
    return found


def _had_antibody(phases: Sequence[TreatmentPhase], n: int) -> Mask:
    """Who gets an antibody or a conjugate in some phases, shape (n,)."""
    found = np.zeros(n, dtype=bool)
    for phase in phases:
        if any(drug.mechanism.kind in ANTIBODIES for drug in phase.whole.drugs):
            found |= phase.who
    return found


def _phases(
    courses: Sequence[GivenRegimen], people: VirtualCohort, places: Positions, chosen: Mask
) -> list[TreatmentPhase]:
    """Phases of some courses, for patients who are chosen."""
    found = []
    for course in courses:
        whole = virtual_patient(course.drugs)
        days = course.record.day + course.from_day
        record = replace(course.record, day=days)
        who = chosen & np.isin(places, course.rows)
        doses = KnownDoses(record, whole, people, places)
        found.append(
            TreatmentPhase(whole, doses, who, course.from_day, course.last_day() + WASHOUT_DAY)
        )
    return found


def _one_after_another(phases: Sequence[TreatmentPhase]) -> list[TreatmentPhase]:
    """Phases that end, for each patient, where a later one of the same patient begins."""
    found = []
    for phase in phases:
        ends = np.full(phase.who.size, phase.until_day)
        for other in phases:
            if other.from_day > phase.from_day:
                ends[other.who] = np.minimum(ends[other.who], other.from_day)
        found += [
            replace(phase, who=phase.who & (ends == end), until_day=float(end))
            for end in np.unique(ends[phase.who])
        ]
    return found


def _operated(
    early: EarlyTumours,
    phases: Sequence[TreatmentPhase],
    surgery: float,
    tolerance: Tolerance,
    threads: int | None,
) -> Pathology:
    """Pathology after the treatment before surgery."""
    before = _one_after_another([phase for phase in phases if phase.from_day < surgery])
    primary = Clones.of(early, early.log_primary)
    follow(
        early, primary, before, 0.0, surgery, kill=np.ones(early.log_primary.size),
        endocrine=Endocrine(np.inf, np.inf), tolerance=tolerance, carried={}, threads=threads,
    )  # fmt: skip
    return examine(early, primary.total)
