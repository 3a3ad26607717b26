"""The account of a line of treatment: decisions with their reasons, levels, doses of each drug."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from her2sim.arrays import Array
from her2sim.patients.cohort import Cohort
from her2sim.pk.record_run import exposure_of_record
from her2sim.pk.treatment import Treatment
from her2sim.protocol.decisions import Cause, Decision
from her2sim.protocol.label import Rule
from her2sim.protocol.plan import DrugPlan, ProtocolRun
from her2sim.regimens.dose import MINUTES_PER_DAY, ROUTES
from her2sim.regimens.dosing_record import DosingRecord, Why
from her2sim.timeline.result import Decided, DrugTimeline, GivenDose

STEP_DAY, ORAL_STEP_DAY = 0.25, 1 / 12


def _rules(protocol_run: ProtocolRun) -> dict[str, tuple[Rule, str]]:
    """Rules at work by id, and their source."""
    return {
        rule.id: (rule, plan.label.source_text(rule.source) if rule.source else "")
        for plan in protocol_run.protocol.plans
        if plan.label is not None
        for rule in plan.label.rule
    }


def decisions_of(protocol_run: ProtocolRun) -> Iterator[Decided]:
    """Decisions of a line by day, each with its reading, condition and source."""
    log, rules = protocol_run.log, _rules(protocol_run)
    for k in np.argsort(log.day, kind="stable"):
        rule, source = rules[log.rules[log.rule[k]]]
        reading, cause = float(log.reading[k]), Cause(log.cause[k])
        yield Decided(
            float(log.day[k]),
            protocol_run.protocol.plans[log.drug[k]].drug,
            Decision(log.decision[k]).name.lower(),
            None if np.isnan(reading) else reading,
            rule.variables()[log.variable[k]],
            rule.id,
            _because(rule, cause),
            source,
            rule.is_confirmed,
        )


def reloads_of(protocol_run: ProtocolRun) -> Iterator[Decided]:
    """Loading doses that were given again, each with how late it was and the row that asks for it.

    The first dose after an earlier line is one of them too; it has no reading.
    """
    for d, plan in enumerate(protocol_run.protocol.plans):
        if plan.label is None or plan.label.reload is None:
            continue
        row, own = plan.label.reload, protocol_run.record.of(d)
        for k in np.flatnonzero(own.why == Why.RELOAD):
            since = float(own.day[k] - own.day[k - 1]) if k else None
            yield Decided(
                float(own.day[k]), plan.drug, "reload", since, "days_since_dose",
                f"{plan.drug}-{plan.label.region}-reload", row.when,
                plan.label.source_text(row.source) if row.source else "", row.is_confirmed,
            )  # fmt: skip


def _because(rule: Rule, cause: Cause) -> str:
    """What of a rule acted, in words."""
    words = {
        Cause.HOLD_WHEN: rule.hold_when,
        Cause.RESUME_WHEN: rule.resume_when,
        Cause.ONE_DOWN: rule.one_down_when or "goes on one level down after the hold",
        Cause.STOP_WHEN: rule.stop_when,
        Cause.STOP_HELD_WHEN: rule.stop_held_when,
        Cause.MAX_HOLD_DAYS: f"on hold for {rule.max_hold_days or 0:g} days without "
        f"{rule.resume_when}",
        Cause.MAX_HOLDS: f"held {rule.max_holds} times before, and again {rule.hold_when}",
        Cause.NO_LOWER_LEVEL: "no lower dose level is left",
        Cause.PARTNER: "goes with its partner, on which this rule acts",
    }
    return words[cause] or ""


def open_holds(protocol_run: ProtocolRun, decided: Sequence[Decided]) -> Iterator[str]:
    """Holds that nothing ended, and what would have."""
    rules = _rules(protocol_run)
    for place, hold in enumerate(decided):
        if hold.decision != "hold":
            continue
        later = [d for d in decided[place + 1 :] if d.drug == hold.drug]
        is_stopped = any(
            d.drug == hold.drug and d.decision == "stop" and d.day >= hold.day for d in decided
        )
        if not is_stopped and not any(d.rule == hold.rule for d in later):
            wanted = rules[hold.rule][0].resume_when
            yield (
                f"{hold.drug} was on hold from day {hold.day:g} to the end of the line by "
                f"{hold.rule}: no visit had readings that say {wanted}."
            )


@dataclass(frozen=True, eq=False)
class ConcentrationBand:
    """Percentiles of a level over time, shape of ``time_day`` each."""

    time_day: Array
    p5: Array
    median: Array
    p95: Array


def concentrations_of(
    treatment: Treatment, one: Cohort, own: DosingRecord, end_day: float, twins: int
) -> ConcentrationBand:
    """Levels of patients like this one, all dosed by the record of this and earlier lines.

    Without twins there are no levels.
    """
    if not twins:
        return ConcentrationBand(*np.empty((4, 0)))
    step = ORAL_STEP_DAY if "oral" in treatment.regimen.routes else STEP_DAY
    regular = np.linspace(0.0, end_day, round(end_day / step) + 1)
    peaks = own.day + own.duration_min / MINUTES_PER_DAY
    time = np.unique(np.concatenate([regular, peaks[peaks < end_day]]))
    if not own.day.size:
        nothing = np.zeros(time.size)
        return ConcentrationBand(time, nothing, nothing, nothing)
    same = {name: np.repeat(values, twins) for name, values in one.covariates.items()}
    cohort = replace(one, numbers=np.arange(1, twins + 1), covariates=same)
    columns = {name: np.tile(values, twins) for name, values in vars(own).items()}
    columns["patient"] = np.repeat(np.arange(twins), own.day.size)
    course = exposure_of_record(treatment, cohort, DosingRecord(**columns), 0, [end_day], time)
    p5, median, p95 = np.quantile(course.grid, [0.05, 0.5, 0.95], axis=0)
    return ConcentrationBand(time, p5, median, p95)


def _held_with(plan: DrugPlan) -> tuple[str, ...]:
    """Partners whose hold holds a drug too."""
    partners = plan.label.partner if plan.label is not None else ()
    return tuple(line.drug for line in partners if line.if_held == "hold")


def drug_timeline(
    treatment: Treatment, protocol_run: ProtocolRun, drug: int, line: int, levels: ConcentrationBand
) -> DrugTimeline:
    """What became of one drug of a line."""
    plan, own = (
        protocol_run.protocol.plans[drug],
        protocol_run.record.of(drug).dose_by_dose(),
    )
    (intensity,) = protocol_run.dose_intensity(drug)
    stopped_day, rule = (
        float(protocol_run.stopped_day[drug, 0]),
        int(protocol_run.stop_rule[drug, 0]),
    )
    doses = tuple(
        GivenDose(
            float(own.day[k]),
            float(own.dose_mg[k]),
            float(own.duration_min[k]),
            int(own.level[k]),
            Why(own.why[k]).name.lower(),
            ROUTES[own.route[k]],
        )
        for k in range(own.day.size)
    )
    return DrugTimeline(
        drug=treatment.drug.id,
        title=treatment.regimen.title,
        line=line,
        n_planned=protocol_run.planned(drug)[0].size,
        doses=doses,
        dose_intensity=None if np.isnan(intensity) else float(intensity),
        days_on_hold=float(protocol_run.days_on_hold[drug, 0]),
        n_reductions=int(protocol_run.n_reductions[drug, 0]),
        stopped_day=None if np.isinf(stopped_day) else stopped_day,
        stopped_by=None if rule < 0 else protocol_run.log.rules[rule],
        held_with=_held_with(plan),
        time_day=levels.time_day,
        median=levels.median,
        p5=levels.p5,
        p95=levels.p95,
        unit=treatment.pk.concentration_unit,
    )
