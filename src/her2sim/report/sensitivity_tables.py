"""A sensitivity report for the terminal."""

from __future__ import annotations

from rich.table import Table

from her2sim.report.tables import patients_text
from her2sim.studies.sensitivity import SensitivityReport


def sensitivity_heading(report: SensitivityReport) -> str:
    """What efficacy rests on, where that is not breast cancer; regimen, patients and samples."""
    line = (
        f"{report.combination.title}; {patients_text(report)}; {report.samples} samples, "
        f"{report.weeks} weeks"
    )
    return "\n".join((*report.evidence, line))


def sensitivity_table(report: SensitivityReport, top: int) -> Table:
    """The numbers that move each outcome most."""
    table = Table(title="Share of the variance that a number moves", title_justify="left")
    for heading in ("outcome", "number", "alone", "in all", "status", "rests on"):
        right = heading in ("alone", "in all")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for outcome in report.outcomes:
        rows = [row for row in report.rows if row.outcome == outcome and row.total > 0.01][:top]
        for number, row in enumerate(rows):
            table.add_row(
                outcome if number == 0 else "",
                f"{row.meaning} ({row.key})",
                f"{row.first_order:.2f}",
                f"{row.total:.2f}",
                row.status,
                row.basis,
            )
        if not rows:
            table.add_row(outcome, "no number with a range moves it", "", "", "", "")
    return table
