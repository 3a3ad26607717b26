"""Every published exposure beside the predicted one, for `her2sim validate`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from her2sim.arrays import Progress
from her2sim.drug_names import drug_names
from her2sim.drugs.drug import load_drug
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
from her2sim.pk.exposure_run import (
    CHUNK,
    cohort_chunks,
    reference_half_life_day,
    simulate,
    simulate_reference_patient,
    steady_state_cycle,
)
from her2sim.pk.treatment import Treatment, load_treatment
from her2sim.studies.exposure import (
    STEADY_STATE,
    ExposureReport,
    compared_values,
    exposure,
)
from her2sim.studies.metrics import Statistics, metric_unit, statistics
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
