"""What happens to a population on a regimen: response, adverse events, doses and decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim import __version__
from her2sim.arrays import Array, Progress, no_progress
from her2sim.biology.blood import CTCAE_LIMITS
from her2sim.biology.ensemble import FEWEST, Members, require_members
from her2sim.biology.heart import CardiacProfile
from her2sim.biology.lesion_model import (
    efficacy_notes,
)
from her2sim.biology.tumour_profile import TumourProfile
from her2sim.biology.virtual_cohort import VirtualCohort, draw_virtual_cohort
from her2sim.drugs.toxicity import LINES, Line, load_toxicity
from her2sim.notice import NOTICE
from her2sim.patients.cohort import Cohort
from her2sim.patients.population import Population
from her2sim.pk.combination import Combination
from her2sim.pk.exposure_run import cohort_chunks
from her2sim.pulse import Watcher, watched
from her2sim.regimens.dose import MINUTES_PER_DAY
from her2sim.regimens.library import otherwise_labelled
from her2sim.studies.gathered import Gathered, early_of
from her2sim.studies.population_estimates import PopulationEstimate, estimates_of, needs_text
from her2sim.timeline.outlook import not_told
from her2sim.units import DAY_PER_WEEK
from her2sim.virtual_patient.run import run_virtual_patient
from her2sim.virtual_patient.treat import PROGRESSION, Treated, TreatmentPlan, treat

BAND_PATIENTS = 500
SHOWN = {
    "diameters_mm": "sum of diameters over the first",
    "lvef": "true LVEF (%)",
    "count_neutrophils": "neutrophils (1e9/L)",
    "count_platelets": "platelets (1e9/L)",
}
COUNTS: dict[str, Line] = {f"count_{line}": line for line in LINES}


@dataclass(frozen=True)
class Band:
    """Median, 5th and 95th percentile of an output over time, in some of the patients."""

    title: str
    time_day: Array
    median: Array
    p5: Array
    p95: Array

    def as_dict(self) -> dict[str, Any]:
        """The band as plain data."""
        numbers = {name: v.tolist() for name, v in vars(self).items() if name != "title"}
        return {"title": self.title, **numbers}


PATIENTS_AT_ONCE = 7_000
"""Patients of a chunk: what is in memory at a time."""


@dataclass(frozen=True)
class Acted:
    """How many patients a rule acted on, by what it did."""

    rule: str
    decision: str
    patients: float
    is_confirmed: bool


@dataclass(frozen=True, eq=False)
class PopulationReport:
    """The report on a population."""

    combination: Combination
    population: str
    patients: int
    seed: int
    members: int
    how: TreatmentPlan
    outcomes: tuple[PopulationEstimate, ...]
    acted: tuple[Acted, ...]
    bands: tuple[Band, ...]
    notes: tuple[str, ...]
    tumour: TumourProfile
    heart: CardiacProfile
    evidence: tuple[str, ...] = ()
    """What predictions of efficacy rest on, for tumour types other than breast cancer."""

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        return {
            "her2sim": __version__,
            "evidence": "\n".join(self.evidence),
            "regimen": self.combination.name,
            "population": self.population,
            "patients": self.patients,
            "seed": self.seed,
            "members": self.members,
            "weeks": self.how.end_day / 7,
            "region": self.how.region,
            "rules": self.how.by_rules,
            "confirmed_by_repeat": self.how.is_confirmed_by_repeat,
            "unconfirmed_rules": self.how.unconfirmed,
            "scan": self.how.scan,
            "given_with": list(self.how.given_with),
            "without": list(self.how.off),
            "tumour": vars(self.tumour),
            "heart": vars(self.heart),
            "outcomes": [vars(outcome) for outcome in self.outcomes],
            "rules_that_acted": [vars(acted) for acted in self.acted],
            "bands": [
                {
                    name: v.tolist() if isinstance(v, np.ndarray) else v
                    for name, v in vars(b).items()
                }
                for b in self.bands
            ],
            "notes": list(self.notes),
            "notice": NOTICE,
        }


def _harmless(combination: Combination) -> Iterator[str]:
    """That zeros of some drugs are not what was seen: nothing of their harm is modelled."""
    drugs = [one.drug.id for one in combination.treatments]
    unknown = [drug for drug in drugs if not load_toxicity(drug).is_known]
    if unknown:
        yield f"No adverse event of {', '.join(unknown)} is modelled, which does not mean none."


def _of_other_tumours(combination: Combination, tumour_types: set[str]) -> Iterator[str]:
    """That labels name another dose of a drug for these tumours."""
    for one in combination.treatments:
        for text in otherwise_labelled(one.drug.id, one.regimen.name, tumour_types):
            yield f"Dose: {text}."


def _within(progress: Progress, done: int, n: int, total: int) -> Watcher:
    """Tells progress while some patients are treated."""
    return lambda share: progress(done + int(share * n), total)


def population_report(
    combination: Combination,
    population: Population | Cohort,
    patients: int,
    seed: int,
    how: TreatmentPlan,
    tumour: TumourProfile | None = None,
    heart: CardiacProfile | None = None,
    *,
    members: int = 1,
    seen: Callable[[Treated], None] = lambda treated: None,
    progress: Progress = no_progress,
    threads: int | None = None,
) -> PopulationReport:
    """Treat a population and gather what happened.

    Parameters
    ----------
    combination : drugs of the regimen
    population : whom to draw, or patients
    patients, seed : how many, and what decides everything about them
    how : length, setting, rules and methods
    tumour, heart : what is known of all patients
    members : members of the ensemble; with one, the values of the fact files
    seen : called with patients who were treated, before they are forgotten
    """
    require_members(members)
    gathered, done = Gathered(), 0
    for cohort in cohort_chunks(population, patients, seed, PATIENTS_AT_ONCE):
        number = np.arange(done, done + cohort.n_patients)
        own = np.zeros(number.size, dtype=np.int64) if members == 1 else 1 + number % members
        people = draw_virtual_cohort(cohort, tumour, heart, Members(own))
        before = done
        for rows in _alike(people):
            with watched(_within(progress, before, rows.size, patients)):
                treated = treat(combination.treatments, people.take(rows), how, threads=threads)
            before += rows.size
            gathered.add(treated, early_of(treated, how.end_day, threads))
            seen(treated)
            if done == 0:
                _follow(gathered.followed, treated, int((rows < BAND_PATIENTS).sum()), how, threads)
            del treated  # before the next ones need the room
        done += cohort.n_patients
        progress(done, patients)
    bands, often = _bands(gathered.followed, how)
    acted = [
        Acted(rule, decision, n / patients, gathered.confirmed.get(rule, True))
        for (rule, decision), n in sorted(gathered.acted.items(), key=lambda item: -item[1])
        if rule != PROGRESSION.id
    ]
    of_lesion = _OF_LESION if "diameters_mm" in gathered.followed else ()
    name = population.name
    estimates = estimates_of(
        gathered.outcomes(), np.concatenate(gathered.members), how, gathered.early_columns()
    )
    return PopulationReport(
        combination, name, patients, seed, members, how, (*estimates, *often), tuple(acted), bands,
        (
            *combination.notes, *_of_other_tumours(combination, gathered.tumour_types),
            *_harmless(combination), *efficacy_notes(gathered.without_model()), *of_lesion,
            *(_early_notes(gathered, combination, how) if any(gathered.early) else ()), *_NOTES,
            *(_ONE_MEMBER if members == 1 and gathered.evidence else ()),
        ),
        tumour or TumourProfile(), heart or CardiacProfile(),
        tuple(gathered.evidence),
    )  # fmt: skip


def _alike(people: VirtualCohort) -> Iterator[NDArray[np.int64]]:
    """Positions of patients with metastatic breast cancer, with early breast cancer, and others:
    each group is treated by itself, so that nobody's numbers depend on the company.
    """
    traits, has_lesion = people.tumours.traits, people.tumours.has_lesion_model
    early = (traits["tumour_type"] == "breast") & (traits["setting"] == "early")
    for chosen in (has_lesion, early, ~has_lesion & ~early):
        rows = np.flatnonzero(chosen)
        if rows.size:
            yield rows


_OF_LESION = (
    "Tumour numbers are an ensemble calibrated to anchor trials: believe ranges and contrasts.",
)
_ONE_MEMBER = (
    "One set of numbers, so no ranges; with thin evidence they matter most: use --members 24, and "
    "--earlier-lines for later lines.",
)
_OF_EARLY = (
    "Early disease: surgery came before the regimen, and no other drug against the tumour was "
    "given before it; treatment before surgery: her2sim course --surgery, or a trial file.",
)


def _early_notes(gathered: Gathered, combination: Combination, how: TreatmentPlan) -> Iterator[str]:
    """What a reader must know of outcomes of early disease."""
    yield from _OF_EARLY
    yield from not_told(gathered.told_of_early, "the population")
    end_min = round(how.end_day * MINUTES_PER_DAY)
    phases = [t.regimen.phases[-1] for t in combination.treatments]
    if any(
        p.n_doses is None or p.start_min + (p.n_doses - 1) * p.interval_min >= end_min
        for p in phases
    ):
        yield (
            f"The regimen is cut short: what was given until week {how.end_day / DAY_PER_WEEK:g} "
            "counts."
        )


_NOTES = (
    "Adverse events known by rates only come at their published onset; what is measured between "
    "visits is "
    "not seen.",
)


def _follow(
    followed: dict[str, list[Array]],
    treated: Treated,
    n: int,
    how: TreatmentPlan,
    threads: int | None,
) -> None:
    """Add what happens to the first ``n`` patients between visits.

    Their doses are put through the model again and looked at every other day.
    """
    if not n:
        return
    record = treated.protocol_run.record
    own = record.take(record.patient < n)
    few = treated.people.take(np.arange(n))
    course = run_virtual_patient(treated.whole, few, own, how.end_day, _grid(how), threads=threads)
    for name in SHOWN:
        if name in treated.whole.model.outputs:
            followed.setdefault(name, []).append(course.output(name))


def _grid(how: TreatmentPlan) -> Array:
    return np.arange(0.0, how.end_day + 1.0, 2.0)


def _bands(
    followed: Mapping[str, list[Array]], how: TreatmentPlan
) -> tuple[tuple[Band, ...], tuple[PopulationEstimate, ...]]:
    """Bands of some patients, and how low their counts are on any day."""
    bands, often = list[Band](), list[PopulationEstimate]()
    for name, title in SHOWN.items():
        if name not in followed:
            continue
        values = np.concatenate(followed[name])
        if name == "diameters_mm":
            values = values / values[:, :1]
        line = COUNTS.get(name)
        if line is not None:
            worst, n = 100 * float((values.min(axis=1) < CTCAE_LIMITS[line][3]).mean()), len(values)
            name = f"{line} of grade 3 or 4 on any day ({n} patients)"
            is_known = n >= FEWEST
            needs = "" if is_known else needs_text(n)
            often.append(PopulationEstimate(name, worst if is_known else None, "%", needs=needs))
        p5, median, p95 = np.quantile(values, [0.05, 0.5, 0.95], axis=0)
        bands.append(Band(title, _grid(how), median, p5, p95))
    return tuple(bands), tuple(often)
