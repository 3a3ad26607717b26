"""Ten arms of trials in the package and in the light model: medians and responses agree."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.biology.ensemble import Members
from her2sim.trials.arm import ArmPatients
from her2sim.trials.efficacy import arm_doses, run_efficacy
from her2sim.trials.library import load_trial
from tests.oracle.light_lesion import light_arm

ARMS = [
    ("emilia", "tdm1"), ("emilia", "lap_cape"), ("destiny-breast03", "tdxd"),
    ("destiny-breast03", "tdm1"), ("destiny-breast04", "tdxd"), ("cleopatra", "pertuzumab"),
    ("m77001", "t"), ("nala", "neratinib"), ("her2climb", "tucatinib"), ("h0649g", "trastuzumab"),
]  # fmt: skip
N, SEED = 800, 3
MORE = {"h0649g": 2500}
"""About a half have progressed at the first scan: the median takes more patients."""
AROUND_HALF = np.linspace(0.35, 0.65, 31)


def median_month(days: np.ndarray, latest: float) -> float:
    """Median on the logarithm, over quantiles around a half: scans come in steps."""
    return float(np.exp(np.mean(np.log(np.quantile(np.minimum(days, latest), AROUND_HALF)))))


@pytest.mark.parametrize(("name", "arm_id"), ARMS)
def test_the_light_model_agrees(name: str, arm_id: str) -> None:
    """Medians within 8 %, responses within 4 points: chance and the steps of the light model."""
    trial = load_trial(name)
    arm = trial.arm_of(arm_id)
    n = MORE.get(name, N)
    light = light_arm(trial, arm, n, SEED)
    patients = ArmPatients(np.arange(n), Members(np.zeros(n, dtype=np.int64)))
    doses = arm_doses(trial, arm, patients, SEED)
    found = run_efficacy(trial, arm, patients, doses, SEED)
    latest = trial.end_month * 30.4375
    progressed = found["progressed_day"].to_numpy()
    medians = [median_month(days, latest) for days in (light.progressed_day, progressed)]
    responses = [
        100 * np.isfinite(days).mean()
        for days in (light.confirmed_day, found["confirmed_day"].to_numpy())
    ]
    assert medians[0] == pytest.approx(medians[1], rel=0.08)
    assert responses[0] == pytest.approx(responses[1], abs=4.0)
