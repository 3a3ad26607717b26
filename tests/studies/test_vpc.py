"""Visual predictive checks: data of the model lie inside, data of another do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import her2sim as h2
from her2sim.errors import DataError
from her2sim.studies.vpc import time_bins

DAYS = (0.1, 1.0, 7.0, 20.9, 63.1, 83.9)
KNOWN = {"covariates": ("tumour_type=breast",), "time_unit": "day"}


def study(folder: Path, n: int = 60, seed: int = 3) -> Path:
    """Doses of some patients every three weeks, and the times at which they are observed."""
    random, rows = np.random.default_rng(seed), []
    for patient in range(1, n + 1):
        weight = round(float(random.normal(68, 10)), 1)
        albumin, ast = round(float(random.normal(40, 4)), 1), round(float(random.normal(26, 5)), 1)
        events = [(21.0 * k, 1, (6 + 2 * (k == 0)) * weight) for k in range(4)]
        events += [(day, 0, 0.0) for day in DAYS]
        for day, evid, amount in sorted(events):
            rate = amount / 0.0625
            told = f"{amount:.1f},{rate:.1f},{evid},1,.,{weight},{albumin},{ast},0"
            rows.append(f"{patient},{day},{told}")
    path = folder / "study.csv"
    heading = "ID,TIME,AMT,RATE,EVID,CMT,DV,WEIGHT_KG,ALBUMIN_G_PER_L,AST_U_PER_L,LIVER_METASTASES"
    path.write_text("\n".join([heading, *rows]) + "\n", encoding="utf-8")
    return path


def observed(folder: Path, factor: float = 1.0, seed: int = 11) -> Path:
    """The study with observations that the model itself made, times a factor."""
    path = study(folder)
    made = h2.simulate(path, "trastuzumab", seed, observations=True, **KNOWN).frame()["SIM"]
    table = pl.read_csv(path, infer_schema_length=0)
    values = iter((made * factor).to_list())
    dv = [f"{next(values):.6g}" if evid == "0" else "." for evid in table["EVID"]]
    table.with_columns(pl.Series("DV", dv)).write_csv(folder / "observed.csv")
    return folder / "observed.csv"


def test_data_of_the_model_lie_inside(tmp_path: Path) -> None:
    """Of 18 percentiles 95 % lie inside on average; 14 or fewer have a chance of one in 500."""
    found = h2.vpc(observed(tmp_path), "trastuzumab", 200, 1, **KNOWN)
    inside = [row.is_inside for row in found.report.rows]
    assert len(inside) == 3 * len(DAYS)
    assert sum(map(bool, inside)) >= 15


@pytest.mark.parametrize("corrected", [False, True])
def test_data_of_half_the_level_do_not(corrected: bool, tmp_path: Path) -> None:
    found = h2.vpc(observed(tmp_path, 0.5), "trastuzumab", 100, 1, corrected=corrected, **KNOWN)
    medians = [row for row in found.report.rows if row.percentile == 50]
    assert not any(row.is_inside for row in medians)


def test_the_first_study_is_the_one_of_simulate(tmp_path: Path) -> None:
    """And each other has patients of its own."""
    path = study(tmp_path, n=8)
    found = h2.vpc(path, "trastuzumab", 20, 5, **KNOWN)
    alone = h2.simulate(path, "trastuzumab", 5, observations=True, **KNOWN).frame()["SIM"]
    table = found.simulations()
    first = table.filter(pl.col("REP") == 1)["SIM"]
    assert first.to_list() == alone.to_list()
    assert table.height == 20 * alone.len()
    assert table.group_by("REP").agg(pl.col("SIM").sum())["SIM"].n_unique() == 20
    assert any("bands stand alone" in note for note in found.notes)
    assert found.frame()["observed"].null_count() == found.frame().height


def test_percentiles_are_those_of_the_simulations(tmp_path: Path) -> None:
    """By hand, with NumPy, from the simulated observations themselves."""
    found = h2.vpc(study(tmp_path, n=20), "trastuzumab", 40, 2, **KNOWN)
    table = found.simulations().with_columns(pl.col("TIME").cast(pl.Float64))
    for row in found.report.rows:
        each = [
            np.percentile(part["SIM"], row.percentile)
            for part in table.filter((pl.col("TIME") - row.time).abs() < 1e-6)
            .partition_by("REP")
        ]  # fmt: skip
        assert row.simulated == pytest.approx(np.median(each))
        assert (row.low, row.high) == pytest.approx(tuple(np.percentile(each, [2.5, 97.5])))


def test_correction_takes_doses_out(tmp_path: Path) -> None:
    """Patients of a linear model on two doses: corrected, all lie on one curve; published SDs."""
    rows = ["ID,TIME,AMT,RATE,EVID,CMT,DV,LBW,ALBUMIN_G_PER_L"]
    for patient, dose in ((k, 210 * (1 + k % 2)) for k in range(1, 41)):
        rows.append(f"{patient},0,{dose},{dose / 0.0417:.1f},1,1,.,48,39")
        rows.append(f"{patient},14,0,0,0,1,.,48,39")
    path = tmp_path / "p.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    plain, corrected = (
        h2.vpc(path, "pertuzumab", 60, 1, time_unit="day", corrected=is_corrected)
        for is_corrected in (False, True)
    )

    def spread(check) -> float:
        low, _, high = (row.simulated for row in check.report.rows)
        return high / low

    assert spread(corrected) < spread(plain) / 1.3


def test_time_after_dose_and_bins() -> None:
    times = np.array([0.0, 0.0, 1.0, 1.0, 2.0])
    assert time_bins(np.repeat(times, 10)).max() == 2
    many = np.random.default_rng(1).uniform(0, 100, 500)
    bins = time_bins(many)
    counts = np.bincount(bins)
    assert bins.max() + 1 == 12
    assert counts.min() > 30
    order = np.argsort(many)
    assert (np.diff(bins[order]) >= 0).all()


def test_after_dose_folds_cycles(tmp_path: Path) -> None:
    found = h2.vpc(study(tmp_path, n=10), "trastuzumab", 20, 1, against="after-dose", **KNOWN)
    assert max(row.time for row in found.report.rows) < 21.0
    assert found.plot().axes[0].get_xlabel().startswith("time after the last dose")


@pytest.mark.parametrize(
    ("text", "drug", "words"),
    [
        ("ID,TIME,AMT,LBW,ALBUMIN_G_PER_L\n1,0,400,48,39\n", "pertuzumab", "no observation record"),
        ("ID,TIME,AMT,EVID\n1,0,400,1\n1,5,0,0\n", "trastuzumab", "which the file does not have"),
    ],
)
def test_what_cannot_be_checked_is_refused(text: str, drug: str, words: str, tmp_path) -> None:
    path = tmp_path / "e.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=words):
        h2.vpc(path, drug, 20, 1)


def test_the_command(her2sim, tmp_path: Path) -> None:
    observed(tmp_path)
    done = her2sim(
        "simulate", "observed.csv", "--drug", "trastuzumab", "--time-unit", "day", "--covariate",
        "tumour_type=breast", "--replicates", "40", "--seed", "1", "--vpc", "v.svg", "-o", "s.csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "observed percentiles inside the 95 % bands" in done.stdout
    assert "<svg" in (tmp_path / "v.svg").read_text(encoding="utf-8")
    assert pl.read_csv(tmp_path / "s.csv").height == 40 * 60 * len(DAYS)
