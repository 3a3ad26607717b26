"""Event tables against NONMEM's own results (29 subjects, and a time-varying covariate)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from her2sim.studies.dataset import run_events

MODEL = {
    "drug": None,
    "structure": "one_compartment_oral",
    "typical": False,
    "constants": (),
    "ignore": (),
    "time_unit": "h",
    "acts_on": "central",
    "seed": 1,
}
COLUMNS = {
    "lag_column": "LAGT",
    "f_column": "BIOAV",
    "rate_column": "RAT2",
    "duration_column": "DUR2",
}
NO_COLUMNS = dict.fromkeys(COLUMNS)


def compare(inputs: Path, reference: Path, **options: object) -> None:
    table, course, _ = run_events(inputs, **MODEL | options)
    nonmem = pl.read_csv(reference, infer_schema_length=None)["CP"].to_numpy()
    subject = table.subject[course.record]
    expected = nonmem[course.record]
    for k in range(table.n_subjects):
        ours, theirs = course.individual_prediction[subject == k], expected[subject == k]
        # NONMEM prints five significant digits.
        allowed = 1e-4 * np.abs(theirs) + 1e-7 * theirs.max()
        assert (np.abs(ours - theirs) <= allowed).all(), f"subject {k + 1}"


def test_29_subjects(event_cases: Path) -> None:
    compare(
        event_cases / "mrgsolve_1001_input.csv",
        event_cases / "mrgsolve_1001_nonmem.csv",
        settings=("cl=1.1", "v=20", "ka=1.5"),
        carry="nocb",
        **COLUMNS,
    )


def test_time_varying_covariate(event_cases: Path) -> None:
    files = (
        event_cases / "mrgsolve_2001_input.csv",
        event_cases / "mrgsolve_2001_nonmem.csv",
    )
    settings = ("cl=1.1*(WT/70)^0.75", "v=20", "ka=1.5")
    compare(*files, settings=settings, carry="nocb", **NO_COLUMNS)
    with pytest.raises(AssertionError):  # the other way of carrying is another result
        compare(*files, settings=settings, carry="locf", **NO_COLUMNS)
