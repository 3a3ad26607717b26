"""The scorecard counts a figure only where the criterion can be asked."""

from __future__ import annotations

import her2sim as h2
from her2sim.trials.library import load_trial


def test_hazard_ratios_without_an_interval_are_not_counted() -> None:
    """ALTTO printed none: its ratios are neither hits nor misses; those of FinHER are asked."""
    found = h2.score(("altto", "finher"), per_arm=60, seed=1, members=1)
    (score,) = (s for s in found.scores if "hazard ratio" in s.title)
    assert {row.trial for row in score.asked} == {load_trial("finher").id}
    assert all(row.figure.published_low is not None for row in score.asked)
