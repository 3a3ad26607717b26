"""A trial that was run, beside what it published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim import __version__
from her2sim.arrays import Array
from her2sim.biology.ensemble import FEWEST
from her2sim.early.events import FIRST_EVENTS
from her2sim.notice import NOTICE
from her2sim.studies.trial.beside import Beside
from her2sim.studies.trial.power import Power, trial_power
from her2sim.studies.trial.ranges import CurveBand, curve_band
from her2sim.studies.trial.rows import (
    EndpointRow,
    HazardRatioRow,
    SafetyRow,
    endpoint_rows,
    ratio_rows,
    safety_rows,
)
from her2sim.studies.trial.subgroups import contrast_rows
from her2sim.trials.competing import aalen_johansen
from her2sim.trials.endpoints import ArmOutcomes
from her2sim.trials.measures import CURVES
from her2sim.trials.run import BEST_OF, TrialRun
from her2sim.trials.seen_subgroups import SeenContrast
from her2sim.trials.survival import follow_up, numbers_at_risk
from her2sim.trials.trial import Landmarks, Trial
from her2sim.units import DAY_PER_MONTH

Arms = Mapping[str, ArmOutcomes]
FIRST_EVENTS_MONTH = (36.0, 60.0, 120.0)
AT_RISK_MONTH = tuple(6.0 * k for k in range(21))


@dataclass(frozen=True)
class DrugSummary:
    """How an arm was treated, by drug: relative dose intensity, days on hold, stops."""

    drug: str
    dose_intensity: float
    given_mg: float
    hold_day: float
    reduced_percent: float
    stopped_percent: float


@dataclass(frozen=True)
class FirstEvents:
    """Cumulative incidence of first events of early disease until a month, in per cent."""

    at_month: float
    percent: Mapping[str, float]


@dataclass(frozen=True)
class ArmSummary:
    """An arm: patients, follow-up, treatment, days with adverse events of grade 2, curves.

    ``at_risk`` and ``events`` are counts at ``AT_RISK_MONTH`` of each curve: patients still
    observed without an event, and events before.
    """

    id: str
    title: str
    n: int
    follow_up_month: float
    days_grade_2: float
    treatment: tuple[DrugSummary, ...]
    curves: Mapping[str, CurveBand] = field(repr=False)
    at_risk: Mapping[str, NDArray[np.int64]] = field(repr=False)
    events: Mapping[str, NDArray[np.int64]] = field(repr=False)

    first_events: tuple[FirstEvents, ...] = ()

    def censored(self, endpoint: str) -> NDArray[np.int64]:
        """Patients whose observation ended without an event, before each of ``AT_RISK_MONTH``."""
        n = self.at_risk[endpoint][0]  # on day 0 all that are in the trial
        found: NDArray[np.int64] = n - self.at_risk[endpoint] - self.events[endpoint]
        return found


@dataclass(frozen=True, eq=False)
class TrialReport:
    """The report on a trial; ``without_rules`` is the same trial with no dose held or lowered."""

    run: TrialRun
    arms: tuple[ArmSummary, ...]
    endpoints: tuple[EndpointRow, ...]
    safety: tuple[SafetyRow, ...]
    ratios: tuple[HazardRatioRow, ...]
    contrasts: tuple[SeenContrast, ...]
    power: tuple[Power, ...]
    notes: tuple[str, ...]
    without_rules: TrialReport | None = None

    @property
    def trial(self) -> Trial:
        """The trial."""
        return self.run.trial

    @property
    def outside(self) -> str:
        """What of the trial lies outside the evidence; empty if nothing does."""
        return Beside(self.trial).outside()

    @property
    def whose_numbers(self) -> str:
        """Whose numbers lines and predicted figures are; empty where there is only one kind."""
        if not self.run.asked.has_best:
            return ""
        return (
            f"Lines and predicted figures: one patient in {BEST_OF}, with the numbers that fit "
            "best. Ranges: all patients, by members; 90 % of what may be seen."
        )

    @property
    def patients(self) -> int:
        """Patients in all arms and replicates."""
        return sum(arm.n for arm in self.arms)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        asked = self.run.asked
        found: dict[str, Any] = {
            "her2sim": __version__,
            "trial": self.trial.id,
            "seed": asked.seed,
            "patients": self.patients,
            "members": asked.members,
            "replicates": asked.replicates,
            "protocol": "on" if asked.by_rules else "off",
            "notice": NOTICE,
            "evidence": self.trial.evidence,
            "outside": self.outside,
            "arms": [self._arm(arm) for arm in self.arms],
            "comparisons": [
                {
                    "endpoint": row.endpoint,
                    "arm": row.arm,
                    "versus": row.versus,
                    "subgroup": row.subgroup,
                    "hazard_ratio": row.figure.predicted,
                    **{k: v for k, v in row.figure.as_dict().items() if k != "predicted"},
                }
                for row in self.ratios
            ],
            "subgroups": [row.model_dump() for row in self.contrasts],
            "notes": list(self.notes),
        }
        if self.power:
            found["power"] = [vars(row) for row in self.power]
        if self.without_rules is not None:
            found["protocol_off"] = self.without_rules.as_dict()
        return found

    def _arm(self, arm: ArmSummary) -> dict[str, Any]:
        endpoints = [
            {
                **{k: v for k, v in vars(row).items() if k not in ("arm", "figure")},
                **row.figure.as_dict(),
            }
            for row in self.endpoints
            if row.arm == arm.id
        ]
        safety = [
            {
                "event": row.event,
                "grade": row.grade,
                "until_month": row.until_month,
                **row.figure.as_dict(),
            }
            for row in self.safety
            if row.arm == arm.id
        ]
        return {
            "id": arm.id,
            "n": arm.n,
            "follow_up_month": arm.follow_up_month,
            "days_grade_2": arm.days_grade_2,
            "treatment": [vars(drug) for drug in arm.treatment],
            "curves": {name: curve.as_dict() for name, curve in arm.curves.items()},
            "counts": {
                name: {
                    "month": list(AT_RISK_MONTH),
                    "at_risk": arm.at_risk[name].tolist(),
                    "events": arm.events[name].tolist(),
                    "censored": arm.censored(name).tolist(),
                }
                for name in arm.curves
            },
            "endpoints": endpoints,
            "safety": safety,
        }


def trial_report(run: TrialRun, without_rules: TrialReport | None = None) -> TrialReport:
    """Work out all figures of a trial that was run."""
    trial, arms = run.trial, run.arms()
    beside = Beside(trial)
    power = trial_power(run, arms) if run.asked.replicates > 1 else ()
    return TrialReport(
        run,
        tuple(_summary(beside, arm.id, arms[arm.id]) for arm in trial.arm),
        tuple(endpoint_rows(trial, arms, run.asked)),
        tuple(safety_rows(trial, arms, run.asked)),
        tuple(ratio_rows(trial, arms, run.asked)),
        tuple(contrast_rows(trial, arms, run.asked.has_best)),
        tuple(power),
        (*_notes(trial), *_taken(arms), *_thin(run, arms)),
        without_rules,
    )


def _notes(trial: Trial) -> Iterator[str]:
    yield from trial.notes
    for arm in trial.arm:
        if arm.stands_for:
            yield f"{arm.id}: {arm.stands_for}."
    for ratio in trial.comparison:
        if ratio.follow_up_month is not None:
            group = f" ({ratio.subgroup.replace('_', ' ')})" if ratio.subgroup else ""
            yield (
                f"{ratio.endpoint} hazard ratio of {ratio.arm} over {ratio.versus}{group}: at the "
                f"data cut {ratio.follow_up_month:g} months after the last patient, as published."
            )
    for row in trial.crossover:
        if row.at_month is not None:
            yield (
                f"{row.value:g} % of {row.arm} without relapse got the drugs of {row.to} from "
                f"{row.at_month:g} months on, as in the trial."
            )
            continue
        yield (
            f"{row.value:g} % of {row.arm} got the drugs of {row.to} after progression: the "
            "time from progression to death is empirical and holds some of it."
        )
    if trial.early is not None:
        yield (
            "Early disease: survival after a relapse is the same in all arms; pCR and relapse are "
            "calibrated to trials (docs/early.md)."
        )
        if trial.early.before or trial.crossover or any(arm.next for arm in trial.arm):
            yield (
                "What came before randomisation, follows surgery by response or comes after a "
                "crossover is given as planned; tables of treatment and adverse events are of the "
                "regimens of the arms."
            )
    elif any(endpoint != "safety" for endpoint in trial.endpoints):
        yield "Overall survival is empirical beyond progression: read its differences with doubt."


def _taken(arms: Arms) -> Iterator[str]:
    """Arms of early disease of which only some patients are in the trial."""
    for name, arm in arms.items():
        n_in, n = arm.n_enrolled, arm.member.size
        if n_in < n:
            yield (
                f"{name}: {n_in} of {n} simulated patients are in the trial; the others had the "
                "wrong response at surgery, or a relapse or death before the clock starts. "
                "Endpoints are of those in it, treatment and adverse events of all."
            )


def _thin(run: TrialRun, arms: Arms) -> Iterator[str]:
    """Curves that rest on next to nothing, in small trials."""
    if run.asked.replicates > 1:
        return
    for name, arm in arms.items():
        for endpoint in (e for e in run.trial.endpoints if e in CURVES and e != "DoR"):
            own = arm.member == 0 if run.asked.has_best else np.ones(arm.member.size, dtype=bool)
            events = int((arm.times(endpoint).event & own).sum())
            if events < FEWEST:
                n = int(own.sum())
                yield (
                    f"{endpoint} of {name}: the curve and its median rest on few events ({events} "
                    f"in {n} patients), next to chance; run more patients."
                )


def _summary(beside: Beside, arm_id: str, arm: ArmOutcomes) -> ArmSummary:
    trial, curves = beside.trial, dict[str, CurveBand]()
    at_risk: dict[str, NDArray[np.int64]] = {}
    events: dict[str, NDArray[np.int64]] = {}
    for endpoint in (e for e in trial.endpoints if e in CURVES and e != "DoR"):
        times = arm.times(endpoint)
        times = times.take(np.isfinite(times.month))
        curves[endpoint] = curve_band(beside, arm_id, arm, endpoint)
        at_risk[endpoint] = numbers_at_risk(times.month, np.array(AT_RISK_MONTH))
        ended = np.sort(times.month[times.event])
        events[endpoint] = np.searchsorted(ended, AT_RISK_MONTH, side="left")
    months = follow_up(*_followed(arm))[0]
    return ArmSummary(
        arm_id, trial.arm_of(arm_id).title, arm.member.size, months,
        float(np.nanmean(arm.patients.days_grade_2)), tuple(_drug_summaries(arm)), curves,
        at_risk, events, tuple(_first_events(trial, arm)),
    )  # fmt: skip


def _first_events(trial: Trial, arm: ArmOutcomes) -> Iterator[FirstEvents]:
    """Which events come first in early disease, with competing ones (Aalen and Johansen)."""
    if not arm.is_early:
        return
    month, cause = arm.first_events()
    known = np.isfinite(month)
    found = aalen_johansen(month[known], cause[known], len(FIRST_EVENTS))
    for at in FIRST_EVENTS_MONTH:
        if at <= trial.end_month:
            yield FirstEvents(at, dict(zip(FIRST_EVENTS, 100 * found.at(at), strict=True)))


def _followed(arm: ArmOutcomes) -> tuple[Array, NDArray[np.bool_]]:
    if arm.has_deaths:
        times = arm.times("OS")
        times = times.take(np.isfinite(times.month))
        return times.month, times.event
    month = arm.until_day() / DAY_PER_MONTH
    return month, np.zeros(month.size, dtype=bool)


def _drug_summaries(arm: ArmOutcomes) -> Iterator[DrugSummary]:
    for name in arm.patients.drugs:
        drug = arm.patients.drug(name)
        intensity, given, hold = (
            float(np.nanmean(v)) for v in (drug.dose_intensity, drug.given_mg, drug.hold_day)
        )
        shares = (
            100 * float((v[~np.isnan(v)] > 0).mean()) for v in (drug.n_reductions, drug.is_stopped)
        )
        yield DrugSummary(name, intensity, given, hold, *shares)


def landmarks_of(trial: Trial, arm: str, endpoint: str) -> Sequence[Landmarks]:
    """Published points of a curve."""
    return [row for row in trial.landmarks if (row.arm, row.endpoint) == (arm, endpoint)]
