"""Event tables from file to predictions: what the `simulate` command does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from her2sim.arrays import Array
from her2sim.drugs.drug import Drug, load_drug, load_pk
from her2sim.drugs.pk import PkModel
from her2sim.errors import DataError, Faults, UnknownNameError, did_you_mean
from her2sim.formats.column_expression import evaluate_columns, split_setting
from her2sim.formats.event_csv import NONMEM_COLUMNS, read_events
from her2sim.patients.covariates import BINARY, COVARIATES, TUMOUR_TYPES
from her2sim.pk.dataset_run import DatasetPrediction, simulate_drug
from her2sim.regimens.dose import LARGEST_AMOUNT
from her2sim.regimens.event_table import OBSERVATION, EventTable
from her2sim.regimens.unroll import Carry, dose_columns
from her2sim.store.files import written_whole
from her2sim.studies.structure_dataset import run_structure
from her2sim.studies.unusual_doses import unusual_doses
from her2sim.units import conversion_factor

SPELLINGS = {
    "WT": "weight_kg",
    "HT": "height_cm",
    "AGE": "age_year",
    "AST": "ast_u_per_l",
    "ALT": "alt_u_per_l",
    "LMET": "liver_metastases",
    "BSA": "bsa_m2",
    "LBW": "lean_body_weight_kg",
}
"""NONMEM spellings whose unit is beyond doubt (kg, cm, years, U/L, m2)."""

_WORDS = "TUMOUR_TYPE"


def run_events(
    path: Path,
    *,
    drug: str | None,
    structure: str | None,
    settings: Sequence[str],
    typical: bool,
    constants: Sequence[str],
    ignore: Sequence[str],
    time_unit: str,
    carry: Carry,
    lag_column: str | None,
    f_column: str | None,
    rate_column: str | None,
    duration_column: str | None,
    acts_on: str,
    seed: int,
    observations: bool = False,
) -> tuple[EventTable, DatasetPrediction, list[str]]:
    """Read an event table and simulate it with a drug or with a structure.

    Returns
    -------
    table, predictions, notes for the reader
    """
    if (drug is None) == (structure is None):
        raise DataError("give one of the two: a drug or a structure")
    named = {"lag": lag_column, "f": f_column, "rate": rate_column, "duration": duration_column}
    if drug is not None:
        _refuse_with_drug(settings, named, acts_on)
        return _run_drug(
            path, drug, typical, constants, ignore, time_unit, carry, seed, observations
        )
    of_drug = {"simulated observations": observations, "typical": typical, "covariates": constants}
    given = [name for name, value in of_drug.items() if value]
    if given:
        raise DataError(f"{', '.join(given)}: belongs to a drug; a structure takes what is set")
    return run_structure(path, structure or "", settings, ignore, time_unit, carry, named, acts_on)


def _refuse_with_drug(
    settings: Sequence[str], named: Mapping[str, str | None], acts_on: str
) -> None:
    used = ["parameter settings"] if settings else []
    used += [f"{name} column" for name, column in named.items() if column]
    used += ["acts on"] if acts_on != "central" else []
    if used:
        raise DataError(f"{', '.join(used)}: belongs to a structure; a drug brings its own numbers")


def _run_drug(
    path: Path,
    name: str,
    typical: bool,
    constants: Sequence[str],
    ignore: Sequence[str],
    time_unit: str,
    carry: Carry,
    seed: int,
    observations: bool,
) -> tuple[EventTable, DatasetPrediction, list[str]]:
    read = events_of_drug(path, name, constants, ignore, time_unit)
    table, pk = read.table, read.pk
    course = simulate_drug(
        table, read.drug, pk, read.characteristics, seed, typical, carry, is_observed=observations
    )
    notes = [*read.notes, *course.notes, *_model_notes(pk)]
    if not typical or observations:
        notes.append(f"seed {seed}")
    return table, course, notes


@dataclass(frozen=True, eq=False)
class DrugEvents:
    """An event table that was read for the model of a drug, with what must be told of it."""

    table: EventTable
    drug: Drug
    pk: PkModel
    characteristics: dict[str, NDArray[Any]]
    notes: tuple[str, ...]


def events_of_drug(
    path: Path, name: str, constants: Sequence[str], ignore: Sequence[str], time_unit: str,
    used: Sequence[str] = (),
) -> DrugEvents:  # fmt: skip
    """Read an event table for a drug.

    Parameters
    ----------
    path : of the table (CSV)
    name : drug or ``DRUG:MODEL``
    constants : characteristics of all subjects, ``NAME=VALUE``
    ignore : columns that are not used
    time_unit : ``h`` or ``day``
    used : further columns that the caller reads

    Raises
    ------
    DataError
        With all faults of the table.
    """
    drug, pk = load_drug(name), load_pk(name)
    compartments = pk.structural.compartments
    table, told = read_events(
        path, time_unit, len(compartments), LARGEST_AMOUNT["mg"], (_WORDS,), ignore,
        observed=compartments.index("central") + 1,
    )  # fmt: skip
    characteristics = _characteristics(path, table, used)
    characteristics |= _constants(constants, characteristics, table.n_records)
    unusual = unusual_doses(drug, pk, table, characteristics)
    return DrugEvents(table, drug, pk, characteristics, (*told, *unusual))


def observed_levels(table: EventTable) -> Array:
    """DV at the observation records that count, NaN elsewhere."""
    counts = table.evid == OBSERVATION
    if table.missing_dv is not None:
        counts &= table.missing_dv == 0
    return np.where(counts, numbers_of(table.dv), np.nan)


def numbers_of(texts: NDArray[np.str_]) -> Array:
    """Numbers of a column of texts; NaN for what is none."""
    found = pl.Series(texts.tolist(), dtype=pl.String).cast(pl.Float64, strict=False)
    return found.fill_null(np.nan).to_numpy()


def _model_notes(pk: PkModel) -> list[str]:
    return [] if pk.status == "published" else [f"{pk.name} is a {pk.status}"]


def _characteristics(path: Path, table: EventTable, used: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Columns of the file that are patient characteristics; others must be ignored by name."""
    faults, found = Faults(str(path)), dict[str, NDArray[Any]]()
    known = {*(n.upper() for n in COVARIATES), *SPELLINGS, _WORDS, "ALBUMIN_G_PER_DL"}
    for column, values in table.columns.items():
        if column == _WORDS:
            words = np.char.lower(values.astype(str))
            if not np.isin(words, TUMOUR_TYPES).all():
                faults.add(f"TUMOUR_TYPE must be one of {', '.join(TUMOUR_TYPES)}")
            found["tumour_type"] = words
        elif column == "ALBUMIN_G_PER_DL":
            if "ALBUMIN_G_PER_L" in table.columns:
                faults.add("ALBUMIN_G_PER_DL and ALBUMIN_G_PER_L tell the same; keep one")
            found["albumin_g_per_l"] = values * conversion_factor("g/dL", "g/L")
        elif column == "ALB":
            faults.add("ALB has no unit; name the column ALBUMIN_G_PER_L or ALBUMIN_G_PER_DL")
        elif column in known:
            name = SPELLINGS.get(column, column.lower())
            if name in found:
                faults.add(f"{column} is {name}, which another column tells too; keep one")
            found[name] = values.astype(np.float64)
        elif column not in used:
            faults.add(
                f"unknown column {column}{did_you_mean(column, {*known, *NONMEM_COLUMNS})} "
                f"(ignore {column} to leave it out)"
            )
    for name, values in found.items():
        if name != "tumour_type":
            _check_range(name, values, table, faults)
    faults.raise_if_any()
    return found


