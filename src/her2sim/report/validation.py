"""Every published exposure beside the predicted one: `her2sim validate` and docs/validation.md."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from her2sim.course import (
    CHUNK,
    Treatment,
    cohort_chunks,
    load_treatment,
    reference_half_life_day,
    simulate,
    simulate_reference_patient,
    steady_state_cycle,
)
from her2sim.drugs.drug import drug_names, load_drug
from her2sim.drugs.exposures import (
    ExposureFile,
    OwnExposureFile,
    PublishedExposure,
    published_exposures,
)
from her2sim.drugs.pk import parameter_unit, reference_covariates, typical_parameters
from her2sim.facts import FactFile, read_fact_file
from her2sim.notice import NOTICE
from her2sim.patients.population import load_population
from her2sim.report.exposure import (
    STEADY_STATE,
    ExposureReport,
    compared_values,
    exposure,
)
from her2sim.report.metrics import Statistics, metric_unit, statistics
from her2sim.units import conversion_factor, convert

PATIENTS, SEED = 10_000, 1
REFERENCE_PATIENT = "reference patient"
HALF_LIFE = "terminal_half_life"
TOLERANCES = {
    "typical value": 0.03,
    "median or geometric mean after IV or SC": 0.15,
    "oral drug or payload": 0.25,
    "arithmetic mean": 0.20,
    "observed trough": 0.25,
}
"""Allowed relative difference by kind of row; fixed before any comparison."""

Use = Literal["counted", "calibration", "not_comparable"]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ValidationRow:
    """A published number beside the predicted one.

    ``predicted``, ``ratio`` and ``inside`` are None for rows that cannot be compared; ``low`` and
    ``high`` are printed percentiles with their predictions, shown and never judged.
    """

    id: str
    use: Use
    drug: str
    model: str
    model_status: str
    region: str | None
    regimen: str
    population: str
    analyte: str
    cycle: str
    metric: str
    statistic: str
    unit: str
    published: float
    predicted: float | None
    ratio: float | None
    tolerance: float | None
    tolerance_class: str
    inside: bool | None
    reason: str | None
    source: str
    low: float | None = None
    predicted_low: float | None = None
    high: float | None = None
    predicted_high: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The row as plain data, for JSON."""
        row = dataclasses.asdict(self)
        row["class"] = row.pop("use")
        return row


def tolerance_class(treatment: Treatment, row: PublishedExposure) -> str:
    """Kind of a row, which decides its tolerance."""
    if row.population == REFERENCE_PATIENT:
        return "typical value"
    if row.is_observed:
        return "observed trough"
    if "oral" in treatment.regimen.routes or row.analyte not in (None, treatment.drug.analyte):
        return "oral drug or payload"
    if row.statistic == "arithmetic_mean":
        return "arithmetic mean"
    return "median or geometric mean after IV or SC"


