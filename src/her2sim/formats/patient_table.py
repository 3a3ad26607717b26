"""Tables of patients, one row each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from her2sim.errors import Faults, did_you_mean
from her2sim.formats.csv_table import LINE, note_rows, parse_numbers, read_text_table
from her2sim.patients.cohort import MOST_PATIENTS, Cohort
from her2sim.patients.covariates import (
    BINARY,
    COVARIATES,
    TUMOUR_TYPES,
    with_derived,
)

NUMBER = "patient"


def read_patient_table(path: Path, seed: int) -> Cohort:
    """Read a table with one row a patient.

    Columns are names of the register (``weight_kg``, ``albumin_g_per_l``, ...), ``tumour_type``
    and ``patient`` (a whole number; 1, 2, ... in row order if there is no such column).
    """
    frame = read_text_table(path)
    frame = frame.rename({n: n.lower() for n in frame.columns})
    faults = Faults(str(path))
    known = {*COVARIATES, "tumour_type", NUMBER}
    names = [name for name in frame.columns if name != LINE]
    for name in names:
        if name not in known:
            faults.add(f"unknown column {name!r}{did_you_mean(name, known)}")
    faults.raise_if_any()
    values = {}
    for name in names:
        if name == "tumour_type":
            values[name] = _tumour_types(frame, faults)
        elif name != NUMBER:
            values[name] = _characteristic(frame, name, faults)
    numbers = _numbers(frame, faults)
    faults.raise_if_any()
    return Cohort(path.name, numbers, with_derived(values), seed)


def _tumour_types(frame: pl.DataFrame, faults: Faults) -> np.ndarray:
    words = frame["tumour_type"].str.to_lowercase()
    text = f"tumour_type {{tumour_type!r}}: use one of {', '.join(TUMOUR_TYPES)}"
    note_rows(frame, ~words.is_in(TUMOUR_TYPES), faults, (NUMBER,), text)
    return words.to_numpy().astype(str)


def _characteristic(frame: pl.DataFrame, name: str, faults: Faults) -> np.ndarray:
    limits, who = COVARIATES[name], (NUMBER,)
    numbers = parse_numbers(frame, name, faults, missing=None, identity=who)
    is_number = frame[name].cast(pl.Float64, strict=False).is_finite().fill_null(False)
    outside = is_number & ~numbers.is_between(limits.low, limits.high)
    text = f"{name} {{{name}}} is outside {limits.low:g} to {limits.high:g} {limits.unit}"
    note_rows(frame, outside, faults, who, f"{text}; check the unit")
    if name in BINARY:
        between = ~outside & ~numbers.is_in([0.0, 1.0])
        note_rows(frame, between, faults, who, f"{name} {{{name}}} must be 0 or 1")
    return numbers.to_numpy()


def _numbers(frame: pl.DataFrame, faults: Faults) -> np.ndarray:
    if NUMBER not in frame.columns:
        return np.arange(1, frame.height + 1)
    numbers = parse_numbers(frame, NUMBER, faults, missing=None, identity=())
    wrong = (numbers < 1) | (numbers != numbers.round()) | (numbers > MOST_PATIENTS)
    note_rows(frame, wrong, faults, (), "patient {patient!r} must be a whole number from 1")
    twice = frame[NUMBER].is_duplicated() & ~frame[NUMBER].is_first_distinct()
    note_rows(frame, twice, faults, (), "patient {patient} is there twice")
    return numbers.fill_nan(0).to_numpy().astype(np.int64)
