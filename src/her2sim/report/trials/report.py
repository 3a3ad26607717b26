"""A trial that was run, beside what it published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim import __version__
from her2sim.notice import NOTICE
from her2sim.report.trials.power import Power, trial_power
from her2sim.report.trials.run import TrialRun
from her2sim.trials.assess import harm_values, outcome_values, ratio_values
from her2sim.trials.endpoints import ArmOutcomes
from her2sim.trials.measures import CURVES, SAFETY
from her2sim.trials.survival import KaplanMeier, follow_up, hazard_ratio, proportion
from her2sim.trials.trial import Comparison, Landmarks, Outcome, Safety, Trial

Array = NDArray[np.float64]
Arms = Mapping[str, ArmOutcomes]
QUANTILES = (5.0, 95.0)
LAST_YEAR = 8
UNPUBLISHED = "nothing was published"
AT_RISK_MONTH = (0.0, 6.0, 12.0, 18.0, 24.0, 36.0, 48.0, 60.0)


@dataclass(frozen=True)
class Figure:
    """A predicted figure beside the published one; None where there is none.

    ``low`` and ``high`` are the 5th and 95th percentile of the ensemble, with one member the 95 %
    interval of chance. Infinite: not reached.
    """

    predicted: float | None
    low: float | None
    high: float | None
    published: float | None
    published_low: float | None
    published_high: float | None
    role: str
    source: str
    note: str

    @property
    def ratio(self) -> float | None:
        """Predicted over published."""
        if not self.published or self.predicted is None or not np.isfinite(self.predicted):
            return None
        return self.predicted / self.published

    def as_dict(self) -> dict[str, Any]:
        """The figure as plain data."""
        return dict(vars(self))


@dataclass(frozen=True)
class EndpointRow:
    """An endpoint of an arm."""

    arm: str
    endpoint: str
    measure: str
    unit: str
    at_month: float | None
    subgroup: str | None
    figure: Figure


@dataclass(frozen=True)
class SafetyRow:
    """A harm of an arm."""

    arm: str
    event: str
    grade: str
    until_month: float | None
    figure: Figure


@dataclass(frozen=True)
class RatioRow:
    """A hazard ratio."""

    endpoint: str
    arm: str
    versus: str
    subgroup: str | None
    figure: Figure


@dataclass(frozen=True)
class Treatment:
    """How an arm was treated, by drug: relative dose intensity, days on hold, stopped for harm."""

    drug: str
    dose_intensity: float
    given_mg: float
    hold_day: float
    reduced_percent: float
    stopped_percent: float


@dataclass(frozen=True)
class ArmSummary:
    """An arm: patients, follow-up, treatment, days with a harm of grade 2 or more, curves."""

    id: str
    title: str
    n: int
    follow_up_month: float
    days_grade_2: float
    treatment: tuple[Treatment, ...]
    curves: Mapping[str, KaplanMeier] = field(repr=False)
    at_risk: Mapping[str, NDArray[np.int64]] = field(repr=False)


@dataclass(frozen=True, eq=False)
class TrialReport:
    """The report on a trial; ``without_rules`` is the same trial with no dose held for harm."""

    run: TrialRun
    arms: tuple[ArmSummary, ...]
    endpoints: tuple[EndpointRow, ...]
    safety: tuple[SafetyRow, ...]
    ratios: tuple[RatioRow, ...]
    power: tuple[Power, ...]
    notes: tuple[str, ...]
    without_rules: TrialReport | None = None

    @property
    def trial(self) -> Trial:
        """The trial."""
        return self.run.trial

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
            "endpoints": endpoints,
            "safety": safety,
        }


def trial_report(run: TrialRun, without_rules: TrialReport | None = None) -> TrialReport:
    """Work out all figures of a trial that was run."""
    trial, arms = run.trial, run.arms()
    is_alone = run.asked.members == 1
    power = trial_power(run, arms) if run.asked.replicates > 1 else ()
    return TrialReport(
        run,
        tuple(_summary(trial, arm.id, arms[arm.id]) for arm in trial.arm),
        tuple(_endpoint_rows(trial, arms, is_alone)),
        tuple(_safety_rows(trial, arms, is_alone)),
        tuple(_ratio_rows(trial, arms, is_alone)),
        tuple(power),
        tuple(_notes(trial)),
        without_rules,
    )


def _notes(trial: Trial) -> Iterator[str]:
    yield from trial.notes
    for arm in trial.arm:
        if arm.stands_for:
            yield f"{arm.id}: {arm.stands_for}."
    for row in trial.crossover:
        yield (
            f"{row.value:g} % of {row.arm} got the drugs of {row.to} after progression: the "
            "time from progression to death is empirical and holds some of it."
        )
    if trial.setting == "metastatic":
        yield "Overall survival is empirical beyond progression: read its differences with doubt."


def _summary(trial: Trial, arm_id: str, arm: ArmOutcomes) -> ArmSummary:
    curves: dict[str, KaplanMeier] = {}
    at_risk: dict[str, NDArray[np.int64]] = {}
    for endpoint in (e for e in trial.endpoints if e in CURVES and e != "DoR"):
        times = arm.times(endpoint)
        curves[endpoint] = times.curve()
        marks = np.array(AT_RISK_MONTH)
        at_risk[endpoint] = times.month.size - np.searchsorted(np.sort(times.month), marks)
    months = follow_up(*_followed(arm))[0]
    return ArmSummary(
        arm_id, trial.arm_of(arm_id).title, arm.member.size, months,
        float(np.nanmean(arm.numbers("days_grade_2"))), tuple(_treatments(arm)), curves, at_risk,
    )  # fmt: skip


def _followed(arm: ArmOutcomes) -> tuple[Array, NDArray[np.bool_]]:
    if arm.has("death_day"):
        times = arm.times("OS")
        return times.month, times.event
    month = arm.until_day() / (365.25 / 12)
    return month, np.zeros(month.size, dtype=bool)


def _treatments(arm: ArmOutcomes) -> Iterator[Treatment]:
    kinds = ("intensity", "given_mg", "hold", "reductions", "stopped")
    for name in sorted(n for n in arm.names if n.startswith("intensity:")):
        drug = name.partition(":")[2]
        rows = {kind: arm.numbers(f"{kind}:{drug}") for kind in kinds}
        shares = {
            kind: 100 * float(np.nanmean(np.where(np.isnan(rows[kind]), np.nan, rows[kind] > 0)))
            for kind in ("reductions", "stopped")
        }
        yield Treatment(
            drug, float(np.nanmean(rows["intensity"])), float(np.nanmean(rows["given_mg"])),
            float(np.nanmean(rows["hold"])), shares["reductions"], shares["stopped"],
        )  # fmt: skip


def _figure(
    values: Array, chance: tuple[float, float] | None, row: Any, published: float | None
) -> Figure:
    """Median and spread of a figure over the members, beside what was published."""
    known = values[~np.isnan(values)]
    predicted, low, high = None, None, None
    if known.size:
        predicted = float(np.median(known))
        spread = np.percentile(known, QUANTILES, method="nearest")
        low, high = chance if chance is not None else (float(spread[0]), float(spread[1]))
    text = row.source or ""
    return Figure(
        predicted, low, high, published, getattr(row, "low", None), getattr(row, "high", None),
        row.role, text, row.note or "",
    )  # fmt: skip


def _wanted_outcomes(trial: Trial) -> Iterator[Outcome]:
    """Published rows, and the planned endpoints of arms that published none of them."""
    yield from trial.outcome
    there = {(row.arm, row.endpoint, row.measure) for row in trial.outcome}
    for arm in trial.arm:
        for endpoint in (e for e in trial.endpoints if e != "safety"):
            measure = "median_month" if endpoint in CURVES else "rate_percent"
            if (arm.id, endpoint, measure) not in there:
                yield Outcome(
                    arm=arm.id, endpoint=endpoint, measure=measure,
                    status="assumed", reason=UNPUBLISHED,
                )  # fmt: skip


def _endpoint_rows(trial: Trial, arms: Arms, is_alone: bool) -> Iterator[EndpointRow]:
    order = [arm.id for arm in trial.arm]
    for row in sorted(_wanted_outcomes(trial), key=lambda r: order.index(r.arm)):
        values = outcome_values(arms, row)
        chance = _chance(arms[row.arm], row) if is_alone else None
        unit = "month" if row.measure == "median_month" else "%"
        yield EndpointRow(
            row.arm, row.endpoint, row.measure, unit, row.at_month, row.subgroup,
            _figure(values, chance, row, row.value),
        )  # fmt: skip


def _chance(arm: ArmOutcomes, row: Outcome) -> tuple[float, float]:
    """The 95 % interval of a figure by chance."""
    group = arm.group(row.subgroup)
    if row.endpoint not in CURVES:
        share = proportion(
            int((arm.responded(row.endpoint) & group).sum()), max(1, int(group.sum()))
        )
        return 100 * share[1], 100 * share[2]
    times = arm.times(row.endpoint)
    curve = times.take(group & np.isfinite(times.month)).curve()
    if row.measure == "median_month":
        return curve.median()[1:]
    low, high = curve.band_at(row.at_month or 0.0)
    return 100 * float(low), 100 * float(high)


def _safety_rows(trial: Trial, arms: Arms, is_alone: bool) -> Iterator[SafetyRow]:
    order = [arm.id for arm in trial.arm]
    there = {(row.arm, row.event) for row in trial.safety}
    rows = [*trial.safety]
    rows += [
        Safety(
            arm=arm.id,
            event=event,
            grade=_usual_grade(event),
            status="assumed",
            reason=UNPUBLISHED,
        )
        for arm in trial.arm
        for event in SAFETY
        if (arm.id, event) not in there
    ]
    if trial.setting == "early":
        rows += list(_by_year(trial))
    for row in sorted(rows, key=lambda r: order.index(r.arm)):
        values = harm_values(arms, row)
        if values is None and row.value is None:
            continue
        chance = None
        if values is not None and is_alone:
            n = arms[row.arm].member.size
            share = proportion(round(float(values[0]) * n / 100), n)
            chance = (100 * share[1], 100 * share[2])
        found = np.empty(0) if values is None else values
        figure = _figure(found, chance, row, row.value)
        yield SafetyRow(row.arm, row.event, row.grade, row.until_month, figure)


def _by_year(trial: Trial) -> Iterator[Safety]:
    """Cardiac events year by year."""
    for arm in trial.arm:
        for year in range(1, LAST_YEAR + 1):
            if 12 * year <= trial.end_month:
                yield Safety(
                    arm=arm.id, event="heart_failure", until_month=12.0 * year,
                    status="assumed", reason=UNPUBLISHED,
                )  # fmt: skip


def _usual_grade(event: str) -> str:
    graded = ("neutropenia", "thrombocytopenia", "diarrhoea", "transaminase", "neuropathy")
    return "3" if event in graded else "any"


def _ratio_rows(trial: Trial, arms: Arms, is_alone: bool) -> Iterator[RatioRow]:
    for row in trial.comparison:
        chance = _ratio_chance(arms, row) if is_alone else None
        yield RatioRow(
            row.endpoint, row.arm, row.versus, row.subgroup,
            _figure(ratio_values(arms, row), chance, row, row.hazard_ratio),
        )  # fmt: skip


def _ratio_chance(arms: Arms, row: Comparison) -> tuple[float, float] | None:
    sides = [arms[arm] for arm in (row.arm, row.versus)]
    times = [arm.times(row.endpoint).take(arm.group(row.subgroup)) for arm in sides]
    month = np.concatenate([t.month for t in times])
    event = np.concatenate([t.event for t in times])
    if not all(t.event.any() for t in times):
        return None
    found = hazard_ratio(month, event, np.arange(month.size) < times[0].month.size)
    return found.low, found.high


def landmarks_of(trial: Trial, arm: str, endpoint: str) -> Sequence[Landmarks]:
    """Published points of a curve."""
    return [row for row in trial.landmarks if (row.arm, row.endpoint) == (arm, endpoint)]
