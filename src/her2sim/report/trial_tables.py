"""A trial report for the terminal: predicted beside published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from her2sim.report.html import INSIDE
from her2sim.report.tables import counted, number_text
from her2sim.studies.trial.report import TrialReport
from her2sim.studies.trial.rows import Estimate
from her2sim.studies.trial.scorecard import Judged, Score, Skill
from her2sim.trials.measures import SAFETY
from her2sim.trials.seen_subgroups import SeenContrast

MEASURES = {"median_month": "median", "rate_percent": "rate"}


def heading(report: TrialReport) -> str:
    """What was run, in a line."""
    asked = report.run.asked
    each = f"{asked.replicates} replicates of {{}}" if asked.replicates > 1 else "{}"
    arms = ", ".join(f"{arm.id} {arm.n // asked.replicates}" for arm in report.arms)
    rules = "labels' rules on" if asked.by_rules else "labels' rules off"
    rules += ", and off beside it" if report.without_rules is not None else ""
    line = (
        f"{report.trial.id}: {report.trial.title}; {each.format(arms)} patients, seed "
        f"{asked.seed}, {counted(asked.members, 'member')}, {rules}"
    )
    texts = (report.trial.evidence, report.outside, line, report.whose_numbers)
    return "\n".join(text for text in texts if text)


def trial_tables(report: TrialReport) -> Iterator[Table]:
    """Arms, endpoints, hazard ratios, adverse events, treatment, and power."""
    yield _arms(report)
    if report.endpoints:
        yield endpoint_table(report)
    if report.ratios:
        yield ratio_table(report)
    if any(arm.first_events for arm in report.arms):
        yield first_event_table(report)
    if report.contrasts:
        yield contrast_table(report.contrasts)
    yield _safety(report)
    yield _treatment(report)
    if report.power:
        yield _power(report)


def first_event_table(report: TrialReport) -> Table:
    """Cumulative incidence of what comes first in early disease."""
    names = list(report.arms[0].first_events[0].percent)
    words = [name.replace("_", " ").replace("cns", "CNS") for name in names]
    table = _table("First events, % of patients (competing)", "arm", "month", *words)
    for arm in report.arms:
        for row in arm.first_events:
            shares = [f"{row.percent[name]:.1f}" for name in names]
            table.add_row(arm.id, f"{row.at_month:g}", *shares)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for name in columns:
        words = ("arm", "endpoint", "adverse event", "drug", "role", "over", "of")
        table.add_column(name, justify="left" if name in words else "right")
    return table


def range_text(low: float | None, high: float | None) -> str:
    """A range; nothing without one."""
    if low is None and high is None:
        return ""
    return f"{number_text(low)} to {number_text(high)}"


def spread_text(is_there: bool, low: float | None, high: float | None, needs: str) -> str:
    """The range of a prediction; where it or the prediction is missing, what that would need."""
    if not needs:
        return range_text(low, high)
    return f"-, needs {needs}" if is_there else f"needs {needs}"


def predicted_range(figure: Estimate) -> str:
    """The range of a figure, or what it would need."""
    return spread_text(figure.is_predicted, figure.low, figure.high, figure.needs)


def predicted_text(figure: Estimate | None) -> str:
    """The predicted number, or that nobody was tested for it; a dash without a figure."""
    if figure is not None and not figure.is_measured:
        return "not measured"
    return number_text(None if figure is None else figure.predicted)


def figure_cells(figure: Estimate) -> list[str]:
    """Predicted, its range, published, its range, whether it lies in the range, role."""
    return [
        predicted_text(figure),
        predicted_range(figure),
        number_text(figure.published),
        range_text(figure.published_low, figure.published_high),
        {True: "yes", False: "no", None: ""}[figure.is_inside],
        figure.role if figure.published is not None else "",
    ]


def guess_cells(figure: Estimate) -> list[str]:
    """What other trials let one guess: all of them, and those alike."""
    return [
        "" if value is None else number_text(value) for value in (figure.constant, figure.alike)
    ]


_FIGURE = ("predicted", "range", "published", "95 % interval", INSIDE, "role")
_GUESSES = ("all trials", "alike")


def endpoint_text(endpoint: str, measure: str, month: float | None, group: str | None) -> str:
    """An endpoint in words."""
    at = f" at {month:g} months" if month else ""
    of = f", {group.replace('_', ' ')}" if group else ""
    how = "" if measure == "rate_percent" and not month else f" {MEASURES[measure]}"
    return f"{endpoint}{how}{at}{of}"


def _arms(report: TrialReport) -> Table:
    table = _table(
        "Arms",
        "arm",
        "of",
        "patients",
        "median follow-up (months)",
        "days with an adverse event >= grade 2",
    )
    for arm in report.arms:
        table.add_row(
            arm.id, arm.title, str(arm.n), number_text(arm.follow_up_month),
            number_text(arm.days_grade_2),
        )  # fmt: skip
    return table


def endpoint_table(report: TrialReport) -> Table:
    """Endpoints of each arm, predicted and published."""
    table = _table("Endpoints", "arm", "endpoint", "unit", *_FIGURE, *_GUESSES)
    for row in report.endpoints:
        text = endpoint_text(row.endpoint, row.measure, row.at_month, row.subgroup)
        table.add_row(row.arm, text, row.unit, *figure_cells(row.figure), *guess_cells(row.figure))
    return table


def ratio_table(report: TrialReport) -> Table:
    """Hazard ratios, predicted and published."""
    table = _table("Hazard ratios", "arm", "over", "endpoint", *_FIGURE, *_GUESSES)
    for row in report.ratios:
        cells = [*figure_cells(row.figure), *guess_cells(row.figure)]
        what = ratio_text(row.endpoint, row.subgroup, row.cut_month)
        table.add_row(row.arm, row.versus, what, *cells)
    return table


def ratio_text(endpoint: str, subgroup: str | None, cut_month: float | None) -> str:
    """What a hazard ratio is of: endpoint, subgroup, and the data cut if it has its own."""
    of = f", {subgroup.replace('_', ' ')}" if subgroup else ""
    cut = f", cut at {cut_month:g} months" if cut_month is not None else ""
    return f"{endpoint}{of}{cut}"


def contrast_text(row: SeenContrast) -> str:
    """A contrast in words."""
    where = f"{row.arm} over {row.versus}" if row.versus else row.arm or "all arms"
    groups = f"{row.group.replace('_', ' ')} over {row.over.replace('_', ' ') or 'all'}"
    return f"{where}, {row.what}: {groups}"


def contrast_cells(row: SeenContrast) -> list[str]:
    """Published with its range, predicted with its own, and the verdict."""
    return [
        number_text(row.published), range_text(row.published_low, row.published_high),
        number_text(row.predicted), range_text(row.low, row.high), row.verdict,
    ]  # fmt: skip


def contrast_table(rows: Sequence[SeenContrast], is_of_many: bool = False) -> Table:
    """What trials saw of traits by which treatment could be chosen, and what is predicted."""
    table = Table(title="Subgroups: ratios, with 90 % ranges", title_justify="left")
    texts = ("trait", *(("trial",) if is_of_many else ()), "contrast")
    for name in (*texts, "published", "range", "predicted", "range", "published figure says"):
        left = name in texts or name.startswith("published f")
        table.add_column(name, justify="left" if left else "right")
    for row in rows:
        first = [row.trait, *([row.trial] if is_of_many else []), contrast_text(row)]
        table.add_row(*first, *contrast_cells(row))
    return table


def event_text(event: str, grade: str, until_month: float | None = None) -> str:
    """An adverse event in words."""
    by = f", in {until_month:g} months" if until_month else ""
    return SAFETY[event] + ("" if grade == "any" else f", grade {grade} or more") + by


def _safety(report: TrialReport) -> Table:
    off = report.without_rules
    more = ("without rules",) if off is not None else ()
    table = _table(
        "Adverse events, % of patients", "arm", "adverse event", *_FIGURE[:1], *more, *_FIGURE[1:]
    )
    rows = () if off is None else off.safety
    other = {(r.arm, r.event, r.grade, r.until_month): r.figure for r in rows}
    for row in report.safety:
        cells = figure_cells(row.figure)
        if off is not None:
            found = other.get((row.arm, row.event, row.grade, row.until_month))
            cells.insert(1, predicted_text(found))
        table.add_row(row.arm, event_text(row.event, row.grade, row.until_month), *cells)
    return table


def _treatment(report: TrialReport) -> Table:
    off = report.without_rules
    columns = [
        "dose intensity",
        "given mg",
        "days on hold",
        "reduced %",
        "stopped (adverse event) %",
    ]
    more = ["intensity without rules", "mg without rules"] if off is not None else []
    table = _table("Treatment, means of all simulated", "arm", "drug", *columns, *more)
    other = {
        (arm.id, drug.drug): drug for arm in (off.arms if off else ()) for drug in arm.treatment
    }
    for arm in report.arms:
        for drug in arm.treatment:
            cells = [
                f"{drug.dose_intensity:.3f}", number_text(drug.given_mg), f"{drug.hold_day:.1f}",
                f"{drug.reduced_percent:.1f}", f"{drug.stopped_percent:.1f}",
            ]  # fmt: skip
            if off is not None:
                found = other[arm.id, drug.drug]
                cells += [f"{found.dose_intensity:.3f}", number_text(found.given_mg)]
            table.add_row(arm.id, drug.drug, *cells)
    return table


def _power(report: TrialReport) -> Table:
    table = _table(
        "Power by the log-rank test, two-sided 5 %", "endpoint", "arm", "over", "patients",
        "replicates", "power %", "95 % interval", "hazard ratio", "5th to 95th",
    )  # fmt: skip
    for row in report.power:
        table.add_row(
            row.endpoint, row.arm, row.versus, str(row.patients), str(row.replicates),
            f"{100 * row.power:.1f}", range_text(100 * row.low, 100 * row.high),
            number_text(row.hazard_ratio),
            spread_text(
                row.hazard_ratio is not None, row.hazard_ratio_p5, row.hazard_ratio_p95, row.needs
            ),
        )  # fmt: skip
    return table


def score_tables(scores: Sequence[Score]) -> Iterator[Table]:
    """Criteria and how many rows meet them; then the figures that have no prediction."""
    table = Table(title="Predicted beside published", title_justify="left")
    for name in ("criterion", "role", "hits", "of", "no prediction"):
        table.add_column(name, justify="left" if name in ("criterion", "role") else "right")
    for score in scores:
        counts = (score.hits, len(score.rows), len(score.unpredicted))
        table.add_row(score.title, score.role, *map(str, counts))
    yield table
    rows = [row for score in scores for row in score.unpredicted]
    if rows:
        yield _unpredicted(rows)


def skill_table(skills: Sequence[Skill]) -> Table:
    """Errors beside those of guesses from other trials."""
    table = Table(title="Mean absolute error beside guesses", title_justify="left")
    for name in ("endpoint", "figures", "her2sim, fitted", "all other trials", "trials alike"):
        table.add_column(name, justify="left" if name == "endpoint" else "right")
    for row in skills:
        numbers = (f"{value:.3g}" for value in (row.ours, row.constant, row.alike))
        table.add_row(f"{row.endpoint} ({row.unit})", str(row.n), *numbers)
    return table


def _unpredicted(rows: Sequence[Judged]) -> Table:
    table = Table(title="No prediction: neither hit nor miss", title_justify="left")
    for name in ("trial", "arm", "figure", "published", "would need"):
        table.add_column(name, justify="right" if name == "published" else "left")
    for row in rows:
        published = number_text(row.figure.published)
        table.add_row(row.trial, row.arm, row.what, published, row.figure.needs)
    return table