def _check_range(name: str, values: Array, table: EventTable, faults: Faults) -> None:
    limits = COVARIATES[name]
    wrong = (values < limits.low) | (values > limits.high)
    if name in BINARY:
        wrong |= (values != 0) & (values != 1)
    rows = np.flatnonzero(wrong)
    texts = (
        f"row {table.line[r]} (ID {table.label[r]}): {name} {values[r]:g} is outside "
        f"{limits.low:g} to {limits.high:g} {limits.unit}; check the unit"
        for r in rows
    )
    faults.add_many(texts, rows.size)


def _constants(
    settings: Sequence[str], given: Mapping[str, Any], n_records: int
) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    for setting in settings:
        name, text = split_setting(setting, "covariate")
        if name in given:
            raise DataError(f"covariate {name}: the file has this column; keep one")
        if name in found:
            raise DataError(f"covariate {name}: given twice; keep one")
        if name == "tumour_type":
            if text not in TUMOUR_TYPES:
                raise DataError(f"covariate {setting}{did_you_mean(text, TUMOUR_TYPES)}")
            found[name] = np.full(n_records, text)
            continue
        if name not in COVARIATES:
            raise UnknownNameError(
                f"covariate {name!r}: unknown characteristic" + did_you_mean(name, COVARIATES)
            )
        limits = COVARIATES[name]
        values = evaluate_columns(text, {}, n_records, f"covariate {name}")
        if not ((values >= limits.low) & (values <= limits.high)).all():
            raise DataError(
                f"covariate {setting}: outside {limits.low:g} to {limits.high:g} {limits.unit}"
            )
        found[name] = values
    return found


def prediction_frame(table: EventTable, course: DatasetPrediction) -> pl.DataFrame:
    """Predictions as a table: ID, TIME, ANALYTE, PRED, IPRED, DV, UNIT, and SIM if asked for."""
    records = course.record
    simulated = {} if course.observation is None else {"SIM": course.observation}
    return pl.DataFrame(
        {
            "ID": table.label[records],
            "TIME": table.time_text[records],
            "ANALYTE": np.full(records.size, course.analyte),
            "PRED": course.population_prediction,
            "IPRED": course.individual_prediction,
            "DV": table.dv[records],
            "UNIT": np.full(records.size, course.unit),
            **simulated,
        }
    )


def prediction_csv(table: EventTable, course: DatasetPrediction, output: Path | None) -> str:
    """Write predictions to a file, whole or not at all; or return them as text."""
    frame = prediction_frame(table, course)
    if output is None:
        return frame.write_csv()
    with written_whole(output) as partial:
        frame.write_csv(partial)
    return ""


def dose_frame(course: DatasetPrediction) -> pl.DataFrame:
    """The flat dose list as a table."""
    return pl.DataFrame(dose_columns(course.doses))


def dose_csv(course: DatasetPrediction, output: Path) -> None:
    """Write the flat dose list."""
    with written_whole(output) as partial:
        dose_frame(course).write_csv(partial)
