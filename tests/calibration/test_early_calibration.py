"""The calibration of early disease: what is felt where, and that fitted numbers are reproduced."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.biology.early_disease import early_facts
from her2sim.biology.ensemble import ensemble
from her2sim.calibration.evidence import Evidence
from her2sim.calibration.plan import calibration_plan


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """Two trials with few patients."""
    return Evidence(60, 1, ("BCIRG006", "NeoSphere"), calibration_plan("early"))


def test_a_drug_is_felt_only_where_it_is_given(evidence: Evidence) -> None:
    """Carboplatin in one arm of BCIRG006, no conjugate anywhere."""
    names = evidence.parameters.names
    felt = {
        (trial, arm): {name for name, is_felt in zip(names, one.feels, strict=True) if is_felt}
        for (trial, arm), one in evidence.arms.items()
    }
    having = [arm for arm, own in felt.items() if "early:kill_carboplatin" in own]
    assert having == [("BCIRG006", "dcarbh")]
    assert not any("early:payload_kill" in own for own in felt.values())
    assert all("early:occult_odds" in own for own in felt.values())


def test_a_number_that_no_patient_feels_changes_nothing(evidence: Evidence) -> None:
    """Sets that differ in the payload only predict the same."""
    at = evidence.parameters.shipped()
    moved = at.copy()
    moved[evidence.parameters.names.index("early:payload_kill")] += 1.0
    both = evidence.predict(np.column_stack([at, moved]))
    assert (both[:, 0] == both[:, 1]).all()


def test_more_occult_spread_means_more_relapses(evidence: Evidence) -> None:
    """Every share without event falls; complete responses stay what they are."""
    at = evidence.parameters.shipped()
    moved = at.copy()
    moved[evidence.parameters.names.index("early:occult_odds")] += 2.0
    both = evidence.predict(np.column_stack([at, moved]))
    kinds = np.array([anchor.kind for anchor in evidence.anchors])
    assert (both[kinds == "rate", 1] < both[kinds == "rate", 0]).all()
    assert (both[kinds == "share", 1] == both[kinds == "share", 0]).all()


def test_members_of_early_disease_are_those_of_metastatic_disease() -> None:
    """Each member of the ensemble has its own numbers of early disease."""
    n = len(ensemble().draws)
    names = [p.name.removeprefix("early:") for p in calibration_plan("early").parameter]
    for name in (name for name in names if "." not in name):
        assert len(early_facts().parameter[name].members) == n, name


def test_kill_and_what_pathology_misses_lie_on_a_ridge_over_members() -> None:
    """The more cells pathology misses, the more kill a relapse-free course needs: neither is known
    alone, both together are.
    """
    facts = early_facts().parameter
    kill, missed = np.log(facts["kill_occult"].members), np.array(facts["missed_log_cells"].members)
    assert np.corrcoef(kill, missed)[0, 1] > 0.4  # 0.2 by chance in 24 members
    assert np.ptp(kill) > 0.3
    assert np.ptp(missed) > 1.0
