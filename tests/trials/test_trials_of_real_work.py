"""Small and odd trials, as statisticians try them: a result, or one message; never silence.

The files of `cases/reports/trials` stand for kinds; further ones of each kind are written here.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from lifelines.statistics import logrank_test

from her2sim.api.trial import TrialResult, run_trial
from her2sim.errors import DataError
from her2sim.trials.endpoints import Times
from tests.conftest import CASES

TRIALS = CASES / "reports" / "trials"
OWN = Path(__file__).parents[2] / "examples" / "trial_own.toml"
needs_cases = pytest.mark.skipif(not TRIALS.is_dir(), reason="the cases are not here")


def changed(folder: Path, *changes: tuple[str, str]) -> Path:
    """The example of an own trial with some texts replaced."""
    text = OWN.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "trial.toml"
    path.write_text(text, encoding="utf-8")
    return path


def by_endpoint(result: TrialResult, endpoint: str) -> list[float | None]:
    frame = result.endpoints()
    return frame.filter(frame["endpoint"] == endpoint)["predicted"].to_list()


@needs_cases
def test_power_counts_replicates_without_an_event(tmp_path: Path) -> None:
    """The log-rank test of lifelines on the same patients, replicate by replicate."""
    result = run_trial(
        TRIALS / "c1_power_zero_events.toml",
        per_arm=12,
        replicates=100,
        seed=1,
        folder=tmp_path / "run",
    )
    assert_power_is_of_lifelines(result)


@pytest.mark.parametrize(("per_arm", "seed"), [(3, 2), (4, 3), (6, 4)])
def test_power_of_a_few_patients(per_arm: int, seed: int, tmp_path: Path) -> None:
    """Of so few, some replicates have no event in an arm, or in none."""
    path = changed(tmp_path, ("value = 18", "value = 2"), ("value = 24", "value = 0"))
    result = run_trial(path, per_arm=per_arm, replicates=40, seed=seed, folder=tmp_path / "run")
    assert assert_power_is_of_lifelines(result) > 0


def assert_power_is_of_lifelines(result: TrialResult) -> int:
    """How many replicates have no event in one of the arms."""
    (power,) = result.report.power
    arms = result.report.run.arms()
    sides = [arms[arm] for arm in (power.arm, power.versus)]
    won, without = 0, 0
    for replicate in range(power.replicates):
        own, other = (arm.times(power.endpoint).take(arm.replicate == replicate) for arm in sides)
        without += not (own.event.any() and other.event.any())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # lifelines divides by zero where nobody had an event
            found = logrank_test(own.month, other.month, own.event, other.event)
            ratio = found.test_statistic
        expected = expected_events(own, other)
        won += bool(np.isfinite(ratio) and found.p_value < 0.05 and own.event.sum() < expected)
    assert power.power == pytest.approx(won / power.replicates)
    assert power.low <= power.power <= power.high
    return without


def expected_events(own: Times, other: Times) -> float:
    """Events of the first arm if both had the same hazard, time by time."""
    month = np.concatenate([own.month, other.month])
    event = np.concatenate([own.event, other.event])
    return sum(
        event[month == t].sum() * (own.month >= t).sum() / (month >= t).sum()
        for t in np.unique(month[event])
    )


@needs_cases
def test_the_other_cases(tmp_path: Path) -> None:
    none = run_trial(TRIALS / "c2_no_responder.toml", per_arm=40, seed=1)
    assert all(value is not None for value in by_endpoint(none, "PFS"))
    small = run_trial(TRIALS / "c3_small_arm.toml", per_arm=9, seed=1)
    assert all(value is not None for value in by_endpoint(small, "ORR"))
    with pytest.raises(DataError, match=r"crossover\.0: planned crossover is not simulated"):
        run_trial(TRIALS / "c4_crossover_100.toml", per_arm=20, seed=1)
    with pytest.raises(DataError, match="n is 40, 10, but allocation decides"):
        run_trial(TRIALS / "c5_n_40_10.toml", per_arm=40, seed=1)


@pytest.mark.parametrize("per_arm", [2, 3, 5])
def test_arms_of_a_few_patients_give_a_result(per_arm: int) -> None:
    result = run_trial(OWN, per_arm=per_arm, seed=4)
    for endpoint in ("PFS", "ORR"):
        assert all(value is not None for value in by_endpoint(result, endpoint))
    assert all(row.figure.low <= row.figure.high for row in result.report.safety if row.figure.low)


def test_one_patient_an_arm_is_refused() -> None:
    with pytest.raises(DataError, match="1 patients an arm: use 2 to"):
        run_trial(OWN, per_arm=1)


CROSSOVER = (
    '\n[[crossover]]\narm = "control"\nto = "combination"\nvalue = {value}\n'
    'status = "assumed"\nreason = "planned"\n'
)


@pytest.mark.parametrize(("value", "endpoints", "is_refused"), [
    (30, '["PFS", "OS"]', True), (30, '["PFS"]', False), (0, '["PFS", "OS"]', False),
])  # fmt: skip
def test_planned_crossover_is_never_a_note_alone(
    value: int, endpoints: str, is_refused: bool, tmp_path: Path
) -> None:
    text = OWN.read_text(encoding="utf-8")
    old = next(line for line in text.splitlines() if line.startswith("endpoints"))
    path = tmp_path / "trial.toml"
    new = f"endpoints = {endpoints}"
    path.write_text(text.replace(old, new) + CROSSOVER.format(value=value), encoding="utf-8")
    if is_refused:
        with pytest.raises(DataError, match="planned crossover is not simulated"):
            run_trial(path, per_arm=2, seed=1)
    else:
        run_trial(path, per_arm=2, seed=1)


@pytest.mark.parametrize(
    ("sizes", "extra", "is_refused"),
    [
        ((200, 100), "", True),
        ((100, 130), "", True),
        ((100, 120), "", False),  # as randomisation leaves them
        ((200, 100), "allocation = 2.0\n", False),
    ],
)
def test_arms_of_unequal_size_need_their_weights(
    sizes: tuple[int, int], extra: str, is_refused: bool, tmp_path: Path
) -> None:
    path = changed(
        tmp_path,
        ('id = "combination"', f'id = "combination"\n{extra}n = {sizes[0]}'),
        ('id = "control"', f'id = "control"\nn = {sizes[1]}'),
    )
    if is_refused:
        with pytest.raises(DataError, match="allocation decides how many are simulated"):
            run_trial(path, per_arm=2, seed=1)
        return
    result = run_trial(path, per_arm=2, seed=1)
    shown = [arm.n for arm in result.report.arms]
    assert shown == ([4, 2] if extra else [2, 2])


LANDMARKS = (
    '\n[[landmarks]]\narm = "control"\nendpoint = "PFS"\nmonths = {months}\nsurvival = {survival}\n'
    'status = "assumed"\nreason = "a test"\n'
)


@pytest.mark.parametrize(
    ("months", "survival", "words"),
    [
        ([6, 12], [0.5, 0.7], "a survival curve never rises"),
        ([6, 12], [70, 50], "give shares from 0 to 1"),
        ([12, 6], [0.7, 0.5], "months above zero in order"),
    ],
)
def test_points_of_a_curve_that_cannot_be(months, survival, words: str, tmp_path: Path) -> None:
    path = tmp_path / "trial.toml"
    added = LANDMARKS.format(months=months, survival=survival)
    path.write_text(OWN.read_text(encoding="utf-8") + added, encoding="utf-8")
    with pytest.raises(DataError, match=words):
        run_trial(path, per_arm=2)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("every_week = 6\nuntil_week = 48", "every_week = 60\nuntil_week = 48", "comes before"),
        ("every_week = 6\n", "every_week = 0.01\n", "use a day"),
        ('value = 50, unit = "%"', 'value = 50, unit = "mm"', "an LVEF is 20 to 80 %"),
        ('value = 50, unit = "%"', 'value = 0.5, unit = "%"', "an LVEF is 20 to 80 %"),
        ("share = 0.6", "share = true", "share: write a number, not True"),
        ('id = "OWN-1"', 'id = "../../x"', "id"),
    ],
)
def test_numbers_of_a_trial_that_cannot_be(old: str, new: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        run_trial(changed(tmp_path, (old, new)), per_arm=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["trial.toml"]


def test_an_overall_survival_that_is_compared_is_asked_for(tmp_path: Path) -> None:
    """Crossover with OS left out of the endpoints, and compared all the same."""
    text = OWN.read_text(encoding="utf-8")
    old = next(line for line in text.splitlines() if line.startswith("endpoints"))
    more = (
        '\n[[comparison]]\nendpoint = "OS"\narm = "combination"\nversus = "control"\n'
        'status = "assumed"\nreason = "a test"\n'
    )
    path = tmp_path / "trial.toml"
    path.write_text(
        text.replace(old, 'endpoints = ["PFS"]') + more + CROSSOVER.format(value=30),
        encoding="utf-8",
    )
    with pytest.raises(DataError, match="planned crossover is not simulated"):
        run_trial(path, per_arm=2)
