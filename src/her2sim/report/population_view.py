"""Patients, and what happened to them, for the terminal and as figures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from rich.table import Table

from her2sim.biology.heart import CardiacProfile
from her2sim.biology.lesion_model import MUTANT
from her2sim.patients.cohort import Cohort
from her2sim.report.canvas import BAND, LINE, finished, legend_above, new_canvas
from her2sim.report.rule_limits import draw_limits, rule_limits, show_lvef
from her2sim.report.tables import number_text, patients_text
from her2sim.studies.characteristics import characteristics
from her2sim.studies.population import PopulationReport
from her2sim.studies.population_estimates import NOT_MEASURED, PopulationEstimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HISTOGRAMS_A_ROW = 4
HISTOGRAM_BINS = 40


def heading(report: PopulationReport) -> str:
    """What efficacy rests on, where that is not breast cancer; then what was done to whom."""
    how = report.how
    rules = f"rules of the {how.region.upper()} labels" if how.by_rules else "no label's rules"
    line = (
        f"{report.combination.title}; {patients_text(report)}; "
        f"{how.end_day / 7:g} weeks, {rules}{_told(report)}"
    )
    return "\n".join((*report.evidence, line))


def _told(report: PopulationReport) -> str:
    """What is not as usual: the HER2 test, what came before, how it was looked at."""
    tumour, how = report.tumour, report.how
    is_mutant = tumour.is_amplified is None and any(MUTANT in text for text in report.evidence)
    told = [f"; {how.setting}; HER2 {tumour.ihc}{' or mutation' if is_mutant else ''}"]
    if tumour.is_amplified is not None:
        told.append(f", ISH {'positive' if tumour.is_amplified else 'negative'}")
    if tumour.earlier_lines > 0:
        told.append(f"; earlier lines: {tumour.earlier_lines}")
    if report.heart != CardiacProfile():
        told.append("; after an anthracycline")
    if how.scan != "echo":
        told.append(f"; LVEF by {how.scan}")
    told += [f"; with {name}" for name in how.given_with]
    told += [f"; without {name}" for name in how.off]
    return "".join(told)


def population_tables(report: PopulationReport) -> tuple[Table, ...]:
    """Outcomes, and the rules that acted."""
    outcomes = Table(title="Outcomes", title_justify="left")
    outcomes.add_column("outcome")
    outcomes.add_column("predicted", justify="right")
    if report.members > 1:
        outcomes.add_column(f"5th to 95th of {report.members} members", justify="right")
    outcomes.add_column("unit")
    for outcome in report.outcomes:
        cells = [outcome.name, _value(outcome)]
        if report.members > 1:
            cells.append(_spread(outcome))
        outcomes.add_row(*cells, outcome.unit)
    acted = Table(title="Rules that acted, in share of patients", title_justify="left")
    for heading in ("rule", "decision"):
        acted.add_column(heading)
    acted.add_column("patients %", justify="right")
    for row in report.acted:
        doubt = "" if row.is_confirmed else " (unconfirmed)"
        acted.add_row(row.rule + doubt, row.decision, f"{100 * row.patients:.2f}")
    return (outcomes, acted) if report.acted else (outcomes,)


def _number(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "not reached"


def _value(outcome: PopulationEstimate) -> str:
    if outcome.value is not None:
        return _number(outcome.value)
    return NOT_MEASURED if outcome.needs == NOT_MEASURED else f"-, needs {outcome.needs}"


def _spread(outcome: PopulationEstimate) -> str:
    if outcome.value is not None and outcome.needs:
        return f"-, needs {outcome.needs}"
    if outcome.low is None or outcome.high is None:
        return ""
    return f"{_number(outcome.low)} to {_number(outcome.high)}"


TESTS = {"LVEF": "lvef", "neutrophils": "neutrophils", "platelets": "platelets"}
"""Readings with limits of rules, by a word of the title of their band."""


def bands_figure(report: PopulationReport) -> Figure:
    """Bands over time, one panel each."""
    figure, found = new_canvas(2.2 * len(report.bands) + 0.9, len(report.bands), sharex=True)
    drugs = [treatment.drug.id for treatment in report.combination.treatments]
    for axes, band in zip(found[:, 0], report.bands, strict=True):
        week = band.time_day / 7
        axes.fill_between(
            week, band.p5, band.p95, color=BAND, alpha=0.5, linewidth=0, label="5th to 95th"
        )
        axes.plot(week, band.median, color=LINE, linewidth=1.2, label="median")
        axes.set_title(band.title, fontsize=10, loc="left")
        axes.set_ylim(bottom=0)
        test = next((name for words, name in TESTS.items() if words in band.title), None)
        if test == "lvef":
            show_lvef(axes, float(band.p5.min()), float(band.p95.max()))
        if test is not None and report.how.by_rules:
            draw_limits(axes, rule_limits(drugs, report.how.region, report.how.setting, test))
    legend_above(found[0, 0])
    found[-1, 0].set_xlabel("weeks")
    title = f"{report.combination.title}; {report.population}, {report.patients} patients"
    if report.how.by_rules:
        title += "\ndotted: limits at which rules of the labels hold or stop a drug"
    return finished(figure, title, size=11)


def characteristics_table(cohort: Cohort) -> Table:
    """Median, 5th and 95th percentile of each characteristic; share of those that are there."""
    table = Table(title=f"Characteristics of {cohort.n_patients} patients", title_justify="left")
    table.add_column("characteristic")
    for heading in ("median", "5th", "95th", "share %"):
        table.add_column(heading, justify="right")
    table.add_column("unit")
    for row in characteristics(cohort):
        if row.share_percent is not None:
            table.add_row(row.name, "", "", "", f"{row.share_percent:.3g}", "")
        else:
            cells = (number_text(value or 0.0) for value in (row.median, row.p5, row.p95))
            table.add_row(row.name, *cells, "", "" if row.unit == "1" else row.unit)
    return table


def characteristics_figure(cohort: Cohort, title: str) -> Figure:
    """A histogram of each characteristic that is measured."""
    found = [row for row in characteristics(cohort) if row.share_percent is None]
    rows = math.ceil(len(found) / HISTOGRAMS_A_ROW)
    figure, panels = new_canvas(1.7 * rows + 0.9, rows, HISTOGRAMS_A_ROW)
    for axes, row in zip(np.ravel(panels), found, strict=False):
        axes.hist(row.values, bins=HISTOGRAM_BINS, color=BAND)
        label = row.name if row.unit == "1" else f"{row.name} ({row.unit})"
        axes.set_title(label, fontsize=8, loc="left")
        axes.set_yticks([])
    for axes in np.ravel(panels)[len(found) :]:
        axes.set_axis_off()
    return finished(figure, title)
