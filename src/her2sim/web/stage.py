"""A stage of the chain of one patient."""

from __future__ import annotations

from dataclasses import dataclass

from her2sim.web.charts import Chart


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
    source: str = ""


def key_of(stage: Stage) -> list[str]:
    """What is drawn in the charts of a stage, a sentence each."""
    curves = {c.kind: c.title for chart in stage.charts for c in chart.curves}
    told = [f"Line: {curves['own']}."] if "own" in curves else []
    if "other" in curves:
        told.append(f"Dashed: {curves['other']}.")
    if any(chart.bands for chart in stage.charts):
        told.append("Area: 9 of 10 patients like this one on the same doses.")
    if any(chart.points for chart in stage.charts):
        told.append("Dots: what was measured, with the error of the test; rules read the dots.")
    kinds = {mark.kind for chart in stage.charts for mark in chart.marks}
    if "dose" in kinds:
        told.append("Upright lines: doses.")
    if kinds - {"dose"}:
        told.append("Marks: what rules did.")
    return told
