"""Trials of early disease: clocks, landmarks, crossover, treatment by response, cohort sizes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import her2sim as h2
from her2sim.biology.ensemble import Members
from her2sim.engine.trajectories import Tolerance
from her2sim.errors import DataError
from her2sim.trials.arm import ArmPatients, run_arm
from her2sim.trials.efficacy import arm_doses, run_efficacy
from her2sim.trials.endpoints import ArmOutcomes
from her2sim.trials.library import early_trials, load_trial, question_names
from her2sim.trials.survival import hazard_ratio
from her2sim.trials.trial import Trial

N = 1200
LAX = Tolerance(relative=1e-3, absolute=1e-5)


def frame_of(trial: Trial, arm_id: str, n: int = N) -> pl.DataFrame:
    """Outcomes of an arm with the numbers that fit best."""
    arm = trial.arm_of(arm_id)
    patients = ArmPatients(np.arange(n), Members(np.zeros(n, dtype=np.int64)))
    doses = arm_doses(trial, arm, patients, 1)
    return run_efficacy(trial, arm, patients, doses, 1, tolerance=LAX)


@cache
def outcomes(name: str, arm: str) -> ArmOutcomes:
    """Outcomes of an arm of a trial that comes with her2sim."""
    trial = load_trial(name)
    return of_frame(trial, frame_of(trial, arm))


def of_frame(trial: Trial, frame: pl.DataFrame) -> ArmOutcomes:
    """Outcomes of a table of patients."""
    return ArmOutcomes(trial, lambda name: frame[name].to_numpy(), frozenset(frame.columns))


def free(arm: ArmOutcomes, endpoint: str, month: float) -> float:
    """Per cent without an event at a month."""
    times = arm.times(endpoint)
    return 100 * float(times.take(np.isfinite(times.month)).curve().at(month))


def test_relapse_before_the_clock_is_not_in_the_curve() -> None:
    """HERA counts from randomisation: who relapsed during chemotherapy is not in the trial."""
    arm = outcomes("hera", "observation")
    times = arm.times("DFS")
    enrolled = np.isfinite(times.month)
    assert 0.9 < enrolled.mean() < 1.0
    relapse = np.asarray(arm._column("relapse_day"))
    assert (relapse[enrolled] > 0).all()
    assert (relapse[~enrolled] <= 0).all()


def test_counting_from_the_first_dose_would_flatter_nobody() -> None:
    """Moving the clock of HERA back to chemotherapy takes early relapses in."""
    trial = load_trial("hera")
    assert trial.early is not None
    early = trial.early.model_copy(update={"clock_week": 0.0})
    moved = trial.model_copy(update={"early": early})
    arm = of_frame(moved, frame_of(moved, "observation"))
    assert np.isfinite(arm.times("DFS").month).all()


@pytest.mark.parametrize("name", ["hera", "b31-n9831"])
def test_crossover_is_simulated(name: str) -> None:
    """Controls who cross over do better than without; the other arms are what they were."""
    trial = load_trial(name)
    control, treated = trial.crossover[0].arm, trial.crossover[0].to
    without = trial.model_copy(update={"crossover": ()})
    pure = of_frame(without, frame_of(without, control))
    assert free(outcomes(name, control), "DFS", 110) > free(pure, "DFS", 110)
    same = of_frame(without, frame_of(without, treated))
    assert free(same, "DFS", 110) == free(outcomes(name, treated), "DFS", 110)


def test_crossover_waits_for_its_month() -> None:
    """Before the first results became known nothing differs."""
    trial = load_trial("hera")
    without = trial.model_copy(update={"crossover": ()})
    pure = of_frame(without, frame_of(without, "observation"))
    assert free(pure, "DFS", 22) == free(outcomes("hera", "observation"), "DFS", 22)


def test_only_residual_disease_is_taken_where_a_trial_says_so() -> None:
    """DESTINY-Breast05: nobody with a complete response."""
    arm = outcomes("destiny-breast05", "tdm1")
    responded = arm.responded("tpCR")
    enrolled = np.isfinite(arm.times("iDFS").month)
    assert not (responded & enrolled).any()
    assert 0.2 < enrolled.mean() < 0.9


def test_response_says_much_of_a_patient_and_little_of_an_arm() -> None:
    """The pitfall of pCR as a surrogate: patients with a response relapse half as often, and yet
    the arm with 10 points more responses (lapatinib beside trastuzumab) hardly relapses less.
    """
    arm = outcomes("neoaltto", "trastuzumab")
    times, responded = arm.times("EFS"), arm.responded("tpCR")
    found = hazard_ratio(times.month, times.event, responded)
    assert 0.3 < found.value < 0.7  # published 0.48; 1,200 patients know it within a factor of 1.3
    other = outcomes("neoaltto", "both").times("EFS")
    month = np.concatenate([other.month, times.month])
    event = np.concatenate([other.event, times.event])
    between = hazard_ratio(month, event, np.arange(month.size) < other.month.size)
    assert between.value > 0.8


@cache
def conjugate_after_residual_disease() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Responders, and days of relapse with T-DM1 after residual disease and without."""
    trial = load_trial("neosphere")
    arm = trial.arm_of("th")
    after = {"name": "trastuzumab-emtansine*14", "when": "residual", "week": 18}
    raw = arm.model_dump() | {"next": [after]}
    changed = trial.model_copy(update={"arm": (type(arm).model_validate(raw),)})
    with_next, plain = frame_of(changed, "th", 800), frame_of(trial, "th", 800)
    responded = plain["tpcr"].to_numpy()
    assert (with_next["tpcr"].to_numpy() == responded).all()
    return responded, with_next["relapse_day"].to_numpy(), plain["relapse_day"].to_numpy()


