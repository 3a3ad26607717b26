"""An arm for efficacy alone shows the same scans as the whole arm."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.biology.ensemble import Members
from her2sim.engine.trajectories import Tolerance
from her2sim.errors import DataError
from her2sim.trials.arm import EFFICACY, ArmPatients, run_arm
from her2sim.trials.efficacy import arm_doses, run_efficacy
from her2sim.trials.library import load_trial
from her2sim.virtual_patient.run import TOLERANCE

SEED = 5
N = 300


def patients_of(numbers: np.ndarray) -> ArmPatients:
    return ArmPatients(numbers, Members(1 + numbers % 24))


# Release by cycle and a payload; doses held and lowered; three drugs; tablets for weeks; troponin.
@pytest.mark.parametrize(
    ("name", "arm"),
    [
        ("destiny-breast03", "tdxd"), ("emilia", "tdm1"), ("cleopatra", "pertuzumab"),
        ("nala", "neratinib"), ("her2climb", "tucatinib"), ("h0648g", "t_ac"),
        ("sophia", "margetuximab"),
    ],
)  # fmt: skip
def test_the_same_scans_as_in_the_whole_arm(name: str, arm: str) -> None:
    """Rules act in the whole arm: the doses are found without any tumour."""
    trial = load_trial(name)
    patients = patients_of(np.arange(N))
    whole = run_arm(trial, trial.arm_of(arm), patients, SEED)
    doses = arm_doses(trial, trial.arm_of(arm), patients, SEED)
    alone = run_efficacy(trial, trial.arm_of(arm), patients, doses, SEED)
    assert set(alone.columns) == set(EFFICACY)
    for column in EFFICACY:
        found, wanted = alone[column].to_numpy(), whole[column].to_numpy()
        if column == "best":  # each advance is right to 1e-5 of a step
            assert found == pytest.approx(wanted, rel=1e-3)
        else:
            assert np.array_equal(found, wanted, equal_nan=found.dtype.kind == "f"), column


def test_rules_do_act_in_these_arms() -> None:
    """The comparison above would say little if nobody's dose were ever held or lowered."""
    trial = load_trial("emilia")
    patients = patients_of(np.arange(N))
    by_rules, planned = (
        arm_doses(trial, trial.arm_of("tdm1"), patients, SEED, by_rules=rules).records
        for rules in (True, False)
    )
    (with_rules,), (without,) = by_rules.values(), planned.values()
    given, asked = ((r.dose_mg * r.number).sum() for r in (with_rules, without))
    assert given < 0.98 * asked
    assert with_rules.level.max() > 0


@pytest.mark.parametrize(
    ("tolerance", "most"),
    [(TOLERANCE, 0.0005), (Tolerance(relative=1e-3, absolute=1e-5), 0.01)],
)
def test_what_a_tolerance_moves(tolerance: Tolerance, most: float) -> None:
    """Whole patients run at the first, calibration at the second: dates of so few patients move."""
    trial = load_trial("emilia")
    arm, patients = trial.arm_of("tdm1"), patients_of(np.arange(4000))
    doses = arm_doses(trial, arm, patients, SEED)
    tight, loose = (
        run_efficacy(trial, arm, patients, doses, SEED, tolerance=one)
        for one in (Tolerance(relative=1e-8, absolute=1e-10), tolerance)
    )
    for column in ("progressed_day", "response_day", "confirmed_day"):
        moved = tight[column].to_numpy() != loose[column].to_numpy()
        assert moved.mean() <= most


def test_a_patient_may_come_again_in_another_member() -> None:
    trial = load_trial("cleopatra")
    arm = trial.arm_of("placebo")
    pool = patients_of(np.arange(40))
    doses = arm_doses(trial, arm, pool, SEED)
    numbers = np.array([7, 31, 7, 7])
    members = Members(np.array([1, 2, 3, 1]))
    found = run_efficacy(trial, arm, ArmPatients(numbers, members), doses, SEED)
    alone = run_efficacy(
        trial, arm, ArmPatients(numbers[2:3], members.take(np.array([2]))), doses, SEED
    )
    assert found["patient"].to_list() == [7, 31, 7, 7]
    assert found.row(0) == found.row(3)
    assert found.row(2) == alone.row(0)
    assert found["best"][0] != pytest.approx(found["best"][2], rel=1e-6)


def test_what_cannot_be_is_refused() -> None:
    trial = load_trial("emilia")
    arm = trial.arm_of("tdm1")
    doses = arm_doses(trial, arm, patients_of(np.array([3, 5, 8])), SEED)
    with pytest.raises(DataError, match="doses of patient 6 are not known"):
        run_efficacy(trial, arm, patients_of(np.array([5, 6])), doses, SEED)
    with pytest.raises(DataError, match=r"seed 5 .* not of EMILIA, tdm1, seed 6"):
        run_efficacy(trial, arm, patients_of(np.array([5])), doses, SEED + 1)
    with pytest.raises(DataError, match=r"of EMILIA, tdm1, .* not of EMILIA, lap_cape"):
        run_efficacy(trial, trial.arm_of("lap_cape"), patients_of(np.array([5])), doses, SEED)
    with pytest.raises(DataError, match="give at least one"):
        arm_doses(trial, arm, patients_of(np.array([], dtype=np.int64)), SEED)
    with pytest.raises(DataError, match="numbers of patients must go up"):
        arm_doses(trial, arm, patients_of(np.array([3, 3])), SEED)
    early = load_trial("hera").model_copy(update={"early": None, "crossover": ()})
    one_year = early.arm_of("trastuzumab_1y")
    doses = arm_doses(early, one_year, patients_of(np.arange(3)), SEED)
    with pytest.raises(DataError, match="without a lesion model"):
        run_efficacy(early, one_year, patients_of(np.arange(3)), doses, SEED)
