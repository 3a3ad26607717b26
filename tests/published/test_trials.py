"""Published trials: how often predictions are right, counted as docs/trials.md counts them.

The limits are those that were set before anything was calibrated; where the model misses one, the
test holds what it reaches, and the page says that it is a miss.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from her2sim.biology.ensemble import ensemble
from her2sim.studies.trial.report import TrialReport
from her2sim.studies.trial.runs import all_reports
from her2sim.studies.trial.scorecard import scorecard, skills
from her2sim.trials.folder import TrialFolder
from her2sim.trials.library import load_trial, trial_names
from her2sim.trials.run import RunSettings, run_trial

SEED = 1


def test_holding_for_adverse_events_costs_dose_and_spares_events(tmp_path: Path) -> None:
    """DESTINY-Breast03 with and without the labels' rules: the same patients."""
    trial, found = load_trial("destiny-breast03"), {}
    with TrialFolder(tmp_path) as store:
        for by_rules in (True, False):
            asked = RunSettings(2400, SEED, 24, by_rules=by_rules)
            found[by_rules] = run_trial(trial, asked, store, workers=2).arms()["tdxd"]
    held, free = found[True], found[False]
    of_drug = {k: arm.patients.drug("trastuzumab-deruxtecan") for k, arm in found.items()}
    dose = {k: float(np.nanmean(drug.dose_intensity)) for k, drug in of_drug.items()}
    assert dose[False] == pytest.approx(1.0)
    assert dose[True] < 0.99
    assert of_drug[False].given_mg.mean() > of_drug[True].given_mg.mean()
    assert free.patients.days_grade_2.mean() > 1.1 * held.patients.days_grade_2.mean()
    for event, grade in (("neutropenia", "4"), ("thrombocytopenia", "3")):
        assert free.had(event, grade).sum() > held.had(event, grade).sum()


@pytest.fixture(scope="module")
def reports() -> list[TrialReport]:
    members = len(ensemble().draws)
    return list(all_reports(trial_names(), 200 * members, members, SEED, workers=2))


def missed(title: str, wanted: float, reached: str) -> object:
    """A mark that is not reached."""
    reason = f"{reached} is reached, a miss: docs/trials.md"
    return pytest.param(title, wanted, marks=pytest.mark.xfail(strict=True, reason=reason))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("median PFS or TTP within 20 %", 0.8),
        ("ORR within 8 points", 0.8),
        ("hazard ratio of PFS or TTP inside the published interval", 0.85),
        missed("severe adverse events, LVEF falls and ILD within a factor of 1.5", 0.7, "0.56"),
    ],
)
def test_figures_are_as_near_as_they_shall_be(
    reports: list[TrialReport], title: str, wanted: float
) -> None:
    """Of a fit: how trials that took no part are predicted is in docs/crossvalidation.md."""
    (score,) = (score for score in scorecard(reports) if score.title == title)
    assert score.hits / len(score.rows) >= wanted


@pytest.mark.slow
def test_the_fit_is_much_nearer_than_a_guess(reports: list[TrialReport]) -> None:
    for skill in skills(reports):
        assert skill.ours < 0.6 * min(skill.constant, skill.alike), skill.endpoint
