"""The size of a trial for a power: against closed forms, and against trials that are simulated."""

from __future__ import annotations

import json

import numpy as np
import pytest

import her2sim as h2
from her2sim.errors import DataError
from her2sim.studies.trial.size import Pool, TrialSizes
from her2sim.trials.endpoints import Times

FOLLOW_UP_MONTH = 24.0


def exponential(median_month: float, n: int, seed: int) -> Times:
    """Times with one follow-up for all."""
    month = np.random.default_rng(seed).exponential(median_month / np.log(2), n)
    return Times(np.minimum(month, FOLLOW_UP_MONTH), month <= FOLLOW_UP_MONTH)


def schoenfeld_patients(ratio: float, power: float, medians: tuple[float, float]) -> float:
    """Patients in both arms by Schoenfeld 1983: events are (z_a + z_b)^2 / (p1 p2 log(HR)^2)."""
    from scipy.stats import norm

    events = 4 * (norm.ppf(0.975) + norm.ppf(power)) ** 2 / np.log(ratio) ** 2
    share = np.mean([1 - 0.5 ** (FOLLOW_UP_MONTH / median) for median in medians])
    return float(events / share)


@pytest.mark.parametrize(("ratio", "power"), [(0.65, 0.8), (0.75, 0.9)])
def test_the_size_is_that_of_schoenfeld(ratio: float, power: float) -> None:
    """Within 8 %: 3,000 trials leave 1.4 % of power, some 4 % of size; the search ends at 2 %."""
    medians = (10.0 / ratio, 10.0)
    pool = Pool(*(exponential(median, 200_000, k) for k, median in enumerate(medians)))
    sizes = TrialSizes({0: pool}, (1.0, 1.0), 0.05, 3_000, seed=1)
    per_arm = sizes.smallest(power)
    assert per_arm is not None
    wanted = schoenfeld_patients(ratio, power, medians)
    assert sizes.at(per_arm).patients == pytest.approx(wanted, rel=0.08)
    assert sizes.at(per_arm).assurance >= power


def test_power_grows_with_size_and_two_to_one_needs_more() -> None:
    pool = Pool(exponential(15, 50_000, 1), exponential(10, 50_000, 2))
    even = TrialSizes({0: pool}, (1.0, 1.0), 0.05, 1_000, seed=1)
    powers = [even.at(n).assurance for n in (40, 80, 160)]
    assert powers == sorted(powers)
    uneven = TrialSizes({0: pool}, (2.0, 1.0), 0.05, 1_000, seed=1)
    equal, skewed = (s.at(s.smallest(0.8) or 0).patients for s in (even, uneven))
    assert 1.0 < skewed / equal < 1.3  # 9/8 in theory


def test_no_difference_has_no_size() -> None:
    pool = Pool(exponential(10, 50_000, 1), exponential(10, 50_000, 2))
    assert TrialSizes({0: pool}, (1.0, 1.0), 0.05, 200, seed=1).smallest(0.8) is None


def test_a_member_of_the_other_direction_bounds_the_assurance() -> None:
    """One of two members shows the opposite: no size gets above a half."""
    better, worse = (exponential(20, 50_000, k) for k in (1, 2))
    control = exponential(10, 50_000, 3)
    pools = {1: Pool(better, control), 2: Pool(control, worse)}
    row = TrialSizes(pools, (1.0, 1.0), 0.05, 400, seed=1).at(300)
    assert row.assurance == pytest.approx(0.5)
    assert row.member_p5 is None  # two members have no 5th percentile


def test_the_size_of_a_simulated_trial() -> None:
    found = h2.trial_size("destiny-breast03", 0.9, 1, pool=50, members=2, trials=200)
    assert found.patients is not None
    assert 40 <= found.patients <= 300  # a large effect: the trial enrolled 524
    again = h2.trial_size("destiny-breast03", 0.9, 1, pool=50, members=2, trials=200)
    assert again.patients == found.patients
    assert set(found.frame()["patients"]) >= {found.patients}
    assert found.plot().axes[0].get_ylabel().endswith("(%)")
    assert found.sources().height > 3
    json.dumps(found.as_dict())


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("destiny-breast01", {}, "compares no arms"),
        ("emilia", {"endpoint": "DFS"}, "does not compare DFS; it compares PFS of tdm1"),
        ("emilia", {"arm": "lap_cape"}, "does not compare lap_cape"),
        ("emilia", {"power": 0.999}, "has to be 0.99 or less"),
    ],
)
def test_what_cannot_be_sized_is_refused(name: str, options: dict, words: str) -> None:
    with pytest.raises(DataError, match=words):
        h2.trial_size(name, **options)
