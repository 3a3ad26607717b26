"""Populations: shipped ones meet the figures they were made from; faulty ones are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from her2sim.api.patients import Patients
from her2sim.errors import DataError, UnknownNameError
from her2sim.patients.cohort import draw_cohort
from her2sim.patients.covariates import bsa_m2, lean_body_weight_kg
from her2sim.patients.population import load_population, population_names

N = 40_000


def quantiles(population: str, name: str, *levels: float) -> np.ndarray:
    cohort = draw_cohort(load_population(population), np.arange(1, N + 1), seed=11)
    return np.quantile(cohort.covariate(name), levels)


@pytest.mark.parametrize(
    ("population", "name", "levels", "read", "relative"),
    [
        # T-DM1 popPK (Lu 2014 Table 2): 49/70/98 kg; 25 % Asian patients lower the median a little.
        ("mbc", "weight_kg", (0.05, 0.5, 0.95), (49, 70, 98), 0.05),
        ("mbc", "albumin_g_per_l", (0.05, 0.5, 0.95), (33, 41, 48), 0.02),
        ("mbc", "ast_u_per_l", (0.5, 0.95), (27, 64), 0.03),
        # The lower limits (10 mm, 2 ng/mL) cut a tail off and lift the medians a little.
        ("mbc", "sum_of_diameters_mm", (0.5, 0.95), (90, 303), 0.10),
        ("mbc", "shed_her2_ng_per_ml", (0.5, 0.95), (25, 332), 0.10),
        ("mbc", "residual_trastuzumab_ug_per_ml", (0.05, 0.95), (0, 54), 0.05),
        # HannaH quartiles of weight; FeDeriCa albumin and lean body weight.
        ("ebc", "weight_kg", (0.25, 0.5, 0.75), (59, 68, 79), 0.04),
        ("ebc", "albumin_g_per_l", (0.05, 0.5, 0.95), (38, 43.25, 48), 0.02),
        ("ebc", "lean_body_weight_kg", (0.05, 0.5, 0.95), (38, 45.1, 53), 0.06),
        ("ebc", "alt_u_per_l", (0.5,), (19,), 0.02),
        ("agc", "age_year", (0.25, 0.5, 0.75), (54, 61, 68), 0.02),
    ],
)
def test_published_figures(population, name, levels, read, relative) -> None:
    assert quantiles(population, name, *levels) == pytest.approx(read, rel=relative)


@pytest.mark.parametrize("name", population_names())
def test_limits_and_correlations(name: str) -> None:
    people = load_population(name)
    cohort = draw_cohort(people, np.arange(1, N + 1), seed=3)
    for row in people.covariate:
        values = cohort.covariate(row.name)
        assert np.isfinite(values).all()
        if row.form != "share":
            rows = [r for r in people.covariate if r.name == row.name]
            positive = values[values > 0] if row.form == "zero_or_log_normal" else values
            assert positive.min() >= min(r.low for r in rows)
            assert values.max() <= max(r.high for r in rows)
    enzymes = np.log([cohort.covariate("ast_u_per_l"), cohort.covariate("alt_u_per_l")])
    # published 0.54 to 0.64; the effect of liver metastases on AST alone dilutes it a little
    assert 0.48 < np.corrcoef(enzymes)[0, 1] < 0.68
    weight_height = np.corrcoef(cohort.covariate("weight_kg"), cohort.covariate("height_cm"))
    assert 0.4 < weight_height[0, 1] < 0.8  # 0.51 within a sex, more where sexes mix


def test_liver_metastases_raise_ast_and_keep_the_median() -> None:
    cohort = draw_cohort(load_population("mbc"), np.arange(1, N + 1), seed=5)
    ast, liver = cohort.covariate("ast_u_per_l"), cohort.covariate("liver_metastases") > 0
    assert np.median(ast[liver]) / np.median(ast[~liver]) == pytest.approx(1.3, rel=0.03)
    assert np.median(ast) == pytest.approx(27, rel=0.02)
    assert liver.mean() == pytest.approx(0.40, abs=0.01)


def test_a_patient_is_the_same_in_every_cohort() -> None:
    people = load_population("mbc")
    many = draw_cohort(people, np.arange(1, 500), seed=9).frame()
    one = draw_cohort(people, np.array([321]), seed=9).frame()
    assert many.filter(many["patient"] == 321).equals(one)


def test_body_size_formulas() -> None:
    # Worked examples: Boer 45.4 kg for a woman of 62 kg and 165 cm, 61.4 kg for a man of 80 kg and
    # 180 cm; Mosteller 1.845 m2 for 70 kg and 175 cm.
    assert lean_body_weight_kg(62.0, 165.0, 1.0) == pytest.approx(45.4, abs=0.05)
    assert lean_body_weight_kg(80.0, 180.0, 0.0) == pytest.approx(61.4, abs=0.05)
    assert bsa_m2(70.0, 175.0) == pytest.approx(1.845, abs=0.001)


def test_an_unknown_population_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'mbc'"):
        load_population("mbcc")


def own_population(text: str, folder: Path) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


GOOD = """
name = "mine"
title = "Mine"
tumour_type = "breast"
female = { share = 1.0, status = "assumed", reason = "all women" }
asian = { share = 0.0, status = "assumed", reason = "none" }

