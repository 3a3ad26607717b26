"""One patient from left to right: HER2 test, receptors, levels, tumour, organs, rule, next dose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from her2sim.pk.combination import load_combination
from her2sim.protocol.eligibility import label_text
from her2sim.report.timeline_page import decision_cells
from her2sim.timeline.result import BodyBand, Decided, DrugTimeline, PatientTimeline
from her2sim.timeline.run import TimelinePlan, patient_timeline
from her2sim.units import DAY_PER_WEEK
from her2sim.virtual_patient.treat import PROGRESSION
from her2sim.web.charts import Chart, ChartBand, ChartCurve, Limit, Mark, number, spark_svg
from her2sim.web.patient_question import PatientQuestion

TWINS = 200
KEPT_COURSES = 64
LVEF_LIMIT_PERCENT = 50.0


@dataclass(frozen=True)
class Stage:
    """A stage of the chain: a headline with its unit, one line of detail, and its charts."""

    key: str
    title: str
    value: str
    unit: str
    detail: str
    spark: str
    charts: tuple[Chart, ...]
    is_marked: bool = False


@dataclass(frozen=True)
class ChainView:
    """All stages of a patient in order, and what a reader must know."""

    stages: tuple[Stage, ...]
    notes: tuple[str, ...]
    has_band: bool

    def stage(self, key: str) -> Stage:
        """A stage by its key; the first one if this patient has none of that key."""
        return next((stage for stage in self.stages if stage.key == key), self.stages[0])


@lru_cache(maxsize=KEPT_COURSES)
def followed(question: PatientQuestion, twins: int = 0) -> PatientTimeline:
    """The course of the patient; with ``twins`` patients like this one beside it."""
    end_day = question.weeks * DAY_PER_WEEK
    plan = TimelinePlan(
        (question.changed_regimen(),), (0.0,), end_day, question.region, by_rules=question.rules
    )
    return patient_timeline(
        question.patient(), plan, None, question.seed, twins=0, body_twins=twins
    )


@lru_cache(maxsize=KEPT_COURSES)
def chain(question: PatientQuestion, has_band: bool = False) -> ChainView:
    """The chain of a patient; ``has_band`` adds what patients like this one show.

    Raises
    ------
    Her2SimError
        If the patient cannot be treated like this, with the reason.
    """
    course = followed(question, TWINS if has_band else 0)
    return ChainView(tuple(_stages(course, question)), course.notes, has_band)


def _stages(course: PatientTimeline, question: PatientQuestion) -> Iterator[Stage]:
    bands = {band.test: band for band in (*course.stages, *course.body)}
    weeks = float(question.weeks)
    marks = tuple(_marks(course))
    yield _test(course)
    yield _of("receptors", "Receptors", bands.get("receptors_mean"), weeks, "a cell, on average")
    yield _levels(course, bands, weeks, marks)
    occupied = [bands[name] for name in ("occupancy_iv", "occupancy_ii") if name in bands]
    if occupied:
        yield _of("occupancy", "Occupancy", *_first(occupied), weeks=weeks, percent=True)
    if "kinase" in bands:
        yield _of("kinase", "Kinase", bands["kinase"], weeks, "kinase activity left", percent=True)
    if "payload" in bands:
        yield _of("payload", "Payload", bands["payload"], weeks, "in tumour cells, highest",
                  highest=True)  # fmt: skip
    if "signal" in bands:
        yield _of("signal", "Signal", bands["signal"], weeks, "growth signal left", percent=True)
    if "progression" in bands:
        yield _tumour(course, bands["progression"], weeks, marks)
    yield from _organs(bands, weeks, marks)
    yield _rule(course, question, marks, weeks)
    yield _next_dose(course, question)
    yield _outcome(course, bands.get("progression"), weeks)


def _first(bands: Sequence[BodyBand]) -> tuple[BodyBand]:
    return (max(bands, key=lambda band: float(np.nanmean(band.own))),)


def _test(course: PatientTimeline) -> Stage:
    her2 = course.her2
    (line,) = course.lines
    return Stage(
        "test", "HER2 test", her2.status if her2.category == "none" else her2.category, "",
        f"{her2.guideline}, row {her2.rule_id}; {label_text(line.verdict, course.region)}", "", (),
    )  # fmt: skip


def _of(
    key: str,
    title: str,
    band: BodyBand | None,
    weeks: float,
    detail: str = "",
    *,
    percent: bool = False,
    highest: bool = False,
) -> Stage:
    """A stage of one quantity: where it stands at the end, or how high it came."""
    if band is None:
        return Stage(key, title, "–", "", "not modelled for this tumour", "", ())
    factor, unit = (100.0, "%") if percent else (1.0, band.unit)
    own = band.own * factor
    value = float(np.nanmax(own)) if highest else float(own[-1])
    chart = _chart(band, weeks, factor, unit)
    return Stage(
        key, title, number(value), unit, detail or band.title, spark_svg(band.time_day, own),
        (chart,),
    )  # fmt: skip


def _chart(
    band: BodyBand,
    weeks: float,
    factor: float = 1.0,
    unit: str = "",
    marks: Sequence[Mark] = (),
    limits: Sequence[Limit] = (),
    low: float | None = 0.0,
) -> Chart:
    week = band.time_day / DAY_PER_WEEK
    around: tuple[ChartBand, ...] = ()
    if band.p5.size:
        around = (
            ChartBand("9 of 10 patients like this one", week, band.p5 * factor, band.p95 * factor),
        )
    own = band.own * factor
    finite = own[np.isfinite(own)]
    text = f"from {number(finite[0])} to {number(finite[-1])} {unit}" if finite.size else "no value"
    return Chart(
        f"{band.title}, {unit or band.unit}", text, "weeks", unit or band.unit,
        (ChartCurve("this patient", week, own),), around, marks, limits, low, weeks,
    )  # fmt: skip


def _levels(
    course: PatientTimeline, bands: dict[str, BodyBand], weeks: float, marks: Sequence[Mark]
) -> Stage:
    levels = [band for name, band in bands.items() if name.startswith("conc_")]
    if not levels:
        return Stage("levels", "Levels", "–", "", "no level is modelled", "", ())
    first = levels[0]
    own = first.own
    charts = tuple(_chart(band, weeks, 1.0, band.unit, _doses(marks, band)) for band in levels)
    return Stage(
        "levels", "Levels", number(float(own[-1])), first.unit,
        f"{first.title}, at the end; highest {number(float(np.nanmax(own)))}",
        spark_svg(first.time_day, own), charts,
    )  # fmt: skip


def _doses(marks: Sequence[Mark], band: BodyBand) -> tuple[Mark, ...]:
    return tuple(mark for mark in marks if mark.text.startswith(band.title.split(" ")[0]))


def _tumour(course: PatientTimeline, band: BodyBand, weeks: float, marks: Sequence[Mark]) -> Stage:
    own = band.own
    best = 100 * (float(np.nanmin(own)) / float(own[0]) - 1) if own[0] > 0 else 0.0
    change = f"{best:+.0f} % at best" if best < 0 else "never smaller than at the start"
    chart = _chart(band, weeks, 1.0, band.unit, [m for m in marks if m.kind != "dose"])
    return Stage(
        "tumour", "Tumour", number(float(own[-1])), band.unit, f"sum of diameters; {change}",
        spark_svg(band.time_day, own), (chart,),
    )  # fmt: skip


def _organs(bands: dict[str, BodyBand], weeks: float, marks: Sequence[Mark]) -> Iterator[Stage]:
    shown = [m for m in marks if m.kind != "dose"]
    if "lvef" in bands:
        band = bands["lvef"]
        limit = Limit(LVEF_LIMIT_PERCENT, "50 %: labels look here")
        chart = _chart(band, weeks, 1.0, "%", shown, (limit,), low=None)
        lowest = float(np.nanmin(band.own))
        yield Stage(
            "heart", "Heart", number(float(band.own[-1])), "% LVEF", f"lowest {lowest:.0f} %",
            spark_svg(band.time_day, band.own), (chart,), lowest < LVEF_LIMIT_PERCENT,
        )  # fmt: skip
    counts = [bands[name] for name in ("neutrophils", "platelets") if name in bands]
    if counts:
        charts = tuple(_chart(band, weeks, 1.0, band.unit, shown) for band in counts)
        lowest_text = ", ".join(
            f"{band.title} {number(float(np.nanmin(band.own)))}" for band in counts
        )
        yield Stage(
            "counts", "Blood counts", number(float(counts[0].own[-1])), counts[0].unit,
            f"lowest: {lowest_text}", spark_svg(counts[0].time_day, counts[0].own), charts,
        )  # fmt: skip


def _marks(course: PatientTimeline) -> Iterator[Mark]:
    """Doses and decisions on the time axis, in weeks."""
    for drug in course.drugs:
        for dose in drug.doses if _is_infused(drug) else ():
            kind = "reload" if dose.why == "reload" else "dose"
            text = f"{drug.drug}: {number(dose.dose_mg)} mg, {dose.why}"
            yield Mark(dose.day / DAY_PER_WEEK, kind, text)
    for decided in course.decisions:
        text = f"{decided.drug}: {decided.in_words}, {decided.rule}"
        yield Mark(decided.day / DAY_PER_WEEK, decided.in_words, text)


def _is_infused(drug: DrugTimeline) -> bool:
    return all(dose.route != "oral" for dose in drug.doses)


def _rule(
    course: PatientTimeline, question: PatientQuestion, marks: Sequence[Mark], weeks: float
) -> Stage:
    fired = [d for d in course.decisions if d.rule != PROGRESSION.id]
    if not question.rules:
        return Stage("rule", "Rules", "off", "", "drugs are given as planned", "", ())
    if not fired:
        return Stage("rule", "Rules", "none fired", "", "all doses as planned", "", ())
    last = fired[-1]
    reading = "" if last.reading is None else f"{last.variable} {last.reading:.3g}: "
    return Stage(
        "rule", "Rules", last.in_words, "",
        f"week {last.day / DAY_PER_WEEK:.0f}, {reading}{last.rule}; {len(fired)} in all",
        "", (), True,
    )  # fmt: skip


def _next_dose(course: PatientTimeline, question: PatientQuestion) -> Stage:
    """The first drug's dose that comes after the end; the day it stopped if it did."""
    drug = course.drugs[0]
    if drug.stopped_day is not None:
        why = "progression" if drug.stopped_by == PROGRESSION.id else drug.stopped_by
        return Stage(
            "next", "Next dose", "none", "",
            f"{drug.drug} ended in week {drug.stopped_day / DAY_PER_WEEK:.0f}: {why}", "", (), True,
        )  # fmt: skip
    if not drug.doses:
        return Stage("next", "Next dose", "–", "", f"{drug.drug}: nothing was given", "", ())
    last = drug.doses[-1]
    treatment = load_combination(question.changed_regimen()).treatments[0]
    every = treatment.regimen.phases[0].interval_min / 1440
    day = max(last.day + every, question.weeks * DAY_PER_WEEK)
    return Stage(
        "next", "Next dose", number(last.dose_mg), "mg",
        f"{drug.drug} in week {day / DAY_PER_WEEK:.0f}; {len(drug.doses)} given so far", "", (),
    )  # fmt: skip


