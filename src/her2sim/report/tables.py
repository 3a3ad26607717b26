"""Tables for the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from her2sim.combination import Combination
from her2sim.drugs.drug import Drug
from her2sim.drugs.pk import PkModel
from her2sim.facts import Claim, Quantity
from her2sim.patient_course.result import PatientCourse
from her2sim.protocol.check import CheckReport
from her2sim.protocol.eligibility import Verdict
from her2sim.protocol.monitoring_plan import MonitoringPlan
from her2sim.regimens.named import NamedRegimen
from her2sim.report.course_page import HEADINGS, decision_cells, dose_runs, drug_cells
from her2sim.report.exposure import STEADY_STATE, ExposureReport
from her2sim.report.plans import PlanComparison, PlanResult
from her2sim.report.shortage import ShortageReport
from her2sim.report.together import TogetherReport
from her2sim.report.two_arms import TwoArms
from her2sim.report.validation import ValidationRow
from her2sim.report.washout import QUANTILES, Washout
from her2sim.report.weights import WeightReport

NOTHING = 1e-12


def _number(value: float) -> str:
    """A number with four digits; what is next to nothing in any unit is zero."""
    return "0" if abs(value) < NOTHING else f"{value:.4g}"


def exposure_table(report: ExposureReport) -> Table:
    """Predicted exposures of the first cycle and at steady state."""
    table = Table(title="Predicted exposure", title_justify="left")
    for heading in ("analyte", "cycle", "metric"):
        table.add_column(heading)
    for heading in ("median", "5th", "95th", "mean", "geometric mean", "CV %"):
        table.add_column(heading, justify="right")
    table.add_column("unit")
    for row in report.exposures:
        if row.cycle in ("1", STEADY_STATE):
            s = row.statistics
            values = (s.median, s.p5, s.p95, s.mean, s.geometric_mean, s.cv_percent)
            table.add_row(row.analyte, row.cycle, row.metric, *map(_number, values), row.unit)
    return table


def comparison_table(report: ExposureReport) -> Table:
    """Published numbers beside predicted ones."""
    table = Table(title="Published beside predicted", title_justify="left")
    for heading in ("analyte", "cycle", "metric", "statistic"):
        table.add_column(heading)
    for heading in ("published", "predicted", "ratio"):
        table.add_column(heading, justify="right")
    table.add_column("unit")
    table.add_column("source", overflow="fold")
    for row in report.published:
        names = (row.analyte, row.cycle, row.metric, row.statistic.replace("_", " "))
        numbers = (_number(row.value), _number(row.predicted), f"{row.ratio:.3f}")
        table.add_row(*names, *numbers, row.unit, row.source)
    return table


def validation_table(summary: Sequence[Mapping[str, Any]], rows: Sequence[ValidationRow]) -> Table:
    """Score of each drug, and its rows outside."""
    table = Table(title="Published rows inside their tolerance", title_justify="left")
    for heading in ("drug", "inside", "counted", "outside (ratio)"):
        table.add_column(heading, justify="right" if heading in ("inside", "counted") else "left")
    for line in summary:
        outside = [r for r in rows if r.drug == line["drug"] and r.inside is False]
        texts = [f"{r.id} ({r.ratio:.2f})" for r in outside]
        counts = (str(line["n_inside"]), str(line["n_counted"]))
        table.add_row(line["drug"], *counts, ", ".join(texts))
    return table


def ratio_table(study: TwoArms) -> Table:
    """Geometric means of both arms and their ratio."""
    table = Table(title=f"Cycle {study.cycle}: test over reference", title_justify="left")
    table.add_column("metric")
    for heading in ("test", "reference", "ratio", "90 % interval"):
        table.add_column(heading, justify="right")
    table.add_column("unit")
    for row in study.rows:
        interval = f"{row.low:.3f} to {row.high:.3f}"
        means = (_number(row.test), _number(row.reference))
        table.add_row(row.metric, *means, f"{row.ratio:.3f}", interval, row.unit)
    return table


def washout_table(report: Washout) -> tuple[Table, Table]:
    """Days until patients are below the level, and the share below it week by week."""
    level = f"{report.level:g} {report.unit}"
    days = Table(
        title=f"Days from the last dose until below {level}", title_justify="left", min_width=48
    )
    share = Table(title=f"Patients below {level}", title_justify="left", min_width=32)
    for name in QUANTILES:
        days.add_column(name, justify="right")
    reached = [report.quantile_day(name) for name in QUANTILES]
    end = report.time_day[-1]
    days.add_row(*(_number(day) if day <= end else f"over {end:.0f}" for day in reached))
    share.add_column("week", justify="right")
    share.add_column("share", justify="right")
    for week in report.weeks_shown():
        share.add_row(str(week), f"{100 * report.share_at_week(week):.1f} %")
    return days, share


def together_table(report: TogetherReport) -> Table:
    """Exposure of each drug in the first and the last cycle in which it is given."""
    table = Table(title="Predicted exposure in cycles of three weeks", title_justify="left")
    for heading in ("drug", "analyte", "cycle", "metric"):
        table.add_column(heading)
    for heading in ("median", "5th", "95th", "geometric mean", "CV %"):
        table.add_column(heading, justify="right")
    table.add_column("unit")
    for row in report.shown():
        s = row.statistics
        values = (s.median, s.p5, s.p95, s.geometric_mean, s.cv_percent)
        names = (row.drug, row.analyte, str(row.cycle), row.metric)
        table.add_row(*names, *map(_number, values), row.unit)
    return table


def trough_table(comparison: PlanComparison) -> Table:
    """Troughs of all plans, dose by dose."""
    has_target = comparison.target is not None
    title = f"Concentration before each dose ({comparison.unit}): median (5th to 95th)"
    if has_target:
        title += f", share at or above {comparison.target:g}"
    table = Table(title=title, title_justify="left")
    table.add_column("dose", justify="right")
    for plan in comparison.plans:
        table.add_column(plan.label, justify="right")
    for k in range(1, max(plan.dose_day.size for plan in comparison.plans)):
        texts = (_trough_text(p, k) if k < p.dose_day.size else "" for p in comparison.plans)
        table.add_row(str(k + 1), *texts)
    return table


def _trough_text(plan: PlanResult, k: int) -> str:
    p5, median, p95 = plan.trough[:, k]
    text = f"day {plan.dose_day[k]:g}: {median:.3g} ({p5:.3g} to {p95:.3g})"
    return text if plan.share is None else f"{text}, {100 * plan.share[k]:.0f} %"


def plans_table(comparison: PlanComparison, from_day: float | None) -> Table:
    """Exposure between the last two doses; after a late dose, how long the dip lasts."""
    table = Table(
        title=f"Between the last two doses: median ({comparison.unit})", title_justify="left"
    )
    table.add_column("plan")
    for heading in ("trough", "against the first", "peak", "mean"):
        table.add_column(heading, justify="right")
    if comparison.target is not None:
        table.add_column(f"share at or above {comparison.target:g}", justify="right")
    if from_day is not None:
        table.add_column("weeks until 95 % of the trough is back", justify="right")
    first = comparison.plans[0]
    for plan in comparison.plans:
        trough, peak, mean = (plan.last[m].median for m in ("cmin", "cmax", "cavg"))
        ratio = trough / first.last["cmin"].median
        row = [plan.label, _number(trough), f"{ratio:.2f}", _number(peak), _number(mean)]
        if plan.share is not None:
            row.append(f"{100 * plan.share[-1]:.1f} %")
        if from_day is not None:
            planned = float(first.trough[1, first.dose_day < from_day][-1])
            days = 0.0 if plan is first else plan.back_day(from_day, planned)
            row.append(f"{days / 7:g}" if math.isfinite(days) else "later")
        table.add_row(*row)
    return table


def weights_table(report: WeightReport) -> Table:
    """Exposure at steady state for each weight."""
    table = Table(title="Exposure at steady state: median (5th to 95th)", title_justify="left")
    for heading in ("weight kg", "dose mg", "cmin", "cmax", "auc"):
        table.add_column(heading, justify="right")
    if report.target is not None:
        table.add_column(f"trough at or above {report.target:g}", justify="right")
    for row in report.rows:
        cells = [f"{row.weight_kg:g}", _number(row.dose_mg)]
        for metric in ("cmin", "cmax", "auc"):
            s = row.exposure[metric]
            cells.append(f"{_number(s.median)} ({_number(s.p5)} to {_number(s.p95)})")
        if row.share is not None:
            cells.append(f"{100 * row.share:.1f} %")
        table.add_row(*cells)
    return table


def departures_table(report: CheckReport) -> Table:
    """Departures of a record from the labels."""
    table = Table(title="Departures from the label", title_justify="left")
    for heading in ("row", "patient", "date", "code", "found", "expected", "rule and source"):
        table.add_column(heading, overflow="fold")
    for d in report.departures:
        doubt = "" if d.rule_status == "confirmed" else " (unconfirmed)"
        basis = f"{d.rule_id}{doubt}: {d.source}"
        table.add_row(str(d.row), d.patient, d.date, d.code, d.found, d.expected, basis)
    return table


def eligibility_table(verdicts: Sequence[Verdict]) -> Table:
    """Labelled regimens, then those that are not, with the reasons."""
    table = Table(title_justify="left")
    for heading in ("regimen", "label", "reasons", "source and date"):
        table.add_column(heading, overflow="fold")
    for v in verdicts:
        label = "labelled" if v.labelled else "not labelled"
        source = "" if v.source is None else f"{v.source} ({v.dated})"
        table.add_row(v.regimen, label, "; ".join(v.reasons), source)
    return table


def regimen_list_table(regimens: Sequence[NamedRegimen]) -> Table:
    """All named regimens."""
    table = Table(title_justify="left")
    for heading in ("regimen", "title", "setting", "also called"):
        table.add_column(heading, overflow="fold")
    for regimen in regimens:
        table.add_row(regimen.id, regimen.title, regimen.setting, ", ".join(regimen.aliases))
    return table


def regimen_text(regimen: NamedRegimen, combination: Combination) -> str:
    """Drugs, doses, interactions and sources of a regimen."""
    lines = [f"{regimen.id}: {regimen.title}"]
    lines += [regimen.setting] if regimen.setting else []
    lines += ["", "Drugs"]
    for part, treatment in zip(regimen.part, combination.treatments, strict=True):
        how = f"{treatment.pk.name} ({treatment.pk.status}): {treatment.regimen.title}"
        if part.doses is not None:
            how += f", {part.doses} doses"
        if part.start_day:
            how += f", from day {part.start_day:g}"
        lines.append(_line(f"  {how}", part))
    lines += ["", "Between them", *(f"  {note}" for note in combination.notes)]
    if regimen.sources:
        lines += ["", "Sources"]
        lines += [f"  {key}: {source.text()}" for key, source in regimen.sources.items()]
    return "\n".join(lines)


def course_tables(course: PatientCourse) -> tuple[Table, ...]:
    """Drugs, doses and decisions of one patient's course."""
    tables = []
    for name, rows in (("drugs", drug_cells(course)), ("decisions", decision_cells(course))):
        table = Table(title=name.capitalize(), title_justify="left")
        for heading in HEADINGS[name]:
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*row)
        tables.append(table)
    doses = Table(title="Doses", title_justify="left")
    for heading in ("drug", "given"):
        doses.add_column(heading, overflow="fold")
    for drug in course.drugs:
        for run in dose_runs(drug.doses):
            doses.add_row(drug.drug, run.text())
    return (tables[0], doses, tables[1]) if course.decisions else (tables[0], doses)


