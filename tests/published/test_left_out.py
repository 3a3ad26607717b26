"""Both trials of HER2-low disease left out at once: HER2-positive disease then tells of T-DXd."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.calibration.crossvalidation import CrossValidation
from her2sim.calibration.evidence import Evidence
from her2sim.trials.figure_errors import between_trials

LOW = ("DESTINY-Breast04", "DESTINY-Breast06")


@pytest.mark.slow
def test_trials_of_her2_low_disease_are_foreseen_without_any_of_them() -> None:
    fold = CrossValidation(Evidence(192, 2)).fold(LOW, 1)
    found = {}
    for anchor, best, members in zip(fold.anchors, fold.best, fold.members, strict=True):
        if anchor.kind != "ratio" or anchor.subgroup is not None:
            continue
        # No randomised trial tells of the drug in this disease any more.
        parts = (np.std(members), between_trials("hazard_ratio", "not randomised"), anchor.sampling)
        reach = 1.645 * float(np.linalg.norm(parts))
        low, high = np.exp(best - reach), np.exp(best + reach)
        found[anchor.trial] = (anchor.published, float(np.exp(best)), float(low), float(high))
    assert found.keys() == set(LOW)
    for trial, (published, predicted, low, high) in found.items():
        print(f"{trial}: {predicted:.2f} ({low:.2f} to {high:.2f}), published {published}")
        assert 0.35 <= predicted <= 0.75, trial
        assert low <= published <= high, trial
