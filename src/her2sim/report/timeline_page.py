"""One patient's course made visible: figure, tables, and a page in one file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from her2sim.protocol.eligibility import label_text
from her2sim.protocol.variables import DERIVED, VARIABLES
from her2sim.report.canvas import BAND, LINE, PRINTED, finished, new_canvas, shown_unit
from her2sim.report.html import PageTable, render
from her2sim.report.tables import amount_text
from her2sim.timeline.result import (
    BodyBand,
    Decided,
    DrugTimeline,
    GivenDose,
    Line,
    PatientTimeline,
)
from her2sim.units import DAY_PER_WEEK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAME_DAY = 1e-4
PANEL_HEIGHT, READING_HEIGHT = 2.1, 1.5


@dataclass(frozen=True)
class Run:
    """Equal doses at an equal interval, as one line."""

    first_day: float
    last_day: float
    n_doses: int
    interval_day: float | None
    dose: GivenDose

    def text(self) -> str:
        """The run in words."""
        minutes = f" over {self.dose.duration_min:g} min" if self.dose.duration_min else ""
        level = f", dose level -{self.dose.level}" if self.dose.level else ""
        what = f"{self.dose.dose_mg:.4g} mg{minutes} ({self.dose.why}{level})"
        if self.interval_day is None:
            return f"day {self.first_day:g}: {what}"
        return (
            f"days {self.first_day:g} to {self.last_day:g}, every {self.interval_day:g}: "
            f"{self.n_doses} x {what}"
        )


def dose_runs(doses: Sequence[GivenDose]) -> Iterator[Run]:
    """Doses in order, with equal ones at one interval put together."""
    run: list[GivenDose] = []
    for dose in doses:
        if run and not _continues(run, dose):
            yield _run(run)
            run = []
        run.append(dose)
    if run:
        yield _run(run)


def _continues(run: Sequence[GivenDose], dose: GivenDose) -> bool:
    last = run[-1]
    if (dose.dose_mg, dose.why, dose.level) != (last.dose_mg, last.why, last.level):
        return False
    return len(run) < 2 or abs(dose.day - last.day - (last.day - run[-2].day)) < SAME_DAY


def _run(doses: Sequence[GivenDose]) -> Run:
    interval = round(doses[1].day - doses[0].day, 3) if len(doses) > 1 else None
    return Run(round(doses[0].day, 2), round(doses[-1].day, 2), len(doses), interval, doses[0])


def timeline_figure(course: PatientTimeline) -> Figure:
    """Doses and readings of a patient as a figure with its title."""
    return finished(_draw(course), _heading(course))


def _draw(course: PatientTimeline) -> Figure:
    """Levels of each drug with its doses, holds and stops, and the readings below."""
    drugs = [drug for drug in course.drugs if drug.doses]
    shown = {band.test for band in course.body}
    tests = [t for t in course.readings.records if t != "progression" and t not in shown]
    tests = [test for test in tests if course.readings.records[test][2].any()]
    n_bodies = len(course.body)
    heights = [PANEL_HEIGHT] * (len(drugs) + n_bodies) + [READING_HEIGHT] * len(tests)
    figure, panels = new_canvas(
        sum(heights) + 0.8, len(heights), sharex=True, height_ratios=heights
    )
    for axes, drug in zip(panels[:, 0], drugs, strict=False):
        _draw_drug(axes, drug, course)
    for axes, band in zip(panels[len(drugs) :, 0], course.body, strict=False):
        _draw_body(axes, band, course)
    for axes, test in zip(panels[len(drugs) + n_bodies :, 0], tests, strict=True):
        _draw_reading(axes, test, course)
    for line in course.lines[1:]:
        for axes in panels[:, 0]:
            axes.axvline(line.start_day / DAY_PER_WEEK, color="#999999", linewidth=0.8)
    panels[-1, 0].set_xlabel("weeks")
    found: Figure = figure
    return found


def _draw_drug(axes: Any, drug: DrugTimeline, course: PatientTimeline) -> None:
    weeks = drug.time_day / DAY_PER_WEEK
    axes.fill_between(weeks, drug.p5, drug.p95, color=BAND, alpha=0.5, linewidth=0)
    axes.plot(weeks, drug.median, color=LINE, linewidth=1)
    days = np.array([dose.day for dose in drug.doses]) / DAY_PER_WEEK
    axes.plot(days, np.zeros(days.size), "|", color=LINE, markersize=7, clip_on=False)
    line = course.lines[drug.line - 1]
    for first, last in holds_of(course.decisions, drug, line):
        axes.axvspan(first / DAY_PER_WEEK, last / DAY_PER_WEEK, color=PRINTED, alpha=0.12)
    if drug.stopped_day is not None:
        axes.axvline(drug.stopped_day / DAY_PER_WEEK, color=PRINTED, linewidth=1)
    axes.set_title(f"{drug.drug}, {drug.title}", fontsize=9, loc="left")
    axes.set_ylabel(shown_unit(drug.unit), fontsize=8)
    axes.set_ylim(bottom=0)


def _draw_body(axes: Any, band: BodyBand, course: PatientTimeline) -> None:
    """Band of patients like this one, the simulated one dashed, and what was measured."""
    weeks = band.time_day / DAY_PER_WEEK
    axes.fill_between(weeks, band.p5, band.p95, color=BAND, alpha=0.5, linewidth=0)
    axes.plot(weeks, band.median, color=LINE, linewidth=1)
    axes.plot(weeks, band.own, color=LINE, linewidth=0.9, linestyle="--")
    if band.test != "progression" and band.test in course.readings.records:
        _, days, values = course.readings.records[band.test]
        axes.plot(days / DAY_PER_WEEK, values, "o", color=PRINTED, markersize=3)
    axes.set_title(band.title, fontsize=9, loc="left")
    axes.set_ylabel(band.unit, fontsize=8)
    if band.test != "lvef":
        axes.set_ylim(bottom=0)


def holds_of(
    decisions: Sequence[Decided], drug: DrugTimeline, line: Line
) -> Iterator[tuple[float, float]]:
    """Days from which to which a rule held a drug, or a partner that takes it along; each once."""
    shown: set[tuple[float, float]] = set()
    for held in (drug.drug, *drug.held_with):
        own = [d for d in decisions if d.drug == held and line.start_day <= d.day < line.end_day]
        for decided in (d for d in own if d.decision == "hold"):
            later = [d for d in own if d.day > decided.day and d.decision != "hold"]
            ends = [d.day for d in later if d.rule == decided.rule or d.decision == "stop"]
            held_days = (decided.day, min(ends, default=line.end_day))
            if held_days not in shown:
                shown.add(held_days)
                yield held_days


def _draw_reading(axes: Any, test: str, course: PatientTimeline) -> None:
    _, days, values = course.readings.records[test]
    shown = days <= course.lines[-1].end_day
    axes.plot(
        days[shown] / DAY_PER_WEEK, values[shown], "o-", color=LINE, markersize=4, linewidth=1
    )
    for decided in course.decisions:
        if (
            test in DERIVED.get(decided.variable, (decided.variable,))
            and decided.reading is not None
        ):
            axes.axvline(decided.day / DAY_PER_WEEK, color=PRINTED, linewidth=0.8, linestyle=":")
    variable = VARIABLES[test]
    axes.set_title(variable.meaning, fontsize=9, loc="left")
    axes.set_ylabel("" if variable.unit == "1" else variable.unit, fontsize=8)
    if variable.unit == "1":
        axes.set_ylim(bottom=-0.2)


def write_figure(course: PatientTimeline) -> Figure:
    """Write the figure; the file type follows the ending of the path."""
    return finished(timeline_figure(course), _heading(course))


def _heading(course: PatientTimeline) -> str:
    return "; then ".join(line.title for line in course.lines)


HEADINGS = {
    "drugs": ("drug", "doses", "mg in all", "dose intensity", "days on hold", "lowered", "stopped"),
    "decisions": ("day", "drug", "decision", "reading", "rule", "because", "source"),
}


def drug_cells(course: PatientTimeline) -> list[tuple[str, ...]]:
    """A line for each drug, under its headings."""
    return [
        (
            drug.drug if len(course.lines) == 1 else f"{drug.drug} (line {drug.line})",
            f"{len(drug.doses)} of {drug.n_planned}",
            amount_text(drug.given_mg),
            "" if drug.dose_intensity is None else f"{drug.dose_intensity:.2f}",
            f"{drug.days_on_hold:g}",
            str(drug.n_reductions),
            "" if drug.stopped_day is None else f"day {drug.stopped_day:g}: {drug.stopped_by}",
        )
        for drug in course.drugs
    ]


def decision_cells(course: PatientTimeline) -> list[tuple[str, ...]]:
    """A line for each decision, under its headings."""
    return [
        (
            f"{decided.day:g}",
            decided.drug,
            decided.decision,
            "" if decided.reading is None else f"{decided.variable} {decided.reading:.4g}",
            decided.rule + ("" if decided.is_confirmed else " (not confirmed)"),
            decided.condition,
            decided.source,
        )
        for decided in course.decisions
    ]


def line_texts(course: PatientTimeline) -> list[str]:
    """Each line of treatment in words, and whether a label names it."""
    found = []
    for number, line in enumerate(course.lines, start=1):
        text = (
            f"Line {number}, {_weeks(line.start_day)} to {_weeks(line.end_day)} weeks: {line.title}"
        )
        label = label_text(line.verdict, course.region)
        if line.verdict is None:
            text += f" ({line.regimen}; {label})"
        else:
            text += f"; {label}"
        found.append(text)
    return found


def _weeks(day: float) -> str:
    return f"{round(day / DAY_PER_WEEK, 1):g}"


def html_page(course: PatientTimeline) -> str:
    """The course as one self-contained HTML file."""
    category = course.her2.category
    is_plain = category in ("none", course.her2.status)
    return render(
        "course",
        title=_heading(course),
        course=course,
        her2=course.her2.status if is_plain else f"{course.her2.status} ({category})",
        lines=line_texts(course),
        picture=f"Levels, doses and readings over weeks: {_heading(course)}",
        svg=svg_text(course),
        drugs=PageTable("Doses of each drug", HEADINGS["drugs"], drug_cells(course)),
        records=[(drug, [run.text() for run in dose_runs(drug.doses)]) for drug in course.drugs],
        decisions=PageTable("What rules did", HEADINGS["decisions"], decision_cells(course)),
    )


def svg_text(course: PatientTimeline) -> str:
    """The figure as SVG text to be put into a page."""
    import matplotlib

    figure, written = _draw(course), StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "her2sim"}):
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    return text[text.index("<svg") :]
