"""What moves response, depth and the fall of the LVEF: Sobol indices over what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from her2sim import __version__
from her2sim.arrays import Array, Progress, no_progress
from her2sim.biology.ensemble import Members
from her2sim.biology.heart import OWNER as HEART
from her2sim.biology.heart import CardiacProfile, heart_facts
from her2sim.biology.lesion_model import diseases, efficacy_notes, evidence_texts, has_lesion_model
from her2sim.biology.tumour import OWNER, tumour_types
from her2sim.biology.tumour_profile import TumourProfile, tumour_facts
from her2sim.biology.virtual_cohort import draw_virtual_cohort
from her2sim.facts import FactFile, UncertainQuantity
from her2sim.notice import NOTICE
from her2sim.patients.cohort import Cohort
from her2sim.patients.population import Population
from her2sim.pk.combination import Combination
from her2sim.pk.exposure_run import cohort_chunks
from her2sim.protocol.plan import DrugPlan, Protocol
from her2sim.virtual_patient.composition import VirtualPatient, virtual_patient
from her2sim.virtual_patient.run import planned_record, run_virtual_patient
from her2sim.virtual_patient.tumour_scans import is_response

OF_LESION = ("objective response", "depth of response")
OUTCOMES = (*OF_LESION, "fall of the LVEF")
GRID_STEP_DAY = 21.0
FIFTH = 0.2
FEW_SAMPLES, CHANCE = 64, 0.1
AT_ONCE = 20_000
SOLVED_DIGITS = 4
"""What the solver's tolerance leaves of an outcome is no effect of a number."""


@dataclass(frozen=True)
class Unknown:
    """A number with a range: whose it is, and what it rests on."""

    key: str
    quantity: UncertainQuantity
    basis: str


@dataclass(frozen=True)
class Moved:
    """How much of the variance of an outcome a number moves, alone and in all.

    ``at_low`` and ``at_high`` are the means of the outcome with the number in the lowest and in the
    highest fifth of its range, whatever the others are.
    """

    outcome: str
    key: str
    meaning: str
    status: str
    basis: str
    first_order: float
    total: float
    at_low: float
    at_high: float


@dataclass(frozen=True)
class SensitivityReport:
    """The numbers, the most important first, for each outcome.

    ``outcomes`` are those that were worked out: without a lesion model that of the heart only.
    """

    combination: Combination
    population: str
    patients: int
    samples: int
    weeks: int
    seed: int
    outcomes: tuple[str, ...]
    rows: tuple[Moved, ...]
    notes: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        told = {n: getattr(self, n) for n in ("population", "patients", "samples", "weeks", "seed")}
        return {
            "her2sim": __version__,
            "evidence": "\n".join(self.evidence),
            "regimen": self.combination.name,
            **told,
            "outcomes": list(self.outcomes),
            "rows": [vars(row) for row in self.rows],
            "notes": list(self.notes),
            "notice": NOTICE,
        }


def unknowns(whole: VirtualPatient) -> list[Unknown]:
    """Numbers with a range that a whole patient's model uses; without a lesion, those of organs."""
    found = list[Unknown]()
    if whole.lesions:
        found += _with_ranges(OWNER, tumour_facts().parameter, tumour_facts())
    if whole.organs.on_heart:
        found += _with_ranges(HEART, heart_facts().parameter, heart_facts())
    for drug in whole.drugs:
        facts = drug.mechanism
        of_drug = {
            name: quantity
            for name, quantity in facts.parameter.items()
            if whole.lesions or drug.symbol(name) in whole.model.parameters
        }
        found += _with_ranges(facts.drug, of_drug, facts)
    return found


def _with_ranges(
    owner: str, parameters: dict[str, UncertainQuantity], facts: FactFile
) -> Iterator[Unknown]:
    for name, quantity in parameters.items():
        if quantity.low is not None and name != "access_cns":
            source = quantity.source
            basis = facts.source_text(source) if source else (quantity.reason or "")
            yield Unknown(f"{owner}:{name}", quantity, basis)


def sensitivity_report(
    combination: Combination,
    population: Population | Cohort,
    patients: int,
    samples: int,
    weeks: int,
    seed: int,
    tumour: TumourProfile | None = None,
    *,
    progress: Progress = no_progress,
    threads: int | None = None,
) -> SensitivityReport:
    """Sobol indices of outcomes over the numbers that are not known.

    Parameters
    ----------
    combination : drugs of the regimen, given as planned
    population, patients, seed : the same patients are treated with each set of numbers
    samples : a power of two; samples x (numbers + 2) sets are run
    weeks : how long they are treated
    """
    few = next(cohort_chunks(population, patients, seed, patients))
    kinds = tumour_types(few), np.full(few.n_patients, few.setting)
    has_lesion = has_lesion_model(*kinds)
    sites = ("",) if has_lesion.any() else ()
    whole = virtual_patient(combination.treatments, sites, organs=("heart",))
    keys = unknowns(whole)
    run = _Runs(combination, whole, few, weeks * 7.0, tumour, [u.key for u in keys], threads)
    run.total, run.progress = samples * (len(keys) + 2) * patients, progress
    rows = list(_moved(run, keys, samples, seed)) if keys else []
    rows.sort(key=lambda row: (OUTCOMES.index(row.outcome), -row.total))
    return SensitivityReport(
        combination, few.name, patients, samples, weeks, seed, run.outcomes, tuple(rows),
        (*efficacy_notes(diseases(*kinds)), *_few(samples, rows)), evidence_texts(*kinds),
    )  # fmt: skip


