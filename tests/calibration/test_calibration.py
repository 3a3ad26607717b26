"""The calibration: repeatable, it moves towards its anchors, and left-out trials stay out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from her2sim.biology.ensemble import ensemble
from her2sim.calibration.anchors import trial_anchors
from her2sim.calibration.crossvalidation import CrossValidation, whole_trials
from her2sim.calibration.evidence import Evidence
from her2sim.calibration.map_fit import MapFit, Misses, fit_map, slopes_at
from her2sim.calibration.members import draw_members
from her2sim.calibration.plan import (
    CalibrationPlan,
    Parameters,
    Prior,
    calibration_plan,
    quantity_of,
)
from her2sim.errors import DataError
from her2sim.trials.library import load_trial, metastatic_trials

KILL = Prior(name="capecitabine:chemo_kill", low=0.005, high=0.05, start=0.02)
OTHER = Prior(name="tumour:adcc_max", low=0.0005, high=0.002, start=0.001)
N_PATIENTS = 100
NUMBERS = {name: getattr(calibration_plan(), name) for name in ("number", "sources")}


def evidence(*trials: str) -> Evidence:
    """Two parameters on some trials."""
    plan = CalibrationPlan(parameter=(KILL, OTHER), **NUMBERS)
    return Evidence(N_PATIENTS, 1, trials, plan)


@pytest.fixture(scope="module")
def one() -> Evidence:
    return evidence("egf100151")


@pytest.fixture(scope="module")
def fit(one: Evidence) -> MapFit:
    """From a kill that is far too low."""
    return fit_map(one, np.array([-2.0, 0.0]))


def response(of: Evidence, predicted: np.ndarray) -> float:
    """Share of patients with a response to capecitabine alone."""
    (place,) = (k for k, a in enumerate(of.anchors) if a.arm == "cape" and a.endpoint == "ORR")
    return float(expit(predicted[place]))


def test_it_moves_towards_its_anchors(one: Evidence, fit: MapFit) -> None:
    """A kill of 0.002 a day gives hardly a response; the trial had 14 %."""
    before = one.predict(np.array([[-2.0], [0.0]]))[:, 0]
    assert response(one, before) < 0.05 < response(one, fit.predicted) < 0.3
    start = Misses(one).cost(before[:, None], np.array([[-2.0], [0.0]]))[0]
    assert fit.cost < 0.5 * start


def test_what_nobody_feels_stays_at_its_prior(one: Evidence, fit: MapFit) -> None:
    """No antibody is given: immune kill changes nothing, and no arm is run for it."""
    for arm in one.arms.values():
        assert arm.feels.tolist() == [True, False]
    assert fit.at[1] == 0.0
    assert (fit.slopes[:, 1] == 0.0).all()


def test_it_is_repeatable(fit: MapFit) -> None:
    again = fit_map(evidence("egf100151"), np.array([-2.0, 0.0]))
    assert again.at.tobytes() == fit.at.tobytes()
    assert again.predicted.tobytes() == fit.predicted.tobytes()


def test_a_set_does_not_depend_on_its_company(one: Evidence) -> None:
    sets = np.array([[-1.0, 0.0, 1.0], [0.5, 0.5, -0.5]])
    together = one.predict(sets)
    for k in range(3):
        assert one.predict(sets[:, [k]])[:, 0].tobytes() == together[:, k].tobytes()


def test_slopes_are_those_of_the_predictions(one: Evidence) -> None:
    at = np.array([0.2, 0.0])
    slopes, here = slopes_at(one, at, np.array([True, True]))
    aside = one.predict((at + np.array([0.3, 0.0]))[:, None])[:, 0]
    back = one.predict((at - np.array([0.3, 0.0]))[:, None])[:, 0]
    assert slopes[:, 0] == pytest.approx((aside - back) / 0.6, abs=1e-12)
    assert here.tobytes() == one.predict(at[:, None])[:, 0].tobytes()


def test_members_spread_as_far_as_the_figures_let_them(one: Evidence, fit: MapFit) -> None:
    """Less than the prior where patients feel a number, all of the prior where they do not."""
    found = draw_members(one, fit, 40, 3)
    spread = found.sets.std(axis=1)
    assert spread[0] < 0.7
    assert spread[1] == pytest.approx(1.0, abs=0.3)  # 40 draws
    assert found.sets[0].mean() == pytest.approx(fit.at[0], abs=0.3)
    assert sorted(found.draws) == list(range(1, 41))


def test_a_trial_that_is_left_out_is_not_seen() -> None:
    """Its figures may say anything: what is fitted to the others is the same to the bit."""
    of = evidence("egf100151", "emilia")
    found = CrossValidation(of).fold(("EGF100151",), 1)
    told = of.anchors
    changed = evidence("egf100151", "emilia")
    changed.__dict__["anchors"] = tuple(
        a if a.trial != "EGF100151" else type(a)(**{**vars(a), "value": a.value + 1.0})
        for a in told
    )
    again = CrossValidation(changed).fold(("EGF100151",), 1)
    assert again.at.tobytes() == found.at.tobytes()
    assert {a.trial for a in found.anchors} == {"EGF100151"}
    assert len(found.anchors) == sum(a.trial == "EGF100151" for a in told)
    assert whole_trials(of) == (("EGF100151",), ("EMILIA",))


def test_every_figure_of_efficacy_is_an_anchor() -> None:
    """All of whole arms of the metastatic trials, but for overall survival.

    Figures of groups of patients may be predictions, and are then no anchors.
    """
    for trial in metastatic_trials():
        rows = [*trial.outcome, *trial.comparison, *trial.landmarks]
        whole = [row for row in rows if getattr(row, "subgroup", None) is None]
        assert all(row.role == "anchor" for row in whole if row.endpoint != "OS"), trial.id
        anchors = list(trial_anchors(trial))
        told = {(r.arm, r.subgroup) for r in trial.comparison if r.role == "prediction"}
        assert not told & {(a.arm, a.subgroup) for a in anchors if a.kind == "ratio" and a.subgroup}
        assert all(np.isfinite(a.value) and a.sampling > 0 for a in anchors), trial.id
        assert "OS" not in {a.endpoint for a in anchors}


def test_points_of_one_curve_count_as_two() -> None:
    curve = [a for a in trial_anchors(load_trial("cleopatra")) if a.arm == "placebo"]
    points = [a for a in curve if a.endpoint == "PFS" and not a.subgroup and a.kind == "rate"]
    assert len(points) == 7
    # Eight with the median: as much as two of them.
    assert points[0].shared == pytest.approx(2.0)
    assert points[0].sd == pytest.approx(2.0 * np.hypot(points[0].sampling, points[0].between))


def test_all_parameters_of_the_plan_exist() -> None:
    plan = calibration_plan()
    names = [prior.name for prior in plan.parameter]
    assert len(names) == len(set(names))
    for name in [*names, *(tie.name for tie in plan.tied)]:
        assert quantity_of(name).value > 0
    assert {tie.to for tie in plan.tied} <= set(names)
    with pytest.raises(DataError, match="'tumour:nothing' is no number"):
        quantity_of("tumour:nothing")
    with pytest.raises(DataError, match=r"'tumour:kon.spread': it has no spread"):
        quantity_of("tumour:kon.spread")


def test_the_shipped_numbers_are_those_of_the_calibration() -> None:
    """Members of every parameter, as many as there are draws; the best fit is within its limits."""
    draws = ensemble().draws
    assert len(draws) == len(set(draws))
    parameters = Parameters(calibration_plan())
    assert np.abs(parameters.shipped()).max() <= 3.0
    for name in [*parameters.names, *(tie.name for tie in calibration_plan().tied)]:
        name, _, part = name.partition(".")
        quantity = quantity_of(name)
        values = quantity.spread_members if part else quantity.members
        assert len(values) == len(draws), name
