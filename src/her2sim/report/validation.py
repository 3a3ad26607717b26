"""Every published exposure beside the predicted one: the page docs/validation.md."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from her2sim.course import (
    Treatment,
    load_treatment,
    simulate_reference_patient,
    steady_state_cycle,
)
from her2sim.drugs.drug import drug_names, load_drug
from her2sim.drugs.exposures import PublishedExposure, published_exposures
from her2sim.formats.files import write_text
from her2sim.notice import NOTICE
from her2sim.patients.population import load_population
from her2sim.report.exposure import (
    STEADY_STATE,
    ExposureReport,
    compared_values,
    exposure,
    metric_unit,
)
from her2sim.units import convert

PATIENTS, SEED = 10_000, 1
REFERENCE_PATIENT = "reference patient"
TOLERANCES = {
    "typical": 0.03,
    "median": 0.15,
    "geometric_mean": 0.25,
    "arithmetic_mean": 0.20,
    "observed_mean": 0.25,
}
"""Allowed relative difference by statistic; fixed before any comparison. All geometric means so far
are of observed troughs."""

CMAX_TOLERANCE = 0.20
"""Medians of Cmax: printed values depend on the infusion time, which labels do not say."""


@dataclass(frozen=True)
class ValidationRow:
    """A published number beside the predicted one. ``tolerance`` is None if it is only shown."""

    drug: str
    row: PublishedExposure
    statistic: str
    published: float
    predicted: float
    tolerance: float | None
    source: str

    @property
    def ratio(self) -> float:
        """Predicted over published."""
        return self.predicted / self.published

    @property
    def is_inside(self) -> bool | None:
        """Whether it is within its tolerance; None if it has none."""
        return None if self.tolerance is None else abs(self.ratio - 1) <= self.tolerance


def tolerance_of(row: PublishedExposure, statistic: str) -> float | None:
    """Tolerance of a statistic of a row; percentiles are reported without one."""
    if statistic in ("p5", "p95"):
        return None
    if statistic == "median" and row.metric == "cmax":
        return CMAX_TOLERANCE
    return TOLERANCES[statistic]


def validation_rows(patients: int = PATIENTS, seed: int = SEED) -> Iterator[ValidationRow]:
    """Compare every comparable published exposure of every drug."""
    for drug in drug_names():
        file = published_exposures(drug)
        reports: dict[tuple[str, str], ExposureReport] = {}
        for row in file.exposure:
            if row.not_comparable:
                continue
            source = file.source_text(row.source or "")
            treatment = load_treatment(drug, row.regimen)
            if row.population == REFERENCE_PATIENT:
                value = reference_prediction(treatment, row)
                tolerance = tolerance_of(row, "typical")
                unit = row.unit if row.is_relative else metric_unit(treatment, row.metric)
                printed = convert(row.value, row.unit, unit)
                yield ValidationRow(drug, row, "typical", printed, value, tolerance, source)
                continue
            key = (row.regimen, row.population)
            if key not in reports:
                population = load_population(row.population)
                reports[key] = exposure(treatment, population, patients, seed)
            for statistic, published, predicted in _population_values(reports[key], row):
                tolerance = tolerance_of(row, statistic)
                yield ValidationRow(drug, row, statistic, published, predicted, tolerance, source)


def _population_values(
    report: ExposureReport, row: PublishedExposure
) -> Iterator[tuple[str, float, float]]:
    for found in report.exposures:
        if (found.cycle, found.metric) == (row.cycle, row.metric):
            yield from compared_values(row, found.statistics, found.unit)


def reference_prediction(treatment: Treatment, row: PublishedExposure) -> float:
    """Prediction for the reference patient (with the changes of the row)."""
    cycle = steady_state_cycle(treatment) if row.cycle == STEADY_STATE else int(row.cycle)

    def value(changes: dict[str, float]) -> float:
        course = simulate_reference_patient(treatment, cycle, changes)
        return float(course.metric(row.metric)[0, cycle - 1])

    return value(row.patient) / value({}) if row.is_relative else value(row.patient)


def validation_page(rows: list[ValidationRow]) -> str:
    """The page as Markdown."""
    judged = [r for r in rows if r.is_inside is not None]
    inside = sum(bool(r.is_inside) for r in judged)
    lines = [
        "# Predicted beside published",
        "",
        f"Made by `make validation`: {PATIENTS} virtual patients, seed {SEED}. {inside} of "
        f"{len(judged)} judged rows are inside their tolerance. Tolerances: typical subject 3 %, "
        "population median of Cmin and AUC 15 %, of Cmax 20 %, arithmetic mean 20 %, observed "
        "troughs 25 %. Percentiles (p5, p95) are shown and never judged or tuned for.",
        "",
        "Percentiles. In early breast cancer the published model, with its published variability, "
        "gives a wider range than the label prints: the label's percentiles look like those of "
        "individual estimates, which shrink towards the middle. In metastatic disease the label's "
        "5th percentile of the trough is much lower than ours (1.8 against about 11 ug/mL at "
        "steady state): some of its patients clear the drug faster than independent draws of "
        "albumin, AST and liver metastases make them. Why was not established.",
        "",
    ]
    for drug in drug_names():
        lines += _drug_section(drug, [r for r in rows if r.drug == drug])
    return "\n".join([*lines, f"_{NOTICE}_", ""])


def _drug_section(drug: str, rows: list[ValidationRow]) -> list[str]:
    lines = [
        f"## {load_drug(drug).title}",
        "",
        "| regimen | population | cycle | metric | statistic | published | predicted | ratio | "
        "inside | source or reason |",
        "|---|---|---|---|---|---:|---:|---:|---|---|",
    ]
    for r in rows:
        verdict = {None: "-", True: "yes", False: "**no**"}[r.is_inside]
        text = r.source
        if r.is_inside is False:
            text += f". {r.row.deviation or 'reason not known'}"
        population = r.row.population
        if r.row.patient:
            changes = ", ".join(f"{k} {v:g}" for k, v in r.row.patient.items())
            population = f"{population}, {changes}, relative"
        cells = (r.row.regimen, population, r.row.cycle, r.row.metric)
        numbers = (f"{r.published:.4g} {r.row.unit}", f"{r.predicted:.4g}", f"{r.ratio:.3f}")
        statistic = r.statistic.replace("_", " ")
        lines.append(f"| {' | '.join((*cells, statistic, *numbers, verdict, text))} |")
    listed = [row for row in published_exposures(drug).exposure if row.not_comparable]
    if listed:
        lines += ["", "Published but not compared:", ""]
        lines += [
            f"- {row.regimen}, {row.population}, {row.cycle}, {row.metric} {row.value:g} "
            f"{row.unit}: {row.not_comparable}"
            for row in listed
        ]
    return [*lines, ""]


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), validation_page(list(validation_rows())))
