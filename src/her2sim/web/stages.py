"""The stages of one patient: HER2 test, receptors, levels, tumour, organs, rule, next dose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from her2sim.arrays import Array
from her2sim.pk.combination import load_combination
from her2sim.protocol.eligibility import label_text
from her2sim.report.rule_words import in_words, reading_text
from her2sim.timeline.result import BodyBand, PatientTimeline, progressed_day
from her2sim.units import DAY_PER_WEEK
from her2sim.virtual_patient.calendar import SCANS
from her2sim.virtual_patient.treat import PROGRESSION
from her2sim.web.charts import Chart, ChartBand, ChartCurve, Limit, Mark, number, spark_svg
from her2sim.web.next_dose import is_infused, next_doses
from her2sim.web.patient_question import PatientQuestion
from her2sim.web.stage import Stage
from her2sim.web.survival_stage import survival

LVEF_LIMIT_PERCENT = 50.0
GONE = 1e-4
"""Less than this share of the highest level is shown as none."""


def stages_of(
    course: PatientTimeline,
    question: PatientQuestion,
    other: PatientTimeline | None = None,
    later: PatientTimeline | None = None,
) -> Iterator[Stage]:
    """The stages of a course, from the test to survival.

    Parameters
    ----------
    course : of the patient
    question : that it answers
    other : the same patient with the rules off, or on, to be drawn beside it
    later : the same patient further on, for the next dose; as planned without it
    """
    bands = {band.test: band for band in (*course.stages, *course.body)}
    weeks = float(question.weeks)
    marks = tuple(_marks(course))
    beside = _Beside(course, other, question.rules)
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
        yield _tumour(beside, bands["progression"], weeks, marks)
    yield from _organs(beside, bands, weeks, marks)
    yield _rule(course, question, marks, weeks)
    yield _next_dose(course, later, question)
    yield _outcome(course, bands.get("progression"), weeks)
    yield survival(course)


def _first(bands: Sequence[BodyBand]) -> tuple[BodyBand]:
    return (max(bands, key=lambda band: float(np.nanmean(band.own))),)


def _test(course: PatientTimeline) -> Stage:
    her2 = course.her2
    (line,) = course.lines
    return Stage(
        "test", "HER2 test", her2.status if her2.category == "none" else her2.category, "",
        f"{her2.guideline}, row {her2.rule_id}; {label_text(line.verdict, course.region)}", "", (),
        source=her2.source,
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
    more: Sequence[ChartCurve] = (),
    points: Sequence[ChartCurve] = (),
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
        (ChartCurve("this patient", week, own), *more), points, around, marks, limits, low, weeks,
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


class _Beside:
    """What is drawn beside the line of a patient: measured values, and what rules change."""

    def __init__(
        self, course: PatientTimeline, other: PatientTimeline | None, has_rules: bool
    ) -> None:
        self._records = course.readings.records
        self._others = {band.test: band for band in (() if other is None else other.body)}
        self._title = "without the rules" if has_rules else "with the rules"

    def curves(self, test: str) -> tuple[ChartCurve, ...]:
        """The same with the rules off, or on."""
        if test not in self._others:
            return ()
        band = self._others[test]
        return (ChartCurve(self._title, band.time_day / DAY_PER_WEEK, band.own, "other"),)

    def measured(self, test: str) -> tuple[ChartCurve, ...]:
        """What was measured, with the error of the test; rules read this."""
        if test not in self._records:
            return ()
        _, days, values = self._records[test]
        return (ChartCurve("measured", days / DAY_PER_WEEK, values, "measured"),)

    def lowest(self, test: str) -> float | None:
        """The lowest measured value; None if there is none."""
        found = self.measured(test)
        return float(np.nanmin(found[0].y)) if found and found[0].y.size else None


def _tumour(beside: _Beside, band: BodyBand, weeks: float, marks: Sequence[Mark]) -> Stage:
    own = band.own
    best = 100 * (float(np.nanmin(own)) / float(own[0]) - 1) if own[0] > 0 else 0.0
    change = f"{best:+.0f} % at best" if best < 0 else "never smaller than at the start"
    shown = [m for m in marks if m.kind != "dose"]
    chart = _chart(band, weeks, 1.0, band.unit, shown, more=beside.curves("progression"))
    return Stage(
        "tumour", "Tumour", number(float(own[-1])), band.unit, f"sum of diameters; {change}",
        spark_svg(band.time_day, own), (chart,),
    )  # fmt: skip


def _organs(
    beside: _Beside, bands: dict[str, BodyBand], weeks: float, marks: Sequence[Mark]
) -> Iterator[Stage]:
    shown = [m for m in marks if m.kind != "dose"]
    if "lvef" in bands:
        band = bands["lvef"]
        limit = Limit(LVEF_LIMIT_PERCENT, "50 %")
        chart = _chart(
            band, weeks, 1.0, "%", shown, (limit,), None, beside.curves("lvef"),
            beside.measured("lvef"),
        )  # fmt: skip
        lowest, measured = float(np.nanmin(band.own)), beside.lowest("lvef")
        read = "" if measured is None else f", lowest measured {measured:.0f} %"
        yield Stage(
            "heart", "Heart", number(float(band.own[-1])), "% LVEF", f"lowest {lowest:.0f} %{read}",
            spark_svg(band.time_day, band.own), (chart,),
            min(lowest, measured or lowest) < LVEF_LIMIT_PERCENT,
        )  # fmt: skip
    counts = [bands[name] for name in ("neutrophils", "platelets") if name in bands]
    if counts:
        charts = tuple(
            _chart(
                band, weeks, 1.0, band.unit, shown, more=beside.curves(band.test),
                points=beside.measured(band.test),
            )
            for band in counts
        )  # fmt: skip
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


def _rule(
    course: PatientTimeline, question: PatientQuestion, marks: Sequence[Mark], weeks: float
) -> Stage:
    fired = [d for d in course.decisions if d.rule != PROGRESSION.id]
    if not question.rules:
        return Stage("rule", "Rules", "off", "", "drugs are given as asked", "", ())
    if not fired:
        return Stage("rule", "Rules", "none fired", "", "all doses as asked", "", ())
    last = fired[-1]
    reading = reading_text(last.variable, last.reading)
    is_read = reading and any(sign in last.condition for sign in "<>=")
    why = reading if is_read else in_words(last.condition)
    return Stage(
        "rule", "Rules", last.in_words, "",
        f"{last.drug}, week {last.day / DAY_PER_WEEK:.0f}: {why}; {len(fired)} in all",
        "", (), True, last.source,
    )  # fmt: skip


def _next_dose(
    course: PatientTimeline, later: PatientTimeline | None, question: PatientQuestion
) -> Stage:
    """The next dose of each drug; on hold or none where there is none."""
    treatments = load_combination(question.changed_regimen()).treatments
    found = list(next_doses(course, later, treatments, question.weeks))
    coming = [one.week for one in found if one.week is not None]
    is_held = any(one.is_held for one in found)
    value = f"week {min(coming):.0f}" if coming else "on hold" if is_held else "none"
    return Stage(
        "next", "Next dose", value, "", "; ".join(one.text for one in found), "", (),
        is_held or any(one.is_ended for one in found),
    )  # fmt: skip


def _outcome(course: PatientTimeline, band: BodyBand | None, weeks: float) -> Stage:
    week = progressed_day(course.readings) / DAY_PER_WEEK
    if np.isfinite(week):
        return Stage(
            "outcome", "Progression", f"week {week:.0f}", "", "seen by a scan", "", (), True
        )
    if band is None:
        return Stage("outcome", "Progression", "–", "", "no model of this tumour", "", ())
    if weeks * DAY_PER_WEEK <= float(SCANS.after(np.zeros(1))[0]):
        return Stage("outcome", "Progression", "–", "", "no scan yet", "", ())
    return Stage("outcome", "Progression", "none", "", f"on scans before week {weeks:.0f}", "", ())
