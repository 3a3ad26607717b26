"""What happens to a population on a regimen: response, harms, doses and decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim import __version__
from her2sim.biology.blood import CTCAE_LIMITS
from her2sim.biology.ensemble import Members, require_members
from her2sim.biology.heart import HeartKnown
from her2sim.biology.people import draw_people
from her2sim.biology.tumour import Known
from her2sim.combination import Combination
from her2sim.course import CHUNK, cohort_chunks
from her2sim.notice import NOTICE
from her2sim.patients.cohort import Cohort
from her2sim.patients.population import Population
from her2sim.protocol.ledger import Decision
from her2sim.trials.assess import FEWEST, spread
from her2sim.units import DAY_PER_MONTH
from her2sim.whole_patient.outcomes import patient_columns
from her2sim.whole_patient.response import PARTIAL
from her2sim.whole_patient.run import run_whole
from her2sim.whole_patient.treat import PROGRESSION, Treated, Treating, treat

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]
BAND_PATIENTS = 500
SHOWN = {
    "diameters_mm": "sum of diameters over the first",
    "lvef": "true LVEF (%)",
    "count_neutrophils": "neutrophils (1e9/L)",
    "count_platelets": "platelets (1e9/L)",
}


@dataclass(frozen=True)
class Outcome:
    """One figure of the population; without a value if too few patients have it.

    ``low`` and ``high`` are the 5th and 95th percentile of what it is in the members of the
    ensemble; None with one member, or too few. ``needs`` says what the value, or the range of one
    that is there, would need; empty if nothing is missing.
    """

    name: str
    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    needs: str = ""


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
    how: Treating
    outcomes: tuple[Outcome, ...]
    acted: tuple[Acted, ...]
    bands: tuple[Band, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        return {
            "her2sim": __version__,
            "regimen": self.combination.name,
            "population": self.population,
            "patients": self.patients,
            "seed": self.seed,
            "members": self.members,
            "weeks": self.how.end_day / 7,
            "region": self.how.region,
            "rules": self.how.by_rules,
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


@dataclass
class _Gathered:
    """One number a patient, by name, chunk by chunk; and patients by rule and decision."""

    columns: dict[str, list[Array]] = field(default_factory=dict)
    acted: dict[tuple[str, str], int] = field(default_factory=dict)
    confirmed: dict[str, bool] = field(default_factory=dict)
    bands: tuple[Band, ...] = ()
    often: tuple[Outcome, ...] = ()

    def add(self, treated: Treated, members: NDArray[np.int64]) -> None:
        for name, values in (("member", members), *patient_columns(treated)):
            self.columns.setdefault(name, []).append(np.asarray(values, dtype=np.float64))
        log = treated.steered.log
        for plan in treated.steered.protocol.plans:
            for rule in plan.label.rule if plan.label is not None else ():
                self.confirmed[rule.id] = rule.is_confirmed
        for number, rule_id in enumerate(log.rules):
            for decision in Decision:
                chosen = (log.rule == number) & (log.decision == decision)
                n = np.unique(log.patient[chosen]).size
                if n:
                    key = (rule_id, decision.name.lower())
                    self.acted[key] = self.acted.get(key, 0) + n


def population_report(
    combination: Combination,
    population: Population | Cohort,
    patients: int,
    seed: int,
    how: Treating,
    tumour: Known | None = None,
    heart: HeartKnown | None = None,
    *,
    members: int = 1,
    progress: Progress = lambda done, total: None,
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
    """
    require_members(members)
    gathered, done = _Gathered(), 0
    for cohort in cohort_chunks(population, patients, seed, CHUNK):
        number = np.arange(done, done + cohort.n_patients)
        own = np.zeros(number.size, dtype=np.int64) if members == 1 else 1 + number % members
        people = draw_people(cohort, tumour, heart, Members(own))
        treated = treat(combination.treatments, people, how, threads=threads)
        gathered.add(treated, own)
        if not gathered.bands:
            gathered.bands, gathered.often = _followed(treated, how, threads)
        done += cohort.n_patients
        progress(done, patients)
    columns = {name: np.concatenate(parts) for name, parts in gathered.columns.items()}
    acted = [
        Acted(rule, decision, n / patients, gathered.confirmed.get(rule, True))
        for (rule, decision), n in sorted(gathered.acted.items(), key=lambda item: -item[1])
        if rule != PROGRESSION.id
    ]
    name = population.name
    return PopulationReport(
        combination, name, patients, seed, members, how,
        (*_outcomes(columns, how), *gathered.often),
        tuple(acted), gathered.bands, (*combination.notes, *_NOTES),
    )  # fmt: skip


