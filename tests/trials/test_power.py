"""Power of a trial: replicates without an event in the better arm are not lost."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines.statistics import logrank_test

from her2sim.studies.trial.power import _is_better
from her2sim.trials.endpoints import Times


@pytest.mark.parametrize("seed", range(6))
def test_which_arm_is_better_is_that_of_the_log_rank_test(seed: int) -> None:
    """Fewer events than expected; also where an arm has none at all."""
    random = np.random.default_rng(seed)
    arms = [
        Times(random.exponential(mean, 12).clip(max=4.0), np.ones(12, dtype=bool))
        for mean in (20.0, 2.0)
    ]
    arms = [Times(a.month, a.month < 4.0) for a in arms]
    assert _is_better(*arms)
    assert not _is_better(*reversed(arms))
    found = logrank_test(arms[0].month, arms[1].month, arms[0].event, arms[1].event)
    assert found.p_value < 1


def test_an_arm_without_an_event_is_better() -> None:
    none = Times(np.full(12, 4.0), np.zeros(12, dtype=bool))
    some = Times(np.linspace(1.0, 4.0, 12), np.linspace(1.0, 4.0, 12) < 3.5)
    assert _is_better(none, some)
    assert not _is_better(some, none)


def test_replicates_without_an_event_in_an_arm_count(reported) -> None:
    """All of them are won: no event in the first arm, all in the second."""
    report = reported(24, each=12, replicates=24, events=(0, 12))
    (row,) = report.power[:1]
    assert row.power == 1.0
    assert row.hazard_ratio is None
