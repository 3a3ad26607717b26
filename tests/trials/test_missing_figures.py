"""What is said where there is no figure, or too little for a range."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from her2sim.api.patients import Patients
from her2sim.pk.combination import load_combination
from her2sim.report.population_view import population_tables
from her2sim.report.trial_docs import trials_markdown
from her2sim.report.trial_tables import figure_cells, score_tables
from her2sim.studies.population import population_report
from her2sim.studies.trial.scorecard import scorecard
from her2sim.virtual_patient.treat import TreatmentPlan
from tests.trials.conftest import N_CARRIERS


def texts(tables) -> str:
    """All cells of some tables."""
    return " | ".join(str(cell) for t in tables for c in t.columns for cell in c.cells)


def test_a_figure_without_a_prediction_is_neither_hit_nor_miss(reported) -> None:
    report = reported(12)
    needs = "a model of this adverse event for the drugs of this arm"
    (row,) = report.safety
    assert (row.figure.predicted, row.figure.needs) == (None, needs)
    scores = scorecard([report])
    assert (scores[-1].hits, scores[-1].rows) == (0, ())
    (row,) = scores[-1].unpredicted
    assert row.is_hit is None
    assert needs in texts(score_tables(scores))
    page = trials_markdown([report])
    assert "| prediction | 0 | 0 | 1 |" in page
    assert f"margetuximab, lvef drop, grade any, published 8: needs {needs}" in page
    assert "- ()" not in page


def test_a_prediction_that_is_no_number_is_none_but_one_that_is_not_reached_is(reported) -> None:
    report = reported(12)
    (row,) = report.safety
    for predicted, n_judged in ((np.nan, 0), (np.inf, 1)):
        figure = replace(row.figure, predicted=predicted)
        score = scorecard([replace(report, safety=(replace(row, figure=figure),))])[-1]
        assert (len(score.rows), len(score.unpredicted)) == (n_judged, 1 - n_judged)


def test_a_curve_has_the_range_of_what_may_be_seen(reported) -> None:
    """It holds the prediction, only falls, and is wider than the rates of equal members."""
    for curve in (arm.curves["PFS"] for arm in reported(12).arms):
        assert (curve.month[0], curve.survival[0], curve.low[0], curve.high[0]) == (0, 1, 1, 1)
        assert (curve.low <= curve.survival).all()
        assert (curve.survival <= curve.high).all()
        for edge in (curve.low, curve.survival, curve.high):
            assert (np.diff(edge) <= 1e-12).all()
        middle = np.argmin(np.abs(curve.survival - 0.5))
        assert curve.high[middle] - curve.low[middle] > 0.1  # a spread of 0.26 of the logit


def test_a_figure_is_that_of_the_best_fit(reported) -> None:
    """Not the median of the members: with 12 equal ones, the first block is the best fit."""
    report = reported(12)
    row = next(r for r in report.endpoints if (r.endpoint, r.measure) == ("ORR", "rate_percent"))
    assert row.figure.predicted == pytest.approx(100 * 3 / 40)


@pytest.mark.parametrize("members", [2, 9])
def test_too_few_members_have_no_range(reported, members: int) -> None:
    report = reported(members)
    figure = next(r.figure for r in report.endpoints if r.subgroup is None)
    assert figure.predicted is not None
    assert (figure.low, figure.high) == (None, None)
    assert figure_cells(figure)[1] == f"-, needs 10 members; {members} here"


def test_ten_members_have_a_range_and_one_has_that_of_chance(reported) -> None:
    for members in (1, 10):
        figure = next(r.figure for r in reported(members).endpoints if r.subgroup is None)
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low < figure.predicted < figure.high
        assert figure.needs == ""


def test_a_group_of_few_patients_has_no_figure(reported) -> None:
    report = reported(12)
    told = report.as_dict()
    ratio = next(r for r in told["comparisons"] if r["subgroup"] == "fcgr3a_f_carriers")
    assert ratio["hazard_ratio"] is None
    assert ratio["low"] is None
    assert ratio["needs"] == (
        f"at least 10 patients of fcgr3a_f_carriers in each arm a member; {N_CARRIERS} here"
    )
    responders = next(r for a in told["arms"] for r in a["endpoints"] if r["endpoint"] == "DoR")
    assert responders["predicted"] is None
    assert responders["needs"] == "at least 10 patients with a response a member; 3 here"
    figure = next(r.figure for r in report.ratios if r.subgroup == "fcgr3a_f_carriers")
    assert figure_cells(figure)[:2] == ["-", f"needs {ratio['needs']}"]


def test_one_member_says_what_happened_to_however_few(reported) -> None:
    told = reported(1).as_dict()
    responders = next(r for a in told["arms"] for r in a["endpoints"] if r["endpoint"] == "DoR")
    assert responders["predicted"] is not None
    assert responders["needs"] == ""
    none = reported(1, carriers=0).as_dict()
    ratio = next(r for r in none["comparisons"] if r["subgroup"] == "fcgr3a_f_carriers")
    assert ratio["needs"] == "patients of fcgr3a_f_carriers in each arm; none here"


def test_few_replicates_have_no_percentiles(reported) -> None:
    few, enough = (reported(n, replicates=n).power[0] for n in (4, 10))
    assert few.hazard_ratio == pytest.approx(few.hazard_ratio)
    assert (few.hazard_ratio_p5, few.hazard_ratio_p95) == (None, None)
    assert few.needs == "10 replicates; 4 here"
    assert enough.hazard_ratio_p5 <= enough.hazard_ratio <= enough.hazard_ratio_p95


def population(patients: int, members: int):
    """A short run of T-DM1."""
    who, n = Patients("mbc").load(patients, 2)
    return population_report(
        load_combination("T-DM1"), who, n, 2, TreatmentPlan(9 * 7.0), members=members, threads=1
    )


def test_a_population_says_what_its_figures_would_need() -> None:
    few = population(2, 1)
    assert {o.value for o in few.outcomes} == {None}
    assert few.outcomes[0].needs == "at least 10 patients; 2 here"
    assert "-, needs at least 10 patients; 2 here" in texts(population_tables(few))
    spread = population(60, 5)
    response = next(o for o in spread.outcomes if o.name == "objective response")
    assert response.value is not None
    assert (response.low, response.high) == (None, None)
    assert response.needs == "10 members of 10 patients; 5 here"
    assert json.dumps(spread.as_dict()["outcomes"][0]).count("null") == 2