def _few(samples: int, rows: Sequence[Moved]) -> Iterator[str]:
    """What to say where the sets are too few for the indices."""
    wrong = [row for row in rows if row.first_order > row.total + CHANCE or row.total < -CHANCE]
    if samples < FEW_SAMPLES or wrong:
        yield (
            f"{samples} samples are few: indices are off by a tenth and more by chance, and their "
            "order with them; 128 or more are steadier."
        )


def _moved(run: _Runs, keys: list[Unknown], samples: int, seed: int) -> Iterator[Moved]:
    """Sobol indices of all outcomes; NaN where nothing moves one."""
    from scipy.stats import sobol_indices, uniform

    rng = np.random.default_rng(seed)
    with np.errstate(invalid="ignore", divide="ignore"):  # an outcome that nothing moves
        found = sobol_indices(func=run, n=samples, dists=[uniform()] * len(keys), rng=rng)
    still = run.highest - run.lowest < 10.0**-SOLVED_DIGITS
    first, total = (np.atleast_2d(x).copy() for x in (found.first_order, found.total_order))
    first[still], total[still] = np.nan, np.nan
    yield from (
        Moved(
            outcome, u.key, u.quantity.meaning, u.quantity.status, u.basis,
            float(first[k, j]), float(total[k, j]), *run.ends(k, j),
        )
        for k, outcome in enumerate(run.outcomes)
        for j, u in enumerate(keys)
    )  # fmt: skip


class _Runs:
    """The model as a function of where each number lies in its range."""

    total = 0
    progress: Progress

    def __init__(
        self,
        combination: Combination,
        whole: VirtualPatient,
        few: Cohort,
        end_day: float,
        tumour: TumourProfile | None,
        keys: list[str],
        threads: int | None,
    ) -> None:
        self.combination, self.whole, self.few = combination, whole, few
        self.end_day, self.tumour, self.keys, self.threads = end_day, tumour, keys, threads
        self.done = 0
        self.outcomes = OUTCOMES if whole.lesions else OUTCOMES[len(OF_LESION) :]
        n = len(self.outcomes)
        self.lowest, self.highest = np.full(n, np.inf), np.full(n, -np.inf)
        self.seen: list[tuple[Array, Array]] = []

    def __call__(self, shares: Array) -> Array:
        """Outcomes, shape (n_outcomes, n), at shares of the ranges, shape (n_numbers, n)."""
        n = shares.shape[1]
        at_once = max(1, AT_ONCE // self.few.n_patients)
        parts = [self._some(shares[:, a : a + at_once]) for a in range(0, n, at_once)]
        outcomes = np.concatenate(parts, axis=1)
        self.lowest = np.minimum(self.lowest, outcomes.min(axis=1))
        self.highest = np.maximum(self.highest, outcomes.max(axis=1))
        self.seen.append((shares.copy(), outcomes.copy()))  # SciPy centres what it gets in place
        return outcomes

    def ends(self, outcome: int, number: int) -> tuple[float, float]:
        """Means of an outcome with a number in the lowest and in the highest fifth of its range."""
        share = np.concatenate([shares[number] for shares, _ in self.seen])
        value = np.concatenate([outcomes[outcome] for _, outcomes in self.seen])
        chosen = share <= FIFTH, share >= 1 - FIFTH
        low, high = (float(value[c].mean()) if c.any() else float("nan") for c in chosen)
        return low, high

    def _some(self, shares: Array) -> Array:
        n, size = shares.shape[1], self.few.n_patients
        rows = np.tile(np.arange(size), n)
        covariates = {name: values[rows] for name, values in self.few.covariates.items()}
        cohort = replace(self.few, numbers=self.few.numbers[rows], covariates=covariates)
        told = {key: np.repeat(shares[j], size) for j, key in enumerate(self.keys)}
        members = Members(np.zeros(rows.size, dtype=np.int64), told)
        people = draw_virtual_cohort(cohort, self.tumour, CardiacProfile(True), members)
        plans = tuple(DrugPlan(t.drug.id, t.regimen) for t in self.combination.treatments)
        record = planned_record(self.whole, cohort, Protocol(plans, self.few.setting, self.end_day))
        grid = np.arange(0.0, self.end_day + 1.0, GRID_STEP_DAY)
        course = run_virtual_patient(
            self.whole, people, record, self.end_day, grid, threads=self.threads
        )
        lvef = course.output("lvef")
        found = [(lvef[:, 0] - lvef.min(axis=1)).reshape(n, size).mean(axis=1)]
        if self.whole.lesions:
            diameters = course.output("diameters_mm")
            best = (diameters / diameters[:, :1]).min(axis=1).reshape(n, size)
            best = best[:, people.tumours.has_lesion_model[:size]]
            found = [is_response(best).mean(axis=1), -np.log(best).mean(axis=1), *found]
        self.done += rows.size
        self.progress(self.done, self.total)
        return np.array(found)
