"""Statistics of many sets at once are those of each set alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2sim.errors import DataError
from her2sim.trials.survival import hazard_ratio, kaplan_meier
from her2sim.trials.survival_of_sets import log_hazard_ratio, log_median, survival_at


def drawn(seed: int, n_sets: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    time = random.exponential(10.0, (n_sets, n)) * random.uniform(0.3, 3.0, (n_sets, 1))
    event, chosen = random.random((n_sets, n)) < 0.7, random.random((n_sets, n)) < 0.9
    chosen[:, :2] = event[:, :2] = True
    return time, event, chosen


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(12, 80))
def test_survival_of_each_set(seed: int, n: int) -> None:
    time, event, chosen = drawn(seed, 4, n)
    at = np.array([1.0, 5.0, 12.0, 80.0])
    found = survival_at(time, event, chosen, at)
    for k in range(4):
        own = kaplan_meier(time[k, chosen[k]], event[k, chosen[k]])
        assert found[k] == pytest.approx(own.at(at), abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(15, 80))
def test_hazard_ratio_of_each_set(seed: int, n: int) -> None:
    one, other = drawn(seed, 3, n), drawn(seed + 1, 3, n + 5)
    pairs = [(a, b) for a, b in zip(one, other, strict=True)]
    found = log_hazard_ratio(*pairs)
    for k in range(3):
        kept = [(t[k][c[k]], e[k][c[k]]) for t, e, c in (one, other)]
        time = np.concatenate([t for t, _ in kept])
        event = np.concatenate([e for _, e in kept])
        in_arm = np.arange(time.size) < kept[0][0].size
        try:
            expected = float(np.log(hazard_ratio(time, event, in_arm).value))
        except DataError:  # no event of one arm comes while the other is at risk
            assert abs(found[k]) == pytest.approx(4.0)  # how far a set is followed
            continue
        # Newton's steps end at 1e-8, and a ratio beyond exp(4) is not followed.
        assert found[k] == pytest.approx(np.clip(expected, -4, 4), abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(20, 80))
def test_the_middle_of_a_curve_is_that_of_each_set(seed: int, n: int) -> None:
    time, event, chosen = drawn(seed, 4, n)
    found = log_median(time, event, chosen, 1e9)
    for k in range(4):
        own = kaplan_meier(time[k, chosen[k]], event[k, chosen[k]])
        if np.isfinite(own.median()[0]) and own.survival[-1] <= 0.44:
            assert np.log(own.middle()) == pytest.approx(found[k], abs=1e-9)
            assert own.time[0] <= own.middle() <= own.time[-1]
        elif own.survival[-1] > 0.5:
            assert own.middle() == np.inf


def test_the_median_of_a_smooth_curve_is_its_median() -> None:
    """Of an exponential; and one that is not reached is where observation ended."""
    random = np.random.default_rng(1)
    time = random.exponential(10.0, (3, 20_000))
    everybody = np.ones(time.shape, dtype=bool)
    # 20,000 times: an error of 0.01 on the logarithm.
    expected = pytest.approx(np.log(10.0 * np.log(2)), abs=0.04)
    assert log_median(time, everybody, everybody, 100.0).tolist() == [expected] * 3
    nobody = np.zeros(time.shape, dtype=bool)
    assert log_median(time, nobody, everybody, 100.0) == pytest.approx(np.log(100.0))
