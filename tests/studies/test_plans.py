"""Questions about a regimen: a late dose, another interval, a switch, body weight."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from her2sim.errors import DataError
from her2sim.patients.cohort import with_weight
from her2sim.patients.covariates import bsa_m2, lean_body_weight_kg
from her2sim.patients.population import load_population
from her2sim.pk.exposure_run import cohort_chunks, simulate
from her2sim.pk.treatment import load_treatment
from her2sim.report.canvas import write_figure
from her2sim.report.plans_figure import plans_figure
from her2sim.report.weight_figure import weights_figure
from her2sim.studies.plans import (
    PlanQuestion,
    compare_plans,
    delay_question,
    interval_question,
    switch_question,
)
from her2sim.studies.target import wanted_target
from her2sim.studies.weight import exposure_by_weight


def compared(question: PlanQuestion, population: str, n: int = 2000):
    return compare_plans(question, load_population(population), n, 1, 20.0)


def test_pertuzumab_every_four_or_six_weeks_as_published() -> None:
    """Liu 2021: the median trough falls by about 40 %, and fewer than 90 % reach the target."""
    treatment = load_treatment("pertuzumab", "q3w")
    planned, four, _ = compared(interval_question(treatment, 4, 48), "mbc").plans
    _, _, six = compared(interval_question(treatment, 6, 48), "mbc").plans  # 840 mg every 6 weeks
    for plan in (four, six):
        fall = plan.last["cmin"].median / planned.last["cmin"].median - 1
        assert fall == pytest.approx(-0.40, abs=0.05)  # printed as "about"
        assert plan.share[-1] < 0.90 < planned.share[-1]


def test_a_loading_dose_again_mends_a_long_delay_as_published() -> None:
    """Liu 2021: after a delay to six weeks 840 mg bring the trough back."""
    treatment = load_treatment("pertuzumab", "q3w")
    planned, late, reloaded = compared(delay_question(treatment, 8, 3), "mbc").plans
    assert late.dose_day[7] == reloaded.dose_day[7] == 168
    usual = planned.trough[1, 6]
    assert late.trough[1, 8] < 0.8 * usual
    assert reloaded.trough[1, 8] > usual
    assert late.back_day(168, usual) > reloaded.back_day(168, usual) == 21


def test_the_troughs_are_those_of_a_plain_run() -> None:
    treatment, people = load_treatment("trastuzumab", "q3w"), load_population("ebc")
    question = PlanQuestion("as planned", [("as planned", treatment)], 126.0)
    result = compare_plans(question, people, 500, 1, target=20.0).plans[0]
    (cohort,) = cohort_chunks(people, 500, 1, 500)
    cmin = simulate(treatment, cohort, 6).metric("cmin")
    assert result.trough[1, 1:] == pytest.approx(np.median(cmin, axis=0), rel=1e-6)
    assert result.share[1:] == pytest.approx((cmin >= 20).mean(axis=0))
    auc = simulate(treatment, cohort, 6).metric("auc")[:, 5]
    assert result.last["cavg"].median == pytest.approx(np.median(auc) / 21, rel=1e-6)


def test_a_switch_to_the_other_route_reaches_its_exposure() -> None:
    iv, sc = (load_treatment("trastuzumab-sc", name) for name in ("q3w-iv", "q3w"))
    question = replace(switch_question(iv, sc, 4), end_day=420.0)
    before, switched, after = compared(question, "ebc").plans
    assert switched.trough[1, 4] == before.trough[1, 4]
    assert switched.trough[1, -1] == pytest.approx(after.trough[1, -1], rel=0.01)
    with pytest.raises(DataError, match="needs both regimens in one model"):
        switch_question(iv, load_treatment("trastuzumab", "q3w"), 4)


def test_a_dose_per_kg_and_a_fixed_dose_pull_in_opposite_directions() -> None:
    people = load_population("ebc")
    per_kg, fixed = (
        exposure_by_weight(load_treatment(drug, "q3w"), people, 500, 1, [120, 45], 20.0)
        for drug in ("trastuzumab", "trastuzumab-sc")
    )
    assert [row.weight_kg for row in per_kg.rows] == [45, 120]
    assert [row.dose_mg for row in per_kg.rows] == [270, 720]
    assert [row.dose_mg for row in fixed.rows] == [600, 600]
    light, heavy = (row.exposure["auc"].median for row in per_kg.rows)
    assert heavy > 1.5 * light
    light, heavy = (row.exposure["auc"].median for row in fixed.rows)
    assert light > 1.5 * heavy


def test_what_follows_from_weight_follows_it() -> None:
    (cohort,) = cohort_chunks(load_population("mbc"), 50, 1, 50)
    heavy = with_weight(cohort, 100)
    height, female = cohort.covariate("height_cm"), cohort.covariate("female")
    assert heavy.covariate("bsa_m2") == pytest.approx(bsa_m2(100.0, height))
    assert heavy.covariate("lean_body_weight_kg") == pytest.approx(
        lean_body_weight_kg(100.0, height, female)
    )
    assert heavy.covariate("albumin_g_per_l").tobytes() == (
        cohort.covariate("albumin_g_per_l").tobytes()
    )


def test_impossible_questions_are_refused() -> None:
    people, treatment = load_population("mbc"), load_treatment("trastuzumab", "q3w")
    with pytest.raises(DataError, match="at least two different weights"):
        exposure_by_weight(treatment, people, 10, 1, [70, 70])
    with pytest.raises(DataError, match="use 20 to 300 kg"):
        exposure_by_weight(treatment, people, 10, 1, [7, 70])
    with pytest.raises(DataError, match="must be above zero"):
        wanted_target(treatment, -1.0)
    with pytest.raises(DataError, match="fewer than 3 doses"):
        compared(interval_question(treatment, 4, 4), "mbc")
    tablets = PlanQuestion("tablets", [("tablets", load_treatment("tucatinib", "bid"))], 336.0)
    with pytest.raises(DataError, match="more than 400 doses within 336 days"):
        compared(tablets, "mbc", n=10)


def test_figures_are_written(tmp_path: Path) -> None:
    treatment = load_treatment("trastuzumab", "q3w")
    late = compared(delay_question(treatment, 3, 2), "mbc", n=50)
    write_figure(tmp_path / "a.png", plans_figure(late))
    people = load_population("mbc")
    report = exposure_by_weight(treatment, people, 50, 1, [50, 70, 90], 20.0)
    write_figure(tmp_path / "b.svg", weights_figure(report))
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert b"body weight" in (tmp_path / "b.svg").read_bytes()
