"""Summaries, spool, resumable output, figures and files written whole."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from her2sim.errors import DataError
from her2sim.patients.population import load_population
from her2sim.pk.treatment import load_treatment
from her2sim.report.canvas import write_figure
from her2sim.report.exposure_figure import bands_figure
from her2sim.store.files import write_text, written_whole
from her2sim.store.spool import Spool
from her2sim.studies.bands import concentration_bands
from her2sim.studies.exposure import exposure
from her2sim.studies.metrics import statistics

TREATMENT, PEOPLE = load_treatment("pertuzumab", "q3w"), load_population("ebc")


def test_statistics_of_known_numbers() -> None:
    s = statistics(np.array([1.0, 2.0, 4.0, 8.0, 16.0]))
    assert (s.n, s.median, s.mean) == (5, 4.0, 6.2)
    assert s.geometric_mean == pytest.approx(4.0)
    assert s.cv_percent == pytest.approx(100 * np.std([1, 2, 4, 8, 16], ddof=1) / 6.2)


def test_statistics_of_one_patient() -> None:
    s = statistics(np.array([3.0]))
    assert (s.median, s.p5, s.mean) == (3.0, 3.0, 3.0)
    assert np.isnan(s.cv_percent)


def test_the_spool_gives_columns_back() -> None:
    spool, rng = Spool(3), np.random.default_rng(1)
    chunks = [rng.random((3, n)) for n in (5, 1, 8)]
    for chunk in chunks:
        spool.add(chunk)
    for k in range(3):
        assert (spool.column(k) == np.concatenate([c[k] for c in chunks])).all()
    spool.close()


def test_summaries_do_not_depend_on_chunks() -> None:
    one = exposure(TREATMENT, PEOPLE, 300, 2, chunk=300)
    many = exposure(TREATMENT, PEOPLE, 300, 2, chunk=37, threads=1)
    assert one.as_dict() == many.as_dict()


def test_a_broken_run_resumes_and_gives_the_same_file(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.parquet", tmp_path / "broken.parquet"
    report = exposure(TREATMENT, PEOPLE, 180, 2, output=whole, chunk=30)

    def stop(done: int, _total: int) -> None:
        if done >= 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exposure(TREATMENT, PEOPLE, 180, 2, output=broken, chunk=30, progress=stop)
    assert not broken.exists()
    parts = sorted((tmp_path / "broken.parquet.parts").glob("part-*.parquet"))
    assert 2 <= len(parts) < 6  # and those that ran when it was broken off
    stamps = [p.stat().st_mtime_ns for p in parts]
    again = exposure(TREATMENT, PEOPLE, 180, 2, output=broken, chunk=30,
                     progress=lambda *_: _check_untouched(parts, stamps))  # fmt: skip
    assert again.as_dict() == report.as_dict()
    assert pl.read_parquet(broken).equals(pl.read_parquet(whole))
    assert pl.read_parquet(whole)["patient"].n_unique() == 180
    manifest = json.loads((tmp_path / "broken.parquet.manifest.json").read_text())
    assert (manifest["seed"], manifest["patients"], manifest["format"]) == (2, 180, 1)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "broken.parquet", "broken.parquet.manifest.json",
        "whole.parquet", "whole.parquet.manifest.json",
    ]  # fmt: skip


def _check_untouched(parts: list[Path], stamps: list[int]) -> None:
    for path, stamp in zip(parts, stamps, strict=True):
        assert path.stat().st_mtime_ns == stamp


def test_another_seed_does_not_take_up_old_parts(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exposure(TREATMENT, PEOPLE, 60, 2, output=path, chunk=30, progress=stop)
    with pytest.raises(DataError, match=r"holds another run \(seed 2, asked 3\)"):
        exposure(TREATMENT, PEOPLE, 60, 3, output=path, chunk=30)
    other = exposure(TREATMENT, PEOPLE, 60, 3, output=path, chunk=30, restart=True)
    assert other.as_dict() == exposure(TREATMENT, PEOPLE, 60, 3).as_dict()


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def break_off() -> None:
        with written_whole(path) as partial:
            partial.write_text("new")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        break_off()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    with pytest.raises(DataError, match="does not exist; make it first"):
        write_text(tmp_path / "nowhere" / "a.txt", "x")


def test_bands_and_figure(tmp_path: Path) -> None:
    report = exposure(TREATMENT, PEOPLE, 200, 2)
    bands = concentration_bands(TREATMENT, PEOPLE, 200, 2, report.steady_state_cycle)
    assert (bands.p5 <= bands.median).all()
    assert (bands.median <= bands.p95).all()
    at_end = bands.median[-1]
    steady = next(r for r in report.exposures if (r.cycle, r.metric) == ("steady state", "cmin"))
    assert at_end == pytest.approx(steady.statistics.median, rel=1e-5)  # grid and cycle agree
    path = tmp_path / "bands.png"
    write_figure(path, bands_figure([(report, bands)]))
    assert path.read_bytes().startswith(b"\x89PNG")


def test_an_extrapolation_is_noted() -> None:
    report = exposure(load_treatment("trastuzumab-sc", "q3w"), load_population("agc"), 20, 1)
    assert any("not estimated in this population" in note for note in report.notes)
