"""Classes of drugs, lines, what other trials tell, and ranges of what may be seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from her2sim.studies.trial.beside import Beside
from her2sim.trials.figure_errors import (
    between_trials,
    median_chance,
    outcome_sampling,
    predictive_range,
    ratio_sampling,
    share_chance,
)
from her2sim.trials.groups import drug_class, drugs_of, evidence_for, line_of
from her2sim.trials.library import load_trial, metastatic_trials


@pytest.mark.parametrize(
    ("name", "arm", "wanted"),
    [
        ("destiny-breast03", "tdxd", "conjugate"), ("her2climb", "tucatinib", "kinase inhibitor"),
        ("cleopatra", "pertuzumab", "pertuzumab"), ("cleopatra", "placebo", "antibody"),
        ("tandem", "ana", "endocrine"), ("m77001", "t", "chemotherapy"),
    ],
)  # fmt: skip
def test_class_of_an_arm(name: str, arm: str, wanted: str) -> None:
    trial = load_trial(name)
    assert drug_class(trial.arm_of(arm)) == wanted


def test_drugs_and_lines() -> None:
    sophia, low = load_trial("sophia"), load_trial("destiny-breast04")
    assert {"margetuximab", "eribulin", "capecitabine"} <= drugs_of(sophia.arm[0])
    assert line_of(sophia, sophia.arm[0]) == "later line"
    assert line_of(low, low.arm[0]) == "no amplification"
    assert line_of(load_trial("cleopatra"), load_trial("cleopatra").arm[0]) == "first line"


def test_what_other_trials_tell() -> None:
    """T-DM1 was compared in EMILIA too; tucatinib in no other trial; T-DXd in HER2-low in two."""

    def level(name: str, arm: str) -> str:
        trial = load_trial(name)
        others = [other for other in metastatic_trials() if other.id != trial.id]
        return evidence_for(trial, trial.arm_of(arm), others)

    assert level("destiny-breast03", "tdm1") == "randomised"
    assert level("destiny-breast04", "tdxd") == "randomised"
    assert level("her2climb", "tucatinib") == "none"
    daisy = load_trial("daisy")
    only = [one for one in metastatic_trials() if "DESTINY" not in one.id and one.id != "DAISY"]
    assert evidence_for(daisy, daisy.arm_of("her2_low"), only) == "none"
    known = [trial for trial in metastatic_trials() if trial.id == "DESTINY-Breast03"]
    assert evidence_for(daisy, daisy.arm_of("her2_low"), known) == "not randomised"


def test_a_trial_outside_the_evidence_says_so() -> None:
    """The trials that were fitted tell of themselves; a drug in a new disease is outside."""
    assert Beside(load_trial("destiny-breast03")).outside() == ""
    assert Beside(load_trial("hera")).outside() == ""
    emilia, low = load_trial("emilia"), load_trial("destiny-breast04").enrolled
    of_low = emilia.model_copy(update={"enrolled": low})
    text = Beside(of_low).outside()
    assert text.startswith("Outside the evidence")
    assert "trastuzumab-emtansine" in text


def test_mostly_without_amplification_is_a_disease_of_its_own() -> None:
    """However the file tells it: no test, a negative one, or shares of zero."""
    emilia = load_trial("emilia")
    of = emilia.enrolled.her2
    low = {"shares": {"1+": 0.6, "2+": 0.4}}
    told = [{**low, "amplified": value} for value in (None, False, {"1+": 0.0, "2+": 0.1})]
    for changed in told:
        her2 = of.model_copy(update=changed)
        enrolled = emilia.enrolled.model_copy(update={"her2": her2})
        trial = emilia.model_copy(update={"enrolled": enrolled})
        assert line_of(trial, trial.arm[0]) == "no amplification"
        assert "trastuzumab-emtansine" in Beside(trial).outside()


def test_an_arm_without_drugs_has_nothing_alike() -> None:
    emilia = load_trial("emilia")
    arm = emilia.arm[0].model_copy(update={"regimen": ()})
    trial = emilia.model_copy(update={"arm": (arm, *emilia.arm[1:])})
    row = next(row for row in trial.outcome if row.arm == arm.id and row.endpoint == "PFS")
    assert Beside(trial).guesses(row) == (None, None)


def test_spreads_are_wider_without_randomised_evidence() -> None:
    for kind in ("hazard_ratio", "median", "rate", "response"):
        assert between_trials(kind, "none") > between_trials(kind, "randomised") > 0  # type: ignore[arg-type]


def test_errors_of_samples() -> None:
    """Of an interval as printed, else of the number of patients."""
    emilia = load_trial("emilia")
    ratio = next(row for row in emilia.comparison if row.endpoint == "PFS")
    assert ratio_sampling(emilia, ratio) == pytest.approx(np.log(0.771 / 0.549) / 3.92, abs=1e-4)
    orr = next(row for row in emilia.outcome if row.endpoint == "ORR" and row.arm == "tdm1")
    assert outcome_sampling(emilia, orr) == pytest.approx(share_chance(495, 0.436), rel=1e-3)
    assert median_chance(400) == pytest.approx(0.06)


def test_the_range_of_what_may_be_seen() -> None:
    """Members without their chance, and what comes on top; infinite where most do not get there."""
    random = np.random.default_rng(4)
    values = 0.5 * random.standard_normal(4000)
    low, high = predictive_range(values, 0.0, 0.3, 0.2)
    expected = norm.ppf(0.95) * np.sqrt(0.5**2 - 0.3**2 + 0.2**2)
    assert (low, high) == pytest.approx((-expected, expected), abs=0.03)  # 4,000 draws
    still = predictive_range(np.full(24, 1.7), 1.0, 0.3, 0.2)  # around the prediction
    assert still == pytest.approx((1 - 0.2 * norm.ppf(0.95), 1 + 0.2 * norm.ppf(0.95)), abs=0.01)
    part = predictive_range(np.array([*np.ones(20), *np.full(4, np.inf)]), 1.0, 0.0, 0.1)
    assert np.isfinite(part[0])
    assert np.isinf(part[1])
