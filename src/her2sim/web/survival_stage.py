"""Survival of patients like one, from the day on which a scan showed its progression."""

from __future__ import annotations

import numpy as np

from her2sim.arrays import Array
from her2sim.timeline.result import PatientTimeline, progressed_day
from her2sim.trials.death import alive_share, medians_after, own_median
from her2sim.units import DAY_PER_MONTH, DAY_PER_WEEK
from her2sim.web.charts import Chart, ChartCurve, number, spark_svg
from her2sim.web.stage import Stage

SHOWN_WEEKS, STEP_WEEKS = 260.0, 2.0
"""Five years."""
TOLD_MONTHS = 24
TITLE = "Survival"


def survival(course: PatientTimeline) -> Stage:
    """Which share of patients like this one is alive; deaths are empirical, by line and type."""
    if course.modelled is None or not course.modelled.has_lesion:
        return Stage("survival", TITLE, "–", "", "no model of this tumour", "", ())
    people = course.modelled.one
    median_day = float(own_median(medians_after(people), people.tumours.traits["earlier_lines"])[0])
    seen = progressed_day(course.readings)

    def alive_percent(day: Array) -> Array:
        return 100 * alive_share(day, seen, median_day)

    day = np.arange(0.0, SHOWN_WEEKS + STEP_WEEKS, STEP_WEEKS) * DAY_PER_WEEK
    told = number(float(alive_percent(np.array([TOLD_MONTHS * DAY_PER_MONTH]))[0]))
    until = "" if np.isfinite(seen) else " if nothing progresses"
    half = f"half live {median_day / DAY_PER_MONTH:.0f} months from progression"
    chart = Chart(
        "patients like this one who are alive, %", f"{told} % after {TOLD_MONTHS} months", "weeks",
        "%", (ChartCurve("patients like this one", day / DAY_PER_WEEK, alive_percent(day)),),
        low=0.0, x_end=SHOWN_WEEKS,
    )  # fmt: skip
    return Stage(
        "survival", TITLE, told, "%", f"alive after {TOLD_MONTHS} months{until}; {half}",
        spark_svg(day, alive_percent(day)), (chart,),
    )  # fmt: skip
