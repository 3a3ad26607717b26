"""Tables of exposure for the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from rich.table import Table

if TYPE_CHECKING:
    from her2sim.pk.treatment import Treatment
    from her2sim.studies.comparison import TwoArms
    from her2sim.studies.covariates import CovariateReport
    from her2sim.studies.exposure import ExposureReport
    from her2sim.studies.plans import PlanComparison, PlanResult
    from her2sim.studies.regimen_exposure import TogetherReport
    from her2sim.studies.validation import ValidationRow
    from her2sim.studies.washout import WashoutReport
    from her2sim.studies.weight import WeightReport

NOTHING, THOUSAND = 1e-12, 1000.0


def number_text(value: float | None) -> str:
    """A number in three digits, never as a power of ten; a dash without one.

    What is next to nothing in any unit is zero, what is infinite was not reached.
    """
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "not reached"
    if abs(value) < NOTHING:
        return "0"
    digits = 2 - math.floor(math.log10(abs(value)))
    rounded = round(value, digits)
    if abs(rounded) >= THOUSAND:
        return f"{rounded:,.0f}"
    shown = f"{rounded:.{max(0, digits)}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def covariates_table(report: CovariateReport) -> Table:
    """Exposure over that of the reference patient, one characteristic at a time."""
    table = Table(title="Exposure over that of the reference patient", title_justify="left")
    for name in ("characteristic", "unit", "reference", "changed to", "AUC", "trough"):
        left = name in ("characteristic", "unit")
        table.add_column(name, justify="left" if left else "right")
    for row in report.rows:
        known = [row.told(value) for value in (row.reference, row.value)]
        meaning = row.title if row.reference is not None else f"{row.covariate} (5th, 95th)"
        ratios = (f"{row.auc_ratio:.3g}", f"{row.cmin_ratio:.3g}")
        table.add_row(meaning, "" if row.unit == "1" else row.unit, *known, *ratios)
    return table


class Asked(Protocol):
    """A report that says whom it is about."""

    @property
    def population(self) -> str: ...
    @property
    def patients(self) -> int: ...
    @property
    def seed(self) -> int: ...


def patients_text(report: Asked) -> str:
    """Population, patients and seed."""
    return f"{report.population}, {counted(report.patients, 'patient')}, seed {report.seed}"


def counted(n: float, thing: str) -> str:
    """So many of a thing."""
    return f"{n:g} {thing}" if n == 1 else f"{n:g} {thing}s"


def treatment_text(treatment: Treatment) -> str:
    """Model, its status and regimen."""
    pk = treatment.pk
    return f"{pk.name} ({pk.status}), {treatment.regimen.title}"


def two_arms_text(study: TwoArms) -> str:
    """Both arms and the patients, in a line."""
    from her2sim.studies.comparison import arm_name

    return (
        f"{arm_name(study.test)} against {arm_name(study.reference)}; {study.population}, "
        f"{study.per_arm} patients an arm, seed {study.seed}"
    )


def exposure_heading(report: ExposureReport) -> str:
    """Model, regimen and patients, in a line."""
    asked = f"{treatment_text(report.treatment)}; {patients_text(report)}"
    return f"{asked}; steady state in cycle {report.steady_state_cycle}"


def exposure_table(report: ExposureReport) -> Table:
    """Predicted exposures of the first cycle and at steady state."""
    from her2sim.studies.exposure import STEADY_STATE

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
            table.add_row(row.analyte, row.cycle, row.metric, *map(number_text, values), row.unit)
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
        numbers = (number_text(row.value), number_text(row.predicted), f"{row.ratio:.3f}")
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
        means = (number_text(row.test), number_text(row.reference))
        table.add_row(row.metric, *means, f"{row.ratio:.3f}", interval, row.unit)
    return table


def washout_table(report: WashoutReport) -> tuple[Table, Table]:
    """Days until patients are below the level, and the share below it week by week."""
    from her2sim.studies.washout import QUANTILES

    level = f"{report.level:g} {report.unit}"
    days = Table(
        title=f"Days from the last dose until below {level}", title_justify="left", min_width=48
    )
    share = Table(title=f"Patients below {level}", title_justify="left", min_width=32)
    for name in QUANTILES:
        days.add_column(name, justify="right")
    reached = [report.quantile_day(name) for name in QUANTILES]
    end = report.time_day[-1]
    days.add_row(*(number_text(day) if day <= end else f"over {end:.0f}" for day in reached))
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
        table.add_row(*names, *map(number_text, values), row.unit)
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


def plans_table(comparison: PlanComparison) -> Table:
    """Exposure between the last two doses; after a late dose, how long the dip lasts."""
    table = Table(
        title=f"Between the last two doses: median ({comparison.unit})", title_justify="left"
    )
    table.add_column("plan")
    for heading in ("trough", "against the first", "peak", "mean"):
        table.add_column(heading, justify="right")
    if comparison.target is not None:
        table.add_column(f"share at or above {comparison.target:g}", justify="right")
    from_day = comparison.from_day
    if from_day is not None:
        table.add_column("weeks until 95 % of the trough is back", justify="right")
    first = comparison.plans[0]
    for plan in comparison.plans:
        trough, peak, mean = (plan.last[m].median for m in ("cmin", "cmax", "cavg"))
        planned_trough = first.last["cmin"].median
        ratio = trough / planned_trough if planned_trough > 0 else math.nan
        row = [
            plan.label,
            number_text(trough),
            "-" if math.isnan(ratio) else f"{ratio:.2f}",
            number_text(peak),
            number_text(mean),
        ]
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
        cells = [f"{row.weight_kg:g}", number_text(row.dose_mg)]
        for metric in ("cmin", "cmax", "auc"):
            s = row.exposure[metric]
            cells.append(f"{number_text(s.median)} ({number_text(s.p5)} to {number_text(s.p95)})")
        if row.share is not None:
            cells.append(f"{100 * row.share:.1f} %")
        table.add_row(*cells)
    return table
