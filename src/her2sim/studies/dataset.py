"""Event tables from file to predictions: what the `simulate` command does."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from her2sim.arrays import Array
from her2sim.drugs.drug import load_drug, load_pk
from her2sim.drugs.pk import PkModel
from her2sim.errors import DataError, Faults, UnknownNameError, did_you_mean
from her2sim.formats.column_expression import evaluate_columns
from her2sim.formats.event_csv import NONMEM_COLUMNS, read_events
from her2sim.models.structures import Structure, structure
from her2sim.models.symbols import SYMBOLS
from her2sim.patients.covariates import BINARY, COVARIATES, TUMOUR_TYPES
from her2sim.pk.dataset_run import DatasetPrediction, DoseChanges, simulate_drug, simulate_structure
from her2sim.regimens.dose import LARGEST_AMOUNT
from her2sim.regimens.event_table import MS_PER_UNIT, EventTable
from her2sim.regimens.unroll import Carry, dose_columns
from her2sim.store.files import written_whole
from her2sim.units import conversion_factor

NO_LIMIT_MG = 1e9
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
    return _run_structure(path, structure or "", settings, ignore, time_unit, carry, named, acts_on)


def _refuse_with_drug(
    settings: Sequence[str], named: Mapping[str, str | None], acts_on: str
) -> None:
    used = ["parameter settings"] if settings else []
    used += [f"{name} column" for name, column in named.items() if column]
    used += ["acts on"] if acts_on != "central" else []
    if used:
        raise DataError(f"{', '.join(used)}: belongs to a structure; a drug brings its own numbers")


def _comment_note(n_comments: int) -> list[str]:
    return [f"{n_comments} rows marked C in column C left out"] if n_comments else []


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
    drug, pk = load_drug(name), load_pk(name)
    table, n_comments = read_events(
        path, time_unit, len(pk.structural.compartments), LARGEST_AMOUNT["mg"], (_WORDS,), ignore
    )
    characteristics = _characteristics(path, table)
    characteristics |= _constants(constants, characteristics, table.n_records)
    course = simulate_drug(
        table, drug, pk, characteristics, seed, typical, carry, is_observed=observations
    )
    notes = [*_comment_note(n_comments), *course.notes, *_model_notes(pk)]
    if not typical or observations:
        notes.append(f"seed {seed}")
    return table, course, notes


def _model_notes(pk: PkModel) -> list[str]:
    return [] if pk.status == "published" else [f"{pk.name} is a {pk.status}"]


def _characteristics(path: Path, table: EventTable) -> dict[str, NDArray[Any]]:
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
            found["albumin_g_per_l"] = values * conversion_factor("g/dL", "g/L")
        elif column == "ALB":
            faults.add("ALB has no unit; name the column ALBUMIN_G_PER_L or ALBUMIN_G_PER_DL")
        elif column in known:
            found[SPELLINGS.get(column, column.lower())] = values.astype(np.float64)
        else:
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


def _split(setting: str, option: str) -> tuple[str, str]:
    name, sign, value = setting.partition("=")
    if not sign or not name.strip() or not value.strip():
        raise DataError(f"{option} {setting!r}: write NAME=VALUE")
    return name.strip(), value.strip()


def _constants(
    settings: Sequence[str], given: Mapping[str, Any], n_records: int
) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    for setting in settings:
        name, text = _split(setting, "covariate")
        if name in given:
            raise DataError(f"covariate {name}: the file has this column; keep one")
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


def _run_structure(
    path: Path,
    name: str,
    settings: Sequence[str],
    ignore: Sequence[str],
    time_unit: str,
    carry: Carry,
    named: Mapping[str, str | None],
    acts_on: str,
) -> tuple[EventTable, DatasetPrediction, list[str]]:
    chosen = structure(name)
    table, n_comments = read_events(
        path, time_unit, len(chosen.compartments), NO_LIMIT_MG, ignore=ignore
    )
    columns = table.columns
    parameters, used = _parameters(chosen, settings, columns, table.n_records, time_unit)
    changes = _dose_changes(chosen, named, columns, table, time_unit)
    used |= {column.upper() for column in named.values() if column}
    notes = _comment_note(n_comments)
    notes += _unused_notes(path, sorted(set(columns) - used), table)
    notes += _untouched_notes(chosen, acts_on, table, changes)
    changes = _restrict(changes, _acted_on(chosen, acts_on, table))
    return table, simulate_structure(table, chosen, parameters, changes, carry), notes


def _unused_notes(path: Path, unused: Sequence[str], table: EventTable) -> list[str]:
    """A note on columns that are not used; a misspelt NONMEM name is an error."""
    absent = [name for name in NONMEM_COLUMNS if name not in table.headings]
    for column in unused:
        near = difflib.get_close_matches(column, absent, n=1, cutoff=0.8)
        if near and not column[-1].isdigit():
            raise DataError(
                f"{path}: unknown column {column}; did you mean {near[0]!r}? "
                f"(ignore {column} to leave it out)"
            )
    return [f"columns not used: {', '.join(unused)}"] if unused else []


def _acted_on(chosen: Structure, acts_on: str, table: EventTable) -> NDArray[np.bool_]:
    if acts_on == "all":
        return np.ones(table.n_records, dtype=bool)
    if acts_on not in chosen.compartments:
        raise DataError(
            f"acts on {acts_on}: {chosen.name} has no such compartment"
            + did_you_mean(acts_on, chosen.compartments)
        )
    mask: NDArray[np.bool_] = table.compartment == chosen.compartments.index(acts_on) + 1
    return mask


def _restrict(changes: DoseChanges, mask: NDArray[np.bool_]) -> DoseChanges:
    return dataclasses.replace(
        changes,
        lag_ms=np.where(mask, changes.lag_ms, 0.0),
        bioavailability=np.where(mask, changes.bioavailability, 1.0),
    )


def _untouched_notes(
    chosen: Structure, acts_on: str, table: EventTable, changes: DoseChanges
) -> list[str]:
    """Say so when a lag or bioavailability stands on a dose that it does not act on."""
    is_changed = (changes.lag_ms != 0) | (changes.bioavailability != 1)
    n = int((is_changed & (table.amount > 0) & ~_acted_on(chosen, acts_on, table)).sum())
    if not n:
        return []
    return [
        f"lag and bioavailability act on doses into {acts_on} only; {n} dose records into "
        "other compartments keep theirs out (name where it acts to change this)"
    ]


def _parameters(
    chosen: Structure,
    settings: Sequence[str],
    columns: Mapping[str, Array],
    n_records: int,
    time_unit: str,
) -> tuple[dict[str, Array], set[str]]:
    """Parameters in internal units, and the columns they use."""
    found, used = dict[str, Array](), set[str]()
    for setting in settings:
        name, text = _split(setting, "parameter")
        name = name.lower()
        if name not in chosen.model.parameters:
            raise UnknownNameError(
                f"parameter {name}: {chosen.name} has no such parameter"
                + did_you_mean(name, chosen.model.parameters)
            )
        if name in found:
            raise DataError(f"parameter {name}: given twice; keep one")
        unit = SYMBOLS[name].unit
        values = evaluate_columns(text, columns, n_records, f"parameter {name}")
        found[name] = values * conversion_factor(unit.replace("day", time_unit), unit)
        used |= {column for column in columns if column in text.upper()}
    return found, used


def _dose_changes(
    chosen: Structure,
    named: Mapping[str, str | None],
    columns: Mapping[str, Array],
    table: EventTable,
    time_unit: str,
) -> DoseChanges:
    """Lag, bioavailability, rate and duration columns."""
    values: dict[str, Array] = {}
    for what, column in named.items():
        if column is None:
            continue
        if column.upper() not in columns:
            raise DataError(
                f"{what} column {column}: there is no such column"
                + (did_you_mean(column, columns) if columns else "")
            )
        values[what] = columns[column.upper()].astype(np.float64)
    none = DoseChanges.none(table.n_records)
    is_dose = table.amount > 0
    if (values.get("lag", none.lag_ms)[is_dose] < 0).any():
        raise DataError(f"lag column {named['lag']}: a lag is negative")
    if (values.get("f", none.bioavailability)[is_dose] <= 0).any():
        raise DataError(f"f column {named['f']}: bioavailability must be above zero")
    ms = MS_PER_UNIT[time_unit]
    to_per_day = conversion_factor(f"mg/{time_unit}", "mg/day")
    return DoseChanges(
        values.get("lag", none.lag_ms) * ms,
        values.get("f", none.bioavailability),
        values.get("rate", none.modelled_rate) * to_per_day,
        values.get("duration", none.modelled_duration_ms) * ms,
    )


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