class _Comparer:
    """Compares rows; runs each population once."""

    def __init__(self, patients: int, seed: int) -> None:
        self.patients, self.seed = patients, seed
        self.reports: dict[tuple[str, str, str], ExposureReport] = {}

    def compare(self, drug: str, row: PublishedExposure, file: FactFile) -> ValidationRow:
        if row.not_comparable:
            return _listed_row(drug, row, file)
        name = f"{drug}:{row.model}" if row.model else drug
        treatment = load_treatment(name, row.regimen)
        kind = tolerance_class(treatment, row)
        if row.population == REFERENCE_PATIENT:
            unit, predicted = reference_prediction(treatment, row)
            values = [("typical", convert(row.value, row.unit, unit), predicted)]
        else:
            unit = metric_unit(treatment, row.metric, row.analyte)
            unit = unit if row.versus_cycle is None else "1"
            values = list(compared_values(row, self.statistics(treatment, name, row), unit))
        (_, published, predicted), *tails = values
        low, high = (next((v[1:] for v in tails if v[0] == p), (None, None)) for p in ("p5", "p95"))
        tolerance, ratio = TOLERANCES[kind], predicted / published
        is_inside = abs(ratio - 1) <= tolerance
        return dataclasses.replace(
            _listed_row(drug, row, file),
            use="calibration" if row.is_calibration else "counted",
            model=treatment.pk.model,
            model_status=treatment.pk.status,
            unit=unit,
            published=published,
            predicted=predicted,
            ratio=ratio,
            tolerance=None if row.is_calibration else tolerance,
            tolerance_class=kind,
            inside=None if row.is_calibration else is_inside,
            reason=_reason(row, is_inside),
            low=low[0],
            predicted_low=low[1],
            high=high[0],
            predicted_high=high[1],
        )

    def statistics(self, treatment: Treatment, name: str, row: PublishedExposure) -> Statistics:
        if row.versus_cycle is not None:
            return self.ratio_statistics(treatment, row)
        key = (name, row.regimen, row.population)
        if key not in self.reports:
            population = load_population(row.population)
            self.reports[key] = exposure(treatment, population, self.patients, self.seed)
        analyte = row.analyte or treatment.drug.analyte
        return next(
            found.statistics
            for found in self.reports[key].exposures
            if (found.analyte, found.cycle, found.metric) == (analyte, row.cycle, row.metric)
        )

    def ratio_statistics(self, treatment: Treatment, row: PublishedExposure) -> Statistics:
        """Each patient's ratio of a metric in one cycle to that in another."""
        population = load_population(row.population)
        n = min(self.patients, CHUNK)
        (cohort,) = cohort_chunks(population, n, self.seed, n)
        later, earlier = (_cycle_number(treatment, c) for c in (row.cycle, row.versus_cycle or ""))
        values = simulate(treatment, cohort, max(later, earlier)).metric(row.metric)
        return statistics(values[:, later - 1] / values[:, earlier - 1])


def _cycle_number(treatment: Treatment, name: str) -> int:
    return steady_state_cycle(treatment) if name == STEADY_STATE else int(name)


def _reason(row: PublishedExposure, is_inside: bool) -> str | None:
    if row.is_calibration:
        return "used to set a parameter of the surrogate"
    return None if is_inside else row.deviation or "not known"


def _listed_row(drug: str, row: PublishedExposure, file: FactFile) -> ValidationRow:
    """A row without a prediction."""
    known = load_drug(drug)
    population = row.population
    if row.patient:
        changes = ", ".join(f"{name} {value}" for name, value in row.patient.items())
        population = f"{population} ({changes})"
    return ValidationRow(
        id=row.id,
        use="not_comparable",
        drug=drug,
        model=row.model or known.default_model,
        model_status="",
        region=row.region,
        regimen=row.regimen,
        population=population,
        analyte=row.analyte or known.analyte,
        cycle=row.cycle,
        metric=row.metric,
        statistic=row.statistic,
        unit=row.unit,
        published=row.value,
        predicted=None,
        ratio=None,
        tolerance=None,
        tolerance_class="",
        inside=None,
        reason=row.not_comparable,
        source=file.source_text(row.source or ""),
    )


def reference_prediction(treatment: Treatment, row: PublishedExposure) -> tuple[str, float]:
    """Unit and prediction for the reference patient (with the changes of the row)."""
    if row.metric in treatment.pk.parameter:
        covariates = reference_covariates(treatment.pk, row.patient)
        value = typical_parameters(treatment.pk, covariates, 1)[row.metric][0]
        return row.unit, float(convert(value, parameter_unit(row.metric), row.unit))
    if row.metric == HALF_LIFE:
        return row.unit, reference_half_life_day(treatment) * conversion_factor("day", row.unit)

    def value_in(cycle_name: str, changes: dict[str, float | str]) -> float:
        cycle = _cycle_number(treatment, cycle_name)
        course = simulate_reference_patient(treatment, cycle, changes)
        return float(course.metric(row.metric)[0, cycle - 1])

    predicted = value_in(row.cycle, row.patient)
    if row.versus_cycle is not None:
        return "1", predicted / value_in(row.versus_cycle, row.patient)
    if row.is_relative:
        return "1", predicted / value_in(row.cycle, {})
    return metric_unit(treatment, row.metric), predicted


