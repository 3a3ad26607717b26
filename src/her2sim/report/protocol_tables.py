"""Tables of what is labelled, planned, given and departed from, for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table

from her2sim.patients.her2_status import Her2Status
from her2sim.patients.her2_table import STEP_TEXT
from her2sim.protocol.departures import CheckReport
from her2sim.protocol.eligibility import Verdict, label_text
from her2sim.protocol.monitoring_plan import MonitoringPlan, PlannedDose
from her2sim.report.rule_words import in_words
from her2sim.report.tables import number_text
from her2sim.report.timeline_page import (
    HEADINGS,
    decision_cells,
    dose_runs,
    drug_cells,
    outlook_cells,
)
from her2sim.studies.shortage import ShortageReport
from her2sim.timeline.outlook import Outlook
from her2sim.timeline.result import PatientTimeline


def status_text(status: Her2Status) -> str:
    """A HER2 status in words, with the category of low expression."""
    is_plain = status.category in ("none", status.status)
    return f"HER2 {status.status}" + ("" if is_plain else f" (category: {status.category})")


def status_table(status: Her2Status) -> Table:
    """How a HER2 status came about."""
    table = Table(title_justify="left", show_header=False)
    told = {
        "ISH group": status.ish_group,
        "next step": STEP_TEXT[status.next_step] if status.next_step else "",
        "discordant": "another test says otherwise" if status.discordant else "",
        "rule": f"{status.rule_id} of {status.guideline}",
        "source": status.source,
    }
    for name, value in told.items():
        if value:
            table.add_row(name, str(value))
    return table


def plan_heading(plan: MonitoringPlan) -> str:
    """Regimen, whether it is labelled, and the cardiovascular risk; one line each."""
    risk = plan.risk
    because = f": {'; '.join(risk.factors)}" if risk.factors else ""
    return "\n".join(
        [
            f"{plan.title}; {plan.weeks} weeks; {plan.region.upper()} labels",
            f"{plan.regimen}: {label_text(plan.verdict, plan.region)}",
            f"cardiovascular risk {risk.level} (HFA-ICOS, {risk.points} points){because}",
        ]
    )


def departures_table(report: CheckReport) -> Table:
    """Departures of a record from the labels."""
    table = Table(title="Departures from the label", title_justify="left")
    for heading in ("row", "patient", "date", "code", "found", "expected", "rule and source"):
        table.add_column(heading, overflow="fold")
    for d in report.departures:
        doubt = "" if d.rule_status == "confirmed" else " (unconfirmed)"
        basis = f"{d.rule_id}{doubt}: {d.source}" if d.source else ""
        expected = in_words(d.expected)
        table.add_row(str(d.row), d.patient, d.date, d.code, d.found, expected, basis)
    return table


def eligibility_table(verdicts: Sequence[Verdict]) -> Table:
    """Labelled regimens, then those that are not, with the reasons."""
    table = Table(title_justify="left")
    for heading in ("regimen", "label", "reasons", "source and date"):
        table.add_column(heading, overflow="fold")
    for v in verdicts:
        label = "labelled" if v.labelled else "not labelled"
        told = "; ".join(text for text in (v.dated, v.note) if text)
        source = "" if v.source is None else f"{v.source} ({told})"
        table.add_row(v.regimen, label, "; ".join(v.reasons), source)
    return table


def timeline_tables(course: PatientTimeline) -> tuple[Table, ...]:
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
    found = (tables[0], doses, *(tables[1:] if course.decisions else ()))
    return found if course.outlook is None else (*found, outlook_table(course.outlook))


def plan_tables(plan: MonitoringPlan) -> tuple[Table, ...]:
    """Doses, tests and what follows of a monitoring plan."""

    def when(day: float) -> str:
        date = plan.date(day)
        return f"{day:g}" if date is None else f"{day:g} ({date})"

    doses = Table(title="Doses", title_justify="left")
    for heading in ("drug", "doses", "first day", "last day", "amount", "mg"):
        doses.add_column(heading, overflow="fold")
    alike = dict[tuple[str, float, str, float], list[PlannedDose]]()
    for d in plan.doses:
        alike.setdefault((d.drug, d.amount, d.unit, d.duration_min), []).append(d)
    for (drug, amount, unit, minutes), own in alike.items():
        over = f" over {minutes:g} min" if minutes else ""
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
    before = Table(title="Before and with the doses", title_justify="left")
    for heading in ("drug", "what", "when", "source"):
        before.add_column(heading, overflow="fold")
    for taken in plan.premedication:
        before.add_row(taken.drug, ", ".join(taken.what), taken.when, taken.source)
    return tuple(table for table in (doses, before, tests, later) if table.row_count)


def outlook_table(outlook: Outlook) -> Table:
    """Cure, response and survival of patients like one with early disease."""
    table = Table(title="Outlook of patients like this one", title_justify="left")
    for heading in HEADINGS["outlook"]:
        table.add_column(heading, overflow="fold")
    for row in outlook_cells(outlook):
        table.add_row(*row)
    return table


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
        return number_text(median)
    return f"{number_text(median)} ({number_text(low)} to {number_text(high)})"