def plan_tables(plan: MonitoringPlan) -> tuple[Table, ...]:
    """Doses, tests and what follows of a monitoring plan."""

    def when(day: float) -> str:
        date = plan.date(day)
        return f"{day:g}" if date is None else f"{day:g} ({date})"

    doses = Table(title="Doses", title_justify="left")
    for heading in ("drug", "doses", "first day", "last day", "amount", "mg"):
        doses.add_column(heading, overflow="fold")
    for drug, amount, unit in dict.fromkeys((d.drug, d.amount, d.unit) for d in plan.doses):
        own = [d for d in plan.doses if (d.drug, d.amount, d.unit) == (drug, amount, unit)]
        over = f" over {own[0].duration_min:g} min" if own[0].duration_min else ""
        mg = own[0].dose_mg
        doses.add_row(
            drug, str(len(own)), when(own[0].day), when(own[-1].day), f"{amount:g} {unit}{over}",
            "weight or height not told" if mg is None else f"{mg:.4g}",
        )  # fmt: skip
    tests = Table(title="Tests", title_justify="left")
    for heading in ("test", "days", "asked by", "note"):
        tests.add_column(heading, overflow="fold")
    for test in plan.tests:
        days = "at each dose" if test.at_each_dose else ", ".join(map(when, test.days))
        tests.add_row(test.test, days, test.asked_by, test.note)
    later = Table(title="After the last dose", title_justify="left")
    for heading in ("what", "drug", "for", "until day", "source"):
        later.add_column(heading, overflow="fold")
    for line in plan.afterwards:
        later.add_row(line.what, line.drug, line.length, when(line.until_day), line.source)
    return (doses, tests, later) if plan.afterwards else (doses, tests)


