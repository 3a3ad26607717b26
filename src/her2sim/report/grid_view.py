"""A grid of designs: a table, and power by size and follow-up for each effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2sim.report.canvas import COLOURS, MARKERS, STYLES, finished, legend_above, new_canvas
from her2sim.report.trial_tables import range_text
from her2sim.studies.trial.grid import GridReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.table import Table

PANEL_HEIGHT = 2.7


def heading(report: GridReport) -> str:
    """Trial, comparison, test and how many designs."""
    row = report.comparison
    line = (
        f"{report.trial.id}, {row.endpoint}, {row.arm} over {row.versus}: {len(report.cells)} "
        f"designs; log-rank test, two-sided {100 * report.alpha:g} %; {report.asked.members} "
        f"members, seed {report.asked.seed}"
    )
    return "\n".join(text for text in (report.trial.evidence, line) if text)


def grid_table(report: GridReport) -> Table:
    """Designs, one row each."""
    from rich.table import Table

    table = Table(title="Power by design", title_justify="left")
    row = report.comparison
    for name in (
        "effect %", "follow-up, months", "duration, months", f"patients {row.arm}",
        f"patients {row.versus}", "events", "assurance %", "95 % interval", "best fit %",
    ):  # fmt: skip
        table.add_column(name, justify="right")
    for cell in report.cells:
        table.add_row(
            f"{cell.effect_percent:g}", f"{cell.follow_up_month:g}", f"{cell.duration_month:g}",
            str(cell.arm_patients), str(cell.versus_patients), f"{cell.events:.0f}",
            f"{100 * cell.assurance:.1f}", range_text(100 * cell.low, 100 * cell.high),
            f"{100 * cell.power_best:.1f}",
        )  # fmt: skip
    return table


def grid_figure(report: GridReport) -> Figure:
    """Assurance against patients, a line for each follow-up and a panel for each effect."""
    effects = sorted({cell.effect_percent for cell in report.cells}, reverse=True)
    months = sorted({cell.follow_up_month for cell in report.cells})
    figure, panels = new_canvas(PANEL_HEIGHT * len(effects) + 1.2, len(effects), sharex=True)
    for axes, effect in zip(panels[:, 0], effects, strict=True):
        for place, month in enumerate(months):
            cells = [c for c in report.cells if c.effect_percent == effect]
            own = [c for c in cells if c.follow_up_month == month]
            own = sorted(own, key=lambda cell: cell.per_arm)
            patients = [cell.arm_patients + cell.versus_patients for cell in own]
            share = [100 * cell.assurance for cell in own]
            below = [100 * (cell.assurance - cell.low) for cell in own]
            above = [100 * (cell.high - cell.assurance) for cell in own]
            axes.errorbar(
                patients, share, yerr=[below, above], color=COLOURS[place % len(COLOURS)],
                marker=MARKERS[place % len(MARKERS)], linestyle=STYLES[place % len(STYLES)],
                markersize=4, capsize=2, label=f"followed {month:g} months",
            )  # fmt: skip
        axes.set_ylim(-3, 103)
        axes.set_ylabel(f"effect {effect:g} %:\ntrials that show it (%)")
    panels[-1, 0].set_xlabel("patients in both arms")
    legend_above(panels[0, 0], min(3, len(months)))
    return finished(figure, heading(report).replace("; log-rank", ";\nlog-rank"))
