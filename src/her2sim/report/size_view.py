"""Patients for a power: a table of sizes, and power against size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2sim.report.canvas import BAND, COLOURS, FAINT, LINE, finished, legend_above, new_canvas
from her2sim.report.trial_tables import range_text
from her2sim.studies.trial.size import SizeReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.table import Table


def heading(report: SizeReport) -> str:
    """Trial, comparison, power and what was found."""
    row, found = report.comparison, report.found
    told = (
        f"no size reaches {100 * report.wanted_power:g} %"
        if found is None
        else f"{found.patients} patients ({found.events:.0f} events) for "
        f"{100 * report.wanted_power:g} %"
    )
    line = (
        f"{report.trial.id}, {row.endpoint}, {row.arm} over {row.versus}: {told}; log-rank test, "
        f"two-sided {100 * report.alpha:g} %; {report.asked.members} members, seed "
        f"{report.asked.seed}"
    )
    return "\n".join(text for text in (report.trial.evidence, line) if text)


def size_table(report: SizeReport) -> Table:
    """Sizes and their power; the one that was found is marked."""
    from rich.table import Table

    table = Table(title="Power by size", title_justify="left")
    for name in (
        "", "patients", "events", "assurance %", "95 % interval", "by member, 5th to 95th",
        "best fit %",
    ):  # fmt: skip
        table.add_column(name, justify="left" if not name else "right")
    for row in report.rows:
        spread = "needs more members"
        if row.member_p5 is not None and row.member_p95 is not None:
            spread = range_text(100 * row.member_p5, 100 * row.member_p95)
        table.add_row(
            "found" if row == report.found else "", str(row.patients), f"{row.events:.0f}",
            f"{100 * row.assurance:.1f}", range_text(100 * row.low, 100 * row.high), spread,
            f"{100 * row.power_best:.1f}",
        )  # fmt: skip
    return table


def size_figure(report: SizeReport) -> Figure:
    """Power against patients: assurance with its interval, best fit, and the power wanted."""
    figure, panels = new_canvas(4.2)
    axes, rows = panels[0, 0], report.rows
    patients = [row.patients for row in rows]
    low, high = ([100 * getattr(row, name) for row in rows] for name in ("low", "high"))
    axes.fill_between(patients, low, high, color=BAND, alpha=0.5, label="its 95 % interval")
    axes.plot(
        patients, [100 * row.assurance for row in rows], color=LINE, marker="o", markersize=4,
        label="assurance (numbers uncertain)",
    )  # fmt: skip
    axes.plot(
        patients, [100 * row.power_best for row in rows], color=COLOURS[2], linestyle="--",
        marker="s", markersize=4, label="with the numbers that fit best",
    )  # fmt: skip
    wanted = 100 * report.wanted_power
    axes.axhline(wanted, color=FAINT, linewidth=0.8, linestyle=":")
    axes.annotate(
        f"wanted: {wanted:g} %", (0.0, wanted), (4, 3), xycoords=("axes fraction", "data"),
        textcoords="offset points", ha="left", fontsize=8, color=FAINT,
    )  # fmt: skip
    if report.found is not None:
        axes.axvline(report.found.patients, color=FAINT, linewidth=0.8, linestyle=":")
    axes.set_xlabel("patients in both arms")
    axes.set_ylabel("trials that show the difference (%)")
    axes.set_ylim(0, 103)
    legend_above(axes, 3)
    return finished(figure, heading(report).replace("; log-rank", ";\nlog-rank"))
