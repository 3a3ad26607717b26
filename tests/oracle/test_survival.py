"""Statistics of times to an event against lifelines and statsmodels."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.stats.proportion import proportion_confint

from her2sim.errors import DataError
from her2sim.trials.survival import (
    follow_up,
    hazard_ratio,
    kaplan_meier,
    log_rank,
    numbers_at_risk,
    proportion,
    restricted_mean,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandas as pd
    from lifelines import CoxPHFitter, KaplanMeierFitter
    from lifelines.statistics import logrank_test
    from lifelines.utils import restricted_mean_survival_time

pytestmark = pytest.mark.filterwarnings("ignore")  # of the oracles


def sample(n: int = 300, seed: int = 1, rounded: bool = True):
    """Times with ties, events, arm and three strata."""
    random = np.random.default_rng(seed)
    arm, stratum = random.random(n) < 0.5, random.integers(0, 3, n)
    rate = 0.1 * np.where(arm, 0.7, 1.0) * (1 + 0.5 * stratum)
    time, censor = random.exponential(1 / rate), random.exponential(15, n)
    event = time <= censor
    month = np.minimum(time, censor)
    return (np.ceil(month * 2) / 2 if rounded else month), event, arm, stratum


@pytest.mark.parametrize("is_late", [False, True])
def test_kaplan_meier_agrees_with_lifelines(is_late: bool) -> None:
    time, event, _, _ = sample()
    entry = np.where(np.arange(time.size) % 3 == 0, time * 0.4 + 0.013, 0.0) if is_late else None
    mine = kaplan_meier(time, event, entry)
    oracle = KaplanMeierFitter().fit(time, event, entry=entry)
    table = oracle.event_table.loc[mine.time]
    assert mine.events.tolist() == table["observed"].tolist()
    assert mine.at_risk.tolist() == table["at_risk"].tolist()
    # Equal up to rounding: the same formula.
    expected = oracle.survival_function_.loc[mine.time].to_numpy()[:, 0]
    assert mine.survival == pytest.approx(expected, abs=1e-12)
    band = oracle.confidence_interval_.loc[mine.time].to_numpy()
    inside = mine.survival > 0
    assert mine.low[inside] == pytest.approx(band[inside, 0], abs=1e-10)
    assert mine.high[inside] == pytest.approx(band[inside, 1], abs=1e-10)
    assert mine.median()[0] == oracle.median_survival_time_
    assert mine.at(np.array([0.0, 3.0, 7.3])) == pytest.approx(
        oracle.survival_function_at_times([0.0, 3.0, 7.3]).to_numpy(), abs=1e-12
    )


def test_numbers_at_risk_count_those_just_before_a_time() -> None:
    time = np.array([2.0, 3.0, 3.0, 5.0])
    assert numbers_at_risk(time, np.array([0.0, 2.0, 2.1, 3.0, 5.0, 6.0])).tolist() == [
        4, 4, 3, 3, 1, 0,
    ]  # fmt: skip


def test_follow_up_is_the_median_of_the_reverse_curve() -> None:
    time, event, _, _ = sample()
    oracle = KaplanMeierFitter().fit(time, ~event)
    assert follow_up(time, event)[0] == oracle.median_survival_time_


def test_restricted_mean_agrees_with_lifelines() -> None:
    time, event, _, _ = sample()
    mean, error = restricted_mean(time, event, 12.0)
    fitter = KaplanMeierFitter().fit(time, event)
    oracle, variance = restricted_mean_survival_time(fitter, t=12.0, return_variance=True)
    assert mean == pytest.approx(oracle, rel=1e-9)
    # lifelines integrates the variance of the curve; ours is the usual Greenwood form.
    assert error == pytest.approx(np.sqrt(variance / time.size), rel=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_hazard_ratio_agrees_with_lifelines_and_statsmodels(seed: int) -> None:
    time, event, arm, stratum = sample(seed=seed)
    mine = hazard_ratio(time, event, arm)
    frame = pd.DataFrame({"time": time, "event": event, "arm": arm.astype(float)})
    lifelines = CoxPHFitter().fit(frame, "time", "event").summary.loc["arm"]
    statsmodels = PHReg(time, arm.astype(float), event.astype(int), ties="efron").fit()
    # Both stop at their own tolerance.
    assert mine.value == pytest.approx(lifelines["exp(coef)"], rel=1e-5)
    assert mine.value == pytest.approx(float(np.exp(statsmodels.params[0])), rel=1e-6)
    assert (mine.low, mine.high) == pytest.approx(
        (lifelines["exp(coef) lower 95%"], lifelines["exp(coef) upper 95%"]), rel=1e-5
    )
    assert mine.p == pytest.approx(lifelines["p"], rel=1e-4)
    mine = hazard_ratio(time, event, arm, stratum)
    statsmodels = PHReg(
        time, arm.astype(float), event.astype(int), strata=stratum, ties="efron"
    ).fit()
    assert mine.value == pytest.approx(float(np.exp(statsmodels.params[0])), rel=1e-6)
    frame["stratum"] = stratum
    lifelines = CoxPHFitter().fit(frame, "time", "event", strata=["stratum"]).summary.loc["arm"]
    assert mine.low == pytest.approx(lifelines["exp(coef) lower 95%"], rel=1e-5)


def test_log_rank_agrees_with_lifelines() -> None:
    time, event, arm, _ = sample()
    statistic, p = log_rank(time, event, arm)
    oracle = logrank_test(time[arm], time[~arm], event[arm], event[~arm])
    assert statistic == pytest.approx(oracle.test_statistic, rel=1e-9)
    assert p == pytest.approx(oracle.p_value, rel=1e-9)


@pytest.mark.parametrize("statistic", [log_rank, hazard_ratio])
def test_a_stratum_of_one_arm_is_refused(statistic) -> None:
    time, event, arm, _ = sample()
    alone = np.where(np.arange(time.size) < 40, 7, 0)
    with pytest.raises(DataError, match="stratum 7: patients of one arm only"):
        statistic(time, event, arm | (alone == 7), alone)
    with pytest.raises(DataError, match="stratum 0, 7: patients of one arm only"):
        statistic(time, event, alone == 7, alone)
    with pytest.raises(DataError, match="a stratum is missing"):
        statistic(time, event, arm, np.where(alone == 7, np.nan, 1.0))


@pytest.mark.parametrize("statistic", [log_rank, hazard_ratio])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"event": slice(0, 10)}, "20 times and 10 events do not go together"),
        ({"in_arm": slice(0, 19)}, "20 times and 19 arms do not go together"),
        ({"stratum": slice(0, 5)}, "20 times and 5 strata do not go together"),
    ],
)
def test_arrays_of_other_lengths_are_refused(statistic, change, message: str) -> None:
    time, event, arm, stratum = sample(20)
    told = {"time": time, "event": event, "in_arm": arm, "stratum": stratum * 0}
    with pytest.raises(DataError, match=message):
        statistic(**{name: v[change.get(name, slice(None))] for name, v in told.items()})


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ([0, 1, 2, 1], "row 3 has 2"),
        ([1.0, 0.0, np.nan, 1.0], "row 3 has nan"),
        ([True, False, None, True], "row 3 has None"),
        (["1", "0", "1", "0"], "events are 0 or 1"),
        ([-1, 0, 1, 1], "row 1 has -1"),
    ],
)
def test_codes_other_than_0_and_1_are_refused(event, message: str) -> None:
    with pytest.raises(DataError, match=message):
        kaplan_meier(np.arange(1.0, 5.0), np.array(event, dtype=None))


def test_codes_0_and_1_are_events_as_true_and_false_are() -> None:
    time, event, arm, _ = sample()
    told = hazard_ratio(time, event.astype(int), arm.astype(float))
    assert told == hazard_ratio(time, event, arm)


def test_times_a_rounding_apart_are_ties() -> None:
    """Thirty days in tenths, added up in another order: equal to the rounded times."""
    time, event, arm, _ = sample()
    noise = np.random.default_rng(3).uniform(-4e-10, 4e-10, time.size)
    near, exact = hazard_ratio(time + noise, event, arm), hazard_ratio(time, event, arm)
    assert near.value == pytest.approx(exact.value, rel=1e-12)
    assert log_rank(time + noise, event, arm) == pytest.approx(log_rank(time, event, arm))
    assert kaplan_meier(time + noise, event).time.size == kaplan_meier(time, event).time.size
    apart = np.array([1.0, 1.0 + 2e-9, 1.0 + 4e-9])
    assert kaplan_meier(apart, np.ones(3, dtype=bool)).time.size == 3


def test_a_restricted_mean_ends_with_the_follow_up() -> None:
    time, event, _, _ = sample()
    last = float(time.max())
    assert restricted_mean(time, event, last)[0] > 0
    for until, message in ((last + 0.1, "the follow-up ends at"), (0.0, "above zero"),
                           (np.nan, "above zero"), (np.inf, "above zero")):  # fmt: skip
        with pytest.raises(DataError, match=message):
            restricted_mean(time, event, until)
    # Where all had the event nothing is left to follow: the area is known.
    assert restricted_mean(np.array([1.0, 2.0]), np.array([1, 1]), 5.0)[0] == 1.5


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (173, 397)])
def test_a_proportion_has_its_exact_interval(k: int, n: int) -> None:
    share, low, high = proportion(k, n)
    expected = proportion_confint(k, n, method="beta")
    expected = (0.0 if k == 0 else expected[0], 1.0 if k == n else expected[1])
    assert share == k / n
    assert (low, high) == pytest.approx(expected, abs=1e-12)


def test_what_cannot_be_compared_is_refused() -> None:
    time, event, arm, _ = sample(20)
    with pytest.raises(DataError, match="patients in both arms"):
        hazard_ratio(time, event, np.ones(20, dtype=bool))
    with pytest.raises(DataError, match="the arm has no event"):
        hazard_ratio(time, event & ~arm, arm)
    with pytest.raises(DataError, match="1 times are missing or below zero, the first in row 1"):
        kaplan_meier(np.array([np.nan, 1.0]), np.array([True, True]))
    with pytest.raises(DataError, match="nobody"):
        kaplan_meier(np.empty(0), np.empty(0, dtype=bool))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: follow_up([1, 2], [1, np.nan]), "events are 0 or 1"),
        (lambda: follow_up([1, 2], [1, 2]), "events are 0 or 1"),
        (lambda: kaplan_meier(["1", "x"], [1, 0]), "times have to be numbers"),
        (lambda: kaplan_meier(None, None), "times have to be"),
        (lambda: restricted_mean([1.0, 2.0], [1, 0], "5"), "give a time above zero"),
        (lambda: proportion(2.5, 10), "is no share"),
        (
            lambda: hazard_ratio([5, 1, 1, 5], [1, 0, 0, 1], [1, 0, 1, 0], [1, 1, 2, 2]),
            "nothing to compare|no event",
        ),
    ],
)
def test_what_is_no_survival_data_is_refused_in_words(call, words: str) -> None:
    with pytest.raises(DataError, match=words):
        call()
