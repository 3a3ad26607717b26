"""One patient's course made visible: figure, tables, and a page in one file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from her2sim.biology.lesion_model import evidence_text
from her2sim.protocol.eligibility import label_text
from her2sim.report.canvas import NARROW, svg_text
from her2sim.report.course_figure import course_figure, heading
from her2sim.report.html import PageTable, render
from her2sim.report.outlook_figure import outlook_figure
from her2sim.report.rule_words import in_words, reading_text
from her2sim.report.tables import number_text
from her2sim.timeline.outlook import Outlook
from her2sim.timeline.result import GivenDose, PatientTimeline
from her2sim.units import DAY_PER_WEEK

SAME_DAY = 1e-4


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


HEADINGS = {
    "drugs": ("drug", "doses", "mg in all", "dose intensity", "days on hold", "lowered", "stopped"),
    "outlook": ("what", "of patients like this one", "90 % range"),
    "decisions": ("#", "day", "drug", "decision", "reading", "rule", "because", "source"),
}


def drug_cells(course: PatientTimeline) -> list[tuple[str, ...]]:
    """A line for each drug, under its headings."""
    return [
        (
            drug.drug if len(course.lines) == 1 else f"{drug.drug} (line {drug.line})",
            f"{len(drug.doses)} of {drug.n_planned}",
            number_text(drug.given_mg),
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
            str(number),
            f"{decided.day:g}",
            decided.drug,
            decided.in_words,
            reading_text(decided.variable, decided.reading),
            decided.rule + ("" if decided.is_confirmed else " (not confirmed)"),
            in_words(decided.condition),
            decided.source,
        )
        for number, decided in enumerate(course.decisions, start=1)
    ]


def outlook_cells(outlook: Outlook) -> list[tuple[str, ...]]:
    """A line for each chance, under its headings."""
    return [
        (one.name, f"{one.percent:.0f} %", f"{one.low:.0f} to {one.high:.0f} %")
        for one in outlook.chances
    ]


def line_texts(course: PatientTimeline) -> list[str]:
    """What efficacy rests on, then each line of treatment, and whether a label names it."""
    evidence = evidence_text(course.patient.tumour, course.patient.setting)
    found = [evidence] if evidence else []
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
    ahead = course.outlook
    is_plain = category in ("none", course.her2.status)
    return render(
        "course",
        title=heading(course),
        course=course,
        her2=course.her2.status if is_plain else f"{course.her2.status} ({category})",
        lines=line_texts(course),
        picture=f"Levels, doses and readings over weeks: {heading(course)}",
        svg=svg_text(course_figure(course)),
        narrow_svg=svg_text(course_figure(course, NARROW)),
        drugs=PageTable("Doses of each drug", HEADINGS["drugs"], drug_cells(course)),
        records=[(drug, [run.text() for run in dose_runs(drug.doses)]) for drug in course.drugs],
        outlook=None if ahead is None else _outlook(ahead),
        decisions=PageTable("What rules did", HEADINGS["decisions"], decision_cells(course)),
    )


def _outlook(outlook: Outlook) -> dict[str, Any]:
    """What the page shows of an outlook."""
    title = "Early disease: what becomes of patients like this one"
    return {
        "table": PageTable("Cure and survival", HEADINGS["outlook"], outlook_cells(outlook)),
        "picture": title,
        "svg": svg_text(outlook_figure(outlook, title)),
        "narrow_svg": svg_text(outlook_figure(outlook, title, NARROW)),
        "notes": outlook.notes,
    }