def test_what_follows_surgery_follows_the_response() -> None:
    """The conjugate goes to residual disease only: responders are as without it."""
    responded, a, b = conjugate_after_residual_disease()
    same, too = a[responded], b[responded]
    assert (np.isfinite(same) == np.isfinite(too)).all()
    known = np.isfinite(same)
    # Their course is cut where the conjugate of others begins, which is one more look at how few
    # cells are left: it may find somewhat fewer, and a survivor of those is found sooner or later,
    # weeks in two years.
    assert same[known] == pytest.approx(too[known], rel=0.12)
    assert np.median(np.abs(same[known] / too[known] - 1)) < 0.005
    assert (a[~responded] != b[~responded]).sum() > 20


@pytest.mark.xfail(strict=True, reason="a miss: no trial here tells of T-DM1 over trastuzumab")
def test_a_conjugate_after_residual_disease_leaves_fewer_relapses() -> None:
    """Trastuzumab goes on without it; published trials of conjugates all point one way."""
    responded, a, b = conjugate_after_residual_disease()
    assert np.isfinite(a[~responded]).sum() < np.isfinite(b[~responded]).sum()


def test_small_cohorts_know_little() -> None:
    """A share of 256 patients scatters some three times as much as that of 2,048."""
    trial = load_trial("apt")
    is_event = np.isfinite(frame_of(trial, "th", 4096)["relapse_day"].to_numpy())
    small = is_event.reshape(-1, 256).mean(axis=1).std()
    large = is_event.reshape(-1, 2048).mean(axis=1).std()
    expected = np.sqrt(is_event.mean() * (1 - is_event.mean()) / 256)
    assert small == pytest.approx(expected, rel=0.5)  # 16 groups know a spread within a third
    assert large < small