def validation_rows(
    patients: int = PATIENTS,
    seed: int = SEED,
    own_rows: Path | None = None,
    progress: Progress | None = None,
) -> list[ValidationRow]:
    """Compare every published exposure of every drug (and a file of one's own).

    Raises
    ------
    DataError
        With all faults of the file of own rows.
    """
    work: list[tuple[str, PublishedExposure, FactFile]] = []
    for drug in drug_names():
        file: ExposureFile = published_exposures(drug)
        work += [(drug, row, file) for row in file.exposure]
    if own_rows is not None:
        own = read_fact_file(own_rows, OwnExposureFile)
        work += [(load_drug(row.drug).id, row, own) for row in own.exposure]
    comparer, rows = _Comparer(patients, seed), []
    for drug, row, source_file in work:
        rows.append(comparer.compare(drug, row, source_file))
        if progress is not None:
            progress(len(rows), len(work))
    return rows


def summary(rows: Sequence[ValidationRow]) -> list[dict[str, Any]]:
    """Counted rows and those inside, for each drug."""
    drugs = dict.fromkeys(row.drug for row in rows)
    return [
        {
            "drug": drug,
            "n_counted": sum(r.drug == drug and r.use == "counted" for r in rows),
            "n_inside": sum(r.drug == drug and bool(r.inside) for r in rows),
        }
        for drug in drugs
    ]


def validation_dict(rows: Sequence[ValidationRow]) -> dict[str, Any]:
    """All rows and the summary as plain data, for JSON."""
    return {
        "notice": NOTICE,
        "rows": [row.as_dict() for row in rows],
        "summary": summary(rows),
    }


HEADINGS = ("regimen", "population", "cycle", "metric", "statistic", "published", "predicted",
            "ratio", "5th, 95th: ratio", "inside", "source or reason")  # fmt: skip
INTRODUCTION = (
    "Tolerances belong to the kind of a row and were fixed beforehand: typical value 3 %; median "
    "or geometric mean after IV or SC 15 %; oral drugs and payloads 25 %; arithmetic mean 20 %; "
    "observed trough 25 %. Percentiles are shown and never judged or tuned for.",
    "Percentiles of trastuzumab. In early breast cancer the published model, with its published "
    "variability, gives a wider range than the label prints: the label's percentiles look like "
    "those of individual estimates, which shrink towards the middle. In metastatic disease the "
    "label's 5th percentile of the trough is much lower than ours (1.8 against about 11 ug/mL at "
    "steady state): some of its patients clear the drug faster than independent draws of albumin, "
    "AST and liver metastases make them. Why was not established.",
)


def cells(row: ValidationRow) -> tuple[str, ...]:
    """A compared row as texts under HEADINGS."""
    unit = "" if row.unit == "1" else f" {row.unit}"
    tails = [
        f"{ours / theirs:.2f}" if ours is not None and theirs is not None else ""
        for theirs, ours in ((row.low, row.predicted_low), (row.high, row.predicted_high))
    ]
    source = row.source if row.inside else f"{row.source}. {row.reason}"
    return (
        row.regimen, row.population, row.cycle, row.metric, row.statistic.replace("_", " "),
        f"{row.published:.4g}{unit}", f"{row.predicted or math.nan:.4g}",
        f"{row.ratio or math.nan:.3f}", ", ".join(tails) if any(tails) else "",
        {True: "yes", False: "no", None: "calibration"}[row.inside], source,
    )  # fmt: skip