def shortage_tables(report: ShortageReport) -> tuple[Table, ...]:
    """What happens to doses and levels in a shortage, and levels cycle by cycle."""
    unit = report.treatment.pk.concentration_unit
    doses = Table(title="Per patient: median (5th to 95th)", title_justify="left")
    for heading in ("course", *(name.replace("_", " ") for name in report.courses[0].per_patient)):
        doses.add_column(heading)
    for course in report.courses:
        cells = [_spread(s.median, s.p5, s.p95) for s in course.per_patient.values()]
        doses.add_row(course.label, *cells)
    levels = Table(title=f"Level at the end of each cycle ({unit})", title_justify="left")
    levels.add_column("week", justify="right")
    for course in report.courses:
        levels.add_column(course.label)
        if course.share is not None:
            levels.add_column(f"at {report.target:g}", justify="right")
    for k, day in enumerate(report.ends_day):
        row = [f"{day / 7:g}"]
        for course in report.courses:
            low, median, high = course.trough[:, k]
            row.append(_spread(median, low, high))
            if course.share is not None:
                row.append(f"{100 * course.share[k]:.0f} %")
        levels.add_row(*row)
    return doses, levels


def _spread(median: float, low: float, high: float) -> str:
    """A median with its percentiles, which are left out where all are equal."""
    if math.isclose(low, high):
        return _number(median)
    return f"{_number(median)} ({_number(low)} to {_number(high)})"