def test_missed_doses_are_felt() -> None:
    """Half a year of trastuzumab missed after a hold leaves more relapses."""
    trial = load_trial("b31-n9831")
    arm = trial.arm_of("ac_ph")
    patients = ArmPatients(np.arange(N), Members(np.zeros(N, dtype=np.int64)))
    doses = arm_doses(trial, arm, patients, 1)
    course = doses.courses[0]
    kept = course.record.take((course.record.drug != 2) | (course.record.day < 200))
    fewer = replace(doses, courses=(replace(course, record=kept),))
    full = run_efficacy(trial, arm, patients, doses, 1, tolerance=LAX)
    cut = run_efficacy(trial, arm, patients, fewer, 1, tolerance=LAX)
    a, b = (np.isfinite(frame["relapse_day"].to_numpy()).sum() for frame in (cut, full))
    assert a > b


def test_the_whole_arm_and_efficacy_alone_agree() -> None:
    """One run of hearts and tumours, and tumours alone under doses that are known."""
    trial = load_trial("apt")
    patients = ArmPatients(np.arange(300), Members(np.zeros(300, dtype=np.int64)))
    whole = run_arm(trial, trial.arm_of("th"), patients, 1)
    alone = run_efficacy(
        trial, trial.arm_of("th"), patients, arm_doses(trial, trial.arm_of("th"), patients, 1), 1
    )
    a, b = whole["relapse_day"].to_numpy(), alone["relapse_day"].to_numpy()
    assert (np.isfinite(a) == np.isfinite(b)).all()
    assert a[np.isfinite(a)] == pytest.approx(b[np.isfinite(b)], abs=1e-6)


def test_a_patient_does_not_depend_on_company() -> None:
    """The same patients alone and among others relapse on the same day."""
    trial = load_trial("neosphere")
    few, many = frame_of(trial, "thp", 100), frame_of(trial, "thp", 400)[:100]
    assert few["relapse_day"].to_list() == many["relapse_day"].to_list()
    assert few["bpcr"].to_list() == many["bpcr"].to_list()


def test_every_early_trial_has_its_design_and_its_tumours() -> None:
    """Seventeen trials, each with size and nodes, and with figures that are anchors."""
    trials = early_trials()
    assert len(trials) == 17
    for trial in trials:
        assert trial.enrolled.tumour_mm is not None
        assert trial.enrolled.nodes is not None
        assert any(row.role == "anchor" for row in (*trial.outcome, *trial.comparison))


@pytest.mark.parametrize("name", question_names())
def test_questions_have_nothing_published(name: str) -> None:
    """A question is no trial: no figure stands beside its prediction."""
    trial = load_trial(name)
    assert trial.setting == "early"
    assert all(row.value is None for row in trial.outcome)
    assert all(row.hazard_ratio is None for row in trial.comparison)


def question(tmp_path: Path, name: str, before: str, after: str) -> Path:
    """A question of early disease with something changed in its file."""
    path = Path(str(files("her2sim.trials").joinpath("questions", f"{name}.toml")))
    text = path.read_text()
    assert before in text
    (tmp_path / "trial.toml").write_text(text.replace(before, after, 1))
    return tmp_path / "trial.toml"


def test_only_those_who_were_taken_are_counted() -> None:
    """Residual disease: responders are neither at risk nor censored, and a note says how many."""
    found = h2.run_trial("early-residual", per_arm=60, members=1, seed=1)
    arm = found.report.arms[0]
    n_in = int(arm.at_risk["iDFS"][0])
    assert 0 < n_in < arm.n
    assert arm.censored("iDFS")[0] == 0
    total = arm.at_risk["iDFS"] + arm.events["iDFS"] + arm.censored("iDFS")
    assert (total == n_in).all()
    assert any(f"{n_in} of {arm.n} simulated patients are in the trial" in n for n in found.notes)


def test_a_response_that_decides_who_is_taken_is_no_endpoint(tmp_path: Path) -> None:
    """Nobody with residual disease has a complete response; nor is one seen at a month."""
    path = question(tmp_path, "residual", 'endpoints = ["', 'endpoints = ["tpCR", "')
    with pytest.raises(DataError, match="tpCR: takes tells it"):
        load_trial(str(path))