[[covariate]]
name = "weight_kg"
form = "log_normal"
median = 70
spread = 0.2
low = 40
high = 120
unit = "kg"
status = "assumed"
reason = "an example"
"""


def test_an_own_population(tmp_path: Path) -> None:
    people, n = Patients(own_population(GOOD, tmp_path)).load(500, 1)
    cohort = draw_cohort(people, np.arange(1, n + 1), seed=1)
    assert np.median(cohort.covariate("weight_kg")) == pytest.approx(70, rel=0.05)


def test_all_faults_of_an_own_population_come_at_once(tmp_path: Path) -> None:
    bad = (
        GOOD.replace('unit = "kg"', 'unit = "lb"')
        .replace('reason = "an example"', "")
        .replace("share = 0.0", "share = 1.7")
        + "colour = 3\n"
    )
    with pytest.raises(DataError) as e:
        load_population(own_population(bad, tmp_path))
    message = str(e.value)
    for part in ("faults", "asian.share", "colour: this key is not known", "needs a reason"):
        assert part in message


def test_a_patient_table(tmp_path: Path) -> None:
    path = tmp_path / "patients.csv"
    path.write_text("weight_kg,height_cm,female,tumour_type\n70,165,1,breast\n50,150,1,breast\n")
    cohort, n = Patients(str(path)).load(None, 1)
    assert n == 2
    assert cohort.covariate("lean_body_weight_kg") == pytest.approx([47.385, 35.25], abs=1e-3)


def test_all_faults_of_a_patient_table_come_at_once(tmp_path: Path) -> None:
    path = tmp_path / "patients.csv"
    path.write_text(
        "patient,weight_kg,female,tumour_type\n1,7000,1,breast\n1,,2,breats\n3,abc,1,breast\n"
    )
    with pytest.raises(DataError) as e:
        Patients(str(path)).load(None, 1)
    for part in (
        "6 faults",
        "row 2 (patient 1): weight_kg 7000 is outside 20 to 300 kg; check the unit",
        "row 3 (patient 1): weight_kg is missing",
        "row 4 (patient 3): weight_kg 'abc' is not a number",
        "tumour_type 'breats': use one of breast, gastric, colorectal, biliary, lung, other, none",
        "patient 1 is there twice",
    ):
        assert part in str(e.value)
    path.write_text("wieght_kg\n70\n")
    with pytest.raises(DataError, match="unknown column 'wieght_kg'; did you mean 'weight_kg'"):
        Patients(str(path)).load(None, 1)
