"""Visual predictive checks of odd tables: what is left out, or not judged, is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import her2sim as h2
from tests.studies.test_vpc import KNOWN, observed

Row = dict[str, str]


def changed(folder: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Path:
    table = change(pl.read_csv(observed(folder), infer_schema_length=0))
    table.write_csv(folder / "changed.csv")
    return folder / "changed.csv"


IS_READ = pl.col("EVID") == "0"
ODD = {
    "MDV is 1": lambda t: t.with_columns(
        MDV=pl.when(IS_READ & (pl.col("TIME") == "7.0")).then(pl.lit("1")).otherwise(pl.lit("0"))
    ),
    "negative": lambda t: t.with_columns(
        DV=pl.when(IS_READ & (pl.col("TIME") == "1.0")).then(pl.lit("-5")).otherwise(pl.col("DV"))
    ),
    "are zero": lambda t: t.with_columns(
        DV=pl.when(IS_READ & (pl.col("TIME") == "1.0")).then(pl.lit("0")).otherwise(pl.col("DV"))
    ),
    "check the unit": lambda t: t.with_columns(
        DV=pl.when(IS_READ)
        .then((pl.col("DV").cast(pl.Float64, strict=False) * 1000).cast(pl.String))
        .otherwise(pl.col("DV"))
    ),
    "DV has no number": lambda t: t.with_columns(
        DV=pl.when(IS_READ & (pl.col("TIME") == "1.0")).then(pl.lit(".")).otherwise(pl.col("DV"))
    ),
    "not judged": lambda t: t.filter(pl.col("ID") == "1"),
}


@pytest.mark.parametrize("words", list(ODD))
def test_what_is_odd_is_said(words: str, tmp_path: Path) -> None:
    found = h2.vpc(changed(tmp_path, ODD[words]), "trastuzumab", 20, 1, **KNOWN)
    assert any(words in note for note in found.notes)
    if words == "not judged":
        assert all(row.is_inside is None for row in found.report.rows)
        assert len({row.time for row in found.report.rows}) > 4  # each planned time, not one bin
    if words in ("MDV is 1", "DV has no number"):
        assert any(note.startswith("60 of 360") for note in found.notes)
        assert sum(row.n for row in found.report.rows) == 3 * 300


def test_observations_before_the_first_dose(tmp_path: Path) -> None:
    def early(table: pl.DataFrame) -> pl.DataFrame:
        first = table.group_by("ID", maintain_order=True).first()
        before = first.with_columns(
            TIME=pl.lit("-1"), AMT=pl.lit("0"), RATE=pl.lit("0"), EVID=pl.lit("0"), DV=pl.lit("2")
        ).select(table.columns)
        parts = [
            pl.concat([before.filter(pl.col("ID") == one["ID"][0]), one])
            for one in table.partition_by("ID", maintain_order=True)
        ]
        return pl.concat(parts)

    path = changed(tmp_path, early)
    folded = h2.vpc(path, "trastuzumab", 20, 1, against="after-dose", **KNOWN)
    assert any("60 of 420" in n and "before the first dose" in n for n in folded.notes)
    corrected = h2.vpc(path, "trastuzumab", 20, 1, corrected=True, **KNOWN)
    assert any("60 of 420" in n and "prediction of zero" in n for n in corrected.notes)


def test_without_observations_the_legend_names_none(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda t: t.with_columns(DV=pl.lit(".")))
    figure = h2.vpc(path, "trastuzumab", 20, 1, **KNOWN).plot()
    words = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert words
    assert not any("observ" in text for text in words)