def _outcome(course: PatientTimeline, band: BodyBand | None, weeks: float) -> Stage:
    seen = course.readings.records.get("progression")
    if seen is not None and seen[2].any():
        week = float(seen[1][seen[2] >= 1].min()) / DAY_PER_WEEK
        return Stage(
            "outcome", "Progression", f"week {week:.0f}", "", "seen by a scan", "", (), True
        )
    if band is None:
        return Stage("outcome", "Progression", "–", "", "no model of this tumour", "", ())
    return Stage("outcome", "Progression", "none", "", f"on scans up to week {weeks:.0f}", "", ())


def rules_table(question: PatientQuestion) -> list[tuple[str, ...]]:
    """What each rule did: when, to which drug, by which reading, row and source."""
    return decision_cells(followed(question))


@dataclass(frozen=True)
class Lane:
    """A drug on the timeline: doses (week, share of the first in %, text), holds, decisions."""

    drug: str
    doses: tuple[tuple[float, float, str], ...]
    holds: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]


def lanes(question: PatientQuestion) -> tuple[Lane, ...]:
    """Doses of each drug on a timeline, on which holds, reductions, reloads and stops stand."""
    course = followed(question)
    return tuple(_lane(course, drug, float(question.weeks)) for drug in course.drugs)


def _lane(course: PatientTimeline, drug: DrugTimeline, weeks: float) -> Lane:
    first = drug.doses[0].dose_mg if drug.doses else 1.0
    shown = drug.doses if _is_infused(drug) else drug.doses[:: max(1, len(drug.doses) // 60)]
    doses = tuple(
        (d.day / DAY_PER_WEEK, 100 * d.dose_mg / first, f"{number(d.dose_mg)} mg, {d.why}")
        for d in shown
    )
    own = [d for d in course.decisions if d.drug == drug.drug]
    holds, begun = [], None
    for decided in own:
        week = decided.day / DAY_PER_WEEK
        if decided.in_words == "hold" and begun is None:
            begun = week
        elif begun is not None and decided.in_words in ("resume", "stop", "end"):
            holds.append((begun, week))
            begun = None
    if begun is not None:
        holds.append((begun, weeks))
    reloads = [
        Mark(d.day / DAY_PER_WEEK, "reload", f"loading dose again, {number(d.dose_mg)} mg")
        for d in drug.doses if d.why == "reload"
    ]  # fmt: skip
    marks = [
        Mark(
            d.day / DAY_PER_WEEK, d.in_words,
            f"week {d.day / DAY_PER_WEEK:.0f}, {d.in_words}: {_read(d)}{d.rule}",
        )
        for d in own
    ]  # fmt: skip
    return Lane(drug.drug, doses, tuple(holds), (*reloads, *marks))


def _read(decided: Decided) -> str:
    if decided.reading is None:
        return ""
    return f"{decided.variable} {decided.reading:.3g}, "


def without_rules(question: PatientQuestion) -> str:
    """What is different if no row of a label acts, in a sentence."""
    if not question.rules:
        return ""
    with_, off = followed(question), followed(question.model_copy(update={"rules": False}))
    given = [sum(drug.given_mg for drug in course.drugs[:1]) for course in (with_, off)]
    lowest = [_lowest(course, "lvef") for course in (with_, off)]
    drug = with_.drugs[0].drug
    heart = f"; lowest LVEF {lowest[0]:.0f} against {lowest[1]:.0f} %" if lowest[0] else ""
    return (
        f"With the rules {number(given[0])} mg of {drug} in all, without them "
        f"{number(given[1])} mg{heart}."
    )


def _lowest(course: PatientTimeline, test: str) -> float:
    for band in course.body:
        if band.test == test:
            return float(np.nanmin(band.own))
    return 0.0
