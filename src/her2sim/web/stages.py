"""The stages of one patient: HER2 test, receptors, levels, tumour, organs, rule, next dose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array
from her2sim.pk.combination import load_combination
from her2sim.protocol.eligibility import label_text
from her2sim.timeline.result import BodyBand, DrugTimeline, PatientTimeline
from her2sim.units import DAY_PER_WEEK
from her2sim.virtual_patient.treat import PROGRESSION
from her2sim.web.charts import Chart, ChartBand, ChartCurve, Limit, Mark, number, spark_svg
from her2sim.web.patient_question import PatientQuestion

LVEF_LIMIT_PERCENT = 50.0
GONE = 1e-4
"""Less than this share of the highest level is shown as none."""


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


def stages_of(course: PatientTimeline, question: PatientQuestion) -> Iterator[Stage]:
    """The stages of a course, from the test to progression."""
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
        key, title, _last(value, own), unit, detail or band.title, spark_svg(band.time_day, own),
        (chart,),
    )  # fmt: skip


def _last(value: float, own: Array) -> str:
    """A value of a line; what is left after it is gone is none."""
    return number(value if value >= GONE * float(np.nanmax(own)) else 0.0)


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
        "levels", "Levels", _last(float(own[-1]), own), first.unit,
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
        for dose in drug.doses if is_infused(drug) else ():
            kind = "reload" if dose.why == "reload" else "dose"
            text = f"{drug.drug}: {number(dose.dose_mg)} mg, {dose.why}"
            yield Mark(dose.day / DAY_PER_WEEK, kind, text)
    for decided in course.decisions:
        text = f"{decided.drug}: {decided.in_words}, {decided.rule}"
        yield Mark(decided.day / DAY_PER_WEEK, decided.in_words, text)


def is_infused(drug: DrugTimeline) -> bool:
    """Whether a drug is given by infusion or injection: its doses are shown one by one."""
    return all(dose.route != "oral" for dose in drug.doses)


def _rule(
    course: PatientTimeline, question: PatientQuestion, marks: Sequence[Mark], weeks: float
) -> Stage:
    fired = [d for d in course.decisions if d.rule != PROGRESSION.id]
    if not question.rules:
        return Stage("rule", "Rules", "off", "", "drugs are given as asked", "", ())
    if not fired:
        return Stage("rule", "Rules", "none fired", "", "all doses as asked", "", ())
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