def heading_text(rows: Sequence[ValidationRow], patients: int, seed: int) -> str:
    """One sentence with the score."""
    counted = [row for row in rows if row.use == "counted"]
    n_inside = sum(bool(row.inside) for row in counted)
    n_calibration = sum(row.use == "calibration" for row in rows)
    n_listed = len(rows) - len(counted) - n_calibration
    return (
        f"{patients} virtual patients, seed {seed}. {n_inside} of {len(counted)} counted rows are "
        f"inside their tolerance; {n_calibration} set a parameter of a surrogate and are not "
        f"counted; {n_listed} are listed and not compared."
    )


def not_compared_texts(rows: Sequence[ValidationRow]) -> list[str]:
    """A line for each row that is listed only."""
    return [
        f"{r.regimen}, {r.population}, {r.cycle}, {r.metric} {r.published:g} {r.unit}: {r.reason}"
        for r in rows
        if r.use == "not_comparable"
    ]


def markdown_page(rows: Sequence[ValidationRow], patients: int, seed: int) -> str:
    """The page as Markdown."""
    lines = ["# Predicted beside published", "", "Made by `make validation`.",
             heading_text(rows, patients, seed), ""]  # fmt: skip
    for paragraph in INTRODUCTION:
        lines += [paragraph, ""]
    for drug in dict.fromkeys(row.drug for row in rows):
        own = [row for row in rows if row.drug == drug]
        lines += [f"## {load_drug(drug).title}", ""]
        compared = [row for row in own if row.use != "not_comparable"]
        for model in dict.fromkeys(row.model for row in compared):
            shown = [row for row in compared if row.model == model]
            lines += [f"Model {model} ({shown[0].model_status})", ""]
            lines += [f"| {' | '.join(HEADINGS)} |", "|" + "---|" * len(HEADINGS)]
            for row in shown:
                texts = list(cells(row))
                texts[9] = "**no**" if row.inside is False else texts[9]
                lines.append(f"| {' | '.join(texts)} |")
            lines.append("")
        listed = not_compared_texts(own)
        if listed:
            lines += ["Published, not compared:", "", *(f"- {text}" for text in listed), ""]
    return "\n".join([*lines, f"_{NOTICE}_", ""])


_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:78rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%;font-size:13px;margin:.5rem 0 1.5rem}"
    "th,td{padding:.25rem .5rem;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}"
    "tr.no td{background:#fdecea}footer{color:#555;border-top:1px solid #ddd;padding-top:1rem}"
)


def html_page(rows: Sequence[ValidationRow], patients: int, seed: int) -> str:
    """The page as one self-contained HTML file."""
    from html import escape

    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        f"<title>her2sim: predicted beside published</title><style>{_STYLE}</style></head><body>",
        f"<h1>Predicted beside published</h1><p>{escape(heading_text(rows, patients, seed))}</p>",
        *(f"<p>{escape(paragraph)}</p>" for paragraph in INTRODUCTION),
    ]
    for drug in dict.fromkeys(row.drug for row in rows):
        own = [row for row in rows if row.drug == drug]
        counted = [row for row in own if row.use != "not_comparable"]
        parts.append(f"<h2>{escape(load_drug(drug).title)}</h2>")
        if counted:
            head = "".join(f"<th>{escape(text)}</th>" for text in ("model", *HEADINGS))
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>")
            for row in counted:
                texts = (row.model, *cells(row))
                body = "".join(f"<td>{escape(text)}</td>" for text in texts)
                parts.append(f"<tr class='{'no' if row.inside is False else 'yes'}'>{body}</tr>")
            parts.append("</tbody></table>")
        items = "".join(f"<li>{escape(text)}</li>" for text in not_compared_texts(own))
        if items:
            parts.append(f"<p>Published, not compared:</p><ul>{items}</ul>")
    return "\n".join([*parts, f"<footer>{escape(NOTICE)}</footer></body></html>", ""])