_NOTES = (
    "Tumour numbers are an ensemble calibrated to anchor trials: believe ranges and contrasts.",
    "Harms known by rates only come at their published onset; what is measured between visits is "
    "not seen.",
)


def _outcomes(columns: Mapping[str, Array], how: Treating) -> Iterator[Outcome]:
    """Figures of the population, with their spread over the members."""
    member = columns["member"].astype(np.int64)
    for name, unit, figure in _figures(columns, how):
        value = figure.of(np.ones(member.size, dtype=bool))
        if np.isnan(value):
            yield Outcome(name, None, unit, needs=_few(figure.n_known))
        elif member.max() == 0:
            yield Outcome(name, value, unit)
        else:
            each = np.array([figure.of(member == m) for m in np.unique(member)])
            low, high, needs = spread(each[~np.isnan(each)], f"members of {FEWEST} patients")
            yield Outcome(name, value, unit, low, high, needs)


def _few(n: int) -> str:
    return f"at least {FEWEST} patients; {n} here"


@dataclass(frozen=True, eq=False)
class _Figure:
    """A number of each patient, NaN where it is not known, and how a group is summed up."""

    values: Array
    sum_up: Callable[[Array], float]

    @property
    def n_known(self) -> int:
        """Patients who have the number."""
        return int(np.count_nonzero(~np.isnan(self.values)))

    def of(self, chosen: NDArray[np.bool_]) -> float:
        """The figure of some patients; NaN if too few have it."""
        known = self.values[chosen & ~np.isnan(self.values)]
        return self.sum_up(known) if known.size >= FEWEST else float("nan")


def _share(is_so: NDArray[np.bool_]) -> _Figure:
    return _Figure(is_so.astype(np.float64), lambda known: 100 * float(known.mean()))


def _mean(values: Array) -> _Figure:
    return _Figure(values, lambda known: float(known.mean()))


def _figures(columns: Mapping[str, Array], how: Treating) -> Iterator[tuple[str, str, _Figure]]:
    if how.setting == "metastatic":
        progressed = columns["progressed_day"]
        yield "objective response", "%", _share(columns["best"] <= PARTIAL)
        yield "progression-free, median", "month", _median_month(progressed, how.end_day)
        for weeks in (26, 52, 104):
            if weeks * 7 < how.end_day:
                yield f"progression-free at {weeks} weeks", "%", _share(progressed > weeks * 7)
        has_progressed = np.isfinite(progressed)
        target = np.where(has_progressed, columns["by_target"], np.nan)
        yield "progression by target lesions", "% of progressions", _mean(100 * target)
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
            yield f"{of} of grade 3 or 4 at a visit", "%", _share(values < CTCAE_LIMITS[of][3])
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
        yield "LVEF measured below 50 % and 10 points down", "%", _share(fell)
    yield "days with a harm of grade 2 or more", "day", _mean(columns["days_grade_2"])


def _median_month(day: Array, end_day: float) -> _Figure:
    """Median time to progression; infinite if half are without it at the end."""

    def middle(known: Array) -> float:
        found = float(np.median(known))
        return found / DAY_PER_MONTH if found <= end_day else float("inf")

    return _Figure(day, middle)


def _followed(
    treated: Treated, how: Treating, threads: int | None
) -> tuple[tuple[Band, ...], tuple[Outcome, ...]]:
    """Bands of some patients, and what happens to their counts between visits.

    Their doses are put through the model again and looked at every other day.
    """
    n = min(BAND_PATIENTS, treated.people.cohort.n_patients)
    ledger = treated.steered.ledger
    own = ledger.take(ledger.patient < n)
    time = np.arange(0.0, how.end_day + 1.0, 2.0)
    few = treated.people.take(np.arange(n))
    course = run_whole(treated.whole, few, own, how.end_day, time, threads=threads)
    bands, often = list[Band](), list[Outcome]()
    for name, title in SHOWN.items():
        if name not in treated.whole.model.outputs:
            continue
        values = course.output(name)
        if name == "diameters_mm":
            values = values / values[:, :1]
        line = name.removeprefix("count_")
        if line in CTCAE_LIMITS:
            worst = 100 * float((values.min(axis=1) < CTCAE_LIMITS[line][3]).mean())
            name = f"{line} of grade 3 or 4 on any day ({n} patients)"
            is_enough = n >= FEWEST
            often.append(
                Outcome(name, worst, "%") if is_enough else Outcome(name, None, "%", needs=_few(n))
            )
        p5, median, p95 = np.quantile(values, [0.05, 0.5, 0.95], axis=0)
        bands.append(Band(title, time, median, p5, p95))
    return tuple(bands), tuple(often)