def drug_list_table(drugs: list[Drug]) -> Table:
    """All drugs with their models and regimens."""
    table = Table(title_justify="left")
    for heading in ("drug", "title", "model", "status", "regimens", "also called"):
        table.add_column(heading)
    from her2sim.drugs.drug import load_pk

    for drug in drugs:
        pk = load_pk(drug.id)
        table.add_row(
            drug.id,
            drug.title,
            pk.model,
            pk.status,
            ", ".join(drug.regimen),
            ", ".join(drug.aliases),
        )
    return table


def drug_text(drug: Drug, pk: PkModel) -> str:
    """Everything that is known of a drug model: equations, numbers, sources, status."""
    lines = [
        f"{drug.id}: {drug.title} ({drug.drug_class})",
        f"model {pk.name}, {pk.title}; status: {pk.status}",
        f"structure {pk.structure}: {pk.structural.meaning}",
        *_studied_lines(pk),
        "",
        "Equations (amounts in mg, time in days; infusions enter the dosed compartment)",
        *(f"  {line}" for line in pk.structural.model.equations()),
        f"  dosed: {', '.join(f'{r} -> {s}' for r, s in pk.structural.dosed.items())}",
        "",
        "Typical values",
    ]
    for name, quantity in pk.parameter.items():
        lines += _parameter_lines(pk, name, quantity)
    lines += ["", "Variability between patients", f"  {pk.variability.convention}"]
    for name, cv in pk.variability.cv_percent.items():
        lines.append(_line(f"  {name}: CV {cv.value:g} %", cv))
    for covariance in pk.variability.covariance:
        a, b = covariance.between
        lines.append(_line(f"  covariance {a}, {b}: {covariance.value:g}", covariance))
    lines += ["", "Residual error (not part of predicted exposures)"]
    for name, value in (
        ("proportional", pk.residual.proportional_sd),
        ("additive", pk.residual.additive_sd),
    ):
        if value is not None:
            lines.append(_line(f"  {name} SD {_with_unit(value)}", value))
    lines += ["", "Regimens"]
    for name, regimen in drug.regimen.items():
        lines.append(_line(f"  {name}: {regimen.title}", regimen))
    lines += ["", "Sources"]
    lines += [f"  {key}: {source.text()}" for key, source in (pk.sources | drug.sources).items()]
    return "\n".join(lines)


def _studied_lines(pk: PkModel) -> list[str]:
    if pk.population.n_patients is None:
        return [pk.population.summary]
    return [f"estimated in {pk.population.n_patients} patients: {pk.population.summary}"]


def _parameter_lines(pk: PkModel, name: str, quantity: Quantity) -> list[str]:
    lines = [_line(f"  {name} = {_with_unit(quantity)}", quantity)]
    for switch in (s for s in pk.switch if s.on == name):
        for kind, other in switch.values().items():
            lines.append(_line(f"    or {_with_unit(other)} if tumour type is {kind}", other))
    relations = (c for c in pk.covariate if c.on == name)
    lines += [_line(f"    x {c.formula()}", c.coefficient) for c in relations]
    return lines


def _with_unit(quantity: Quantity) -> str:
    return f"{quantity.value:g}" + ("" if quantity.unit == "1" else f" {quantity.unit}")


def _line(text: str, claim: Claim) -> str:
    """A line with its status and basis set off to the right."""
    return f"{text:<52}  [{claim.status}; {claim.source or claim.reason}]"
