"""The data dictionary beside stored outcomes: every column of every trial is described."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from her2sim.trials.columns import dictionary
from her2sim.trials.folder import TrialFolder
from her2sim.trials.library import load_trial, trial_names
from her2sim.trials.run import RunSettings, run_trial


@pytest.mark.parametrize("name", ["emilia", "destiny-breast03", "nala", "cleopatra", "hera"])
def test_each_column_is_described(name: str, tmp_path: Path) -> None:
    """Antibody, conjugate, tablets, chemotherapy, and early disease without a lesion."""
    assert name in trial_names()
    run = run_trial(load_trial(name), RunSettings(6, 1, 1), TrialFolder(tmp_path / "t"))
    told = pl.read_csv(tmp_path / "t" / f"{name}-columns.csv")
    assert told.columns == ["column", "unit", "meaning"]
    stored = {c for path in run.paths.values() for c in pl.read_parquet_schema(path)}
    assert set(told["column"]) == stored
    assert all(len(meaning) > 5 for meaning in told["meaning"])
    days = told.filter(pl.col("column").str.contains(r"_day$|^day:|^event:|^hold:"))
    assert set(days["unit"]) == {"day"}


def test_traits_are_true_or_false(tmp_path: Path) -> None:
    run = run_trial(load_trial("emilia"), RunSettings(6, 1, 1), TrialFolder(tmp_path / "t"))
    schema = pl.read_parquet_schema(next(iter(run.paths.values())))
    assert {schema[c] for c in ("pik3ca", "is_er_positive", "is_heterogeneous")} == {pl.Boolean}


def test_a_column_that_nobody_described_is_not_passed_over() -> None:
    with pytest.raises(KeyError):
        dictionary(["patient", "something_new"])
