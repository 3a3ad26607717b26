"""Event tables simulated with a named structure: parameters come from settings and columns."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array
from her2sim.errors import DataError, UnknownNameError, did_you_mean
from her2sim.formats.column_expression import evaluate_columns, split_setting
from her2sim.formats.event_csv import NONMEM_COLUMNS, read_events
from her2sim.models.structures import Structure, structure
from her2sim.models.symbols import SYMBOLS
from her2sim.pk.dataset_run import DatasetPrediction, DoseChanges, simulate_structure
from her2sim.regimens.event_table import MS_PER_UNIT, EventTable
from her2sim.regimens.unroll import Carry
from her2sim.units import conversion_factor

NO_LIMIT_MG = 1e9

MOST_BIOAVAILABLE = 10.0
"""A bioavailability relative to another form may be above 1; more is per cent."""


def run_structure(
    path: Path,
    name: str,
    settings: Sequence[str],
    ignore: Sequence[str],
    time_unit: str,
    carry: Carry,
    named: Mapping[str, str | None],
    acts_on: str,
) -> tuple[EventTable, DatasetPrediction, list[str]]:
    """Read an event table and simulate it with a named structure, whose numbers are set."""
    chosen = structure(name)
    table, told = read_events(
        path, time_unit, len(chosen.compartments), NO_LIMIT_MG, ignore=ignore,
        observed=chosen.compartments.index("central") + 1,
    )  # fmt: skip
    columns = table.columns
    parameters, used = _parameters(chosen, settings, columns, table.n_records, time_unit)
    changes = _dose_changes(chosen, named, columns, table, time_unit)
    used |= {column.upper() for column in named.values() if column}
    notes = told
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
        name, text = split_setting(setting, "parameter")
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
    if (values.get("f", none.bioavailability)[is_dose] < 0).any():
        raise DataError(f"f column {named['f']}: a bioavailability is negative")
    most = float(values.get("f", none.bioavailability)[is_dose].max(initial=0.0))
    if most > MOST_BIOAVAILABLE:
        raise DataError(f"f column {named['f']}: {most:g} is no share; did you mean {most / 100:g}")
    ms = MS_PER_UNIT[time_unit]
    to_per_day = conversion_factor(f"mg/{time_unit}", "mg/day")
    return DoseChanges(
        values.get("lag", none.lag_ms) * ms,
        values.get("f", none.bioavailability),
        values.get("rate", none.modelled_rate) * to_per_day,
        values.get("duration", none.modelled_duration_ms) * ms,
    )
