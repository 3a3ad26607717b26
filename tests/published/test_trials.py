"""Published trials: how often predictions are right, counted as docs/trials.md counts them.

The limits are those that were set before anything was calibrated; where the model misses one, the
test holds what it reaches, and the page says that it is a miss.
"""

from __future__ import annotations

import pytest

from her2sim.biology.ensemble import ensemble
from her2sim.report.trials.asked import all_reports, asked_reports
from her2sim.report.trials.report import TrialReport
from her2sim.report.trials.run import Asked, TrialFolder
from her2sim.report.trials.scorecard import JUDGED_RATIOS, scorecard
from her2sim.trials.named import load_trial, trial_names

SEED = 1


def test_holding_for_harm_costs_dose_and_spares_harm() -> None:
    """EMILIA with and without the labels' rules: the same patients."""
    trial = load_trial("emilia")
    with TrialFolder(None) as store:
        held = asked_reports(trial, Asked(600, SEED, 6), store, is_off=True)
    free = held.without_rules
    assert free is not None

    def conjugate(report: TrialReport):
        (drug,) = report.arms[0].treatment
        return drug

    assert conjugate(free).hold_day == 0 < conjugate(held).hold_day
    assert conjugate(free).dose_intensity > conjugate(held).dose_intensity + 0.005
    assert conjugate(free).given_mg > conjugate(held).given_mg

    def severe(report: TrialReport, event: str) -> float:
        (row,) = (r for r in report.safety if (r.arm, r.event, r.grade) == ("tdm1", event, "3"))
        assert row.figure.predicted is not None
        return row.figure.predicted

    assert severe(free, "thrombocytopenia") > severe(held, "thrombocytopenia")


@pytest.mark.slow
def test_predictions_are_as_good_as_the_page_says() -> None:
    members = len(ensemble().draws)
    reports = list(all_reports(trial_names(), 100 * members, members, SEED, workers=2))
    scores = {(score.role, score.title): score for score in scorecard(reports)}
    ratios = scores["prediction", "hazard ratio of PFS or TTP inside the published interval"]
    judged = [row for row in ratios.rows if row.trial in JUDGED_RATIOS]
    assert len(judged) == len(JUDGED_RATIOS)
    shares = {
        title: score.hits / len(score.rows)
        for (role, title), score in scores.items()
        if role == "prediction"
    }
    assert sum(row.is_hit for row in judged) >= WANTED_RATIOS
    assert shares["median PFS or TTP within 25 %"] >= WANTED_MEDIANS
    assert shares["ORR within 10 points"] >= WANTED_RESPONSES
    assert shares["severe harms, LVEF falls and ILD within a factor of 1.5"] >= WANTED_HARMS


WANTED_RATIOS, WANTED_MEDIANS, WANTED_RESPONSES, WANTED_HARMS = 5, 0.6, 0.6, 0.7
