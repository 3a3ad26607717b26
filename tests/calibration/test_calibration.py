"""The calibration: repeatable, kept apart by mechanism, and it moves towards its anchors."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.biology.ensemble import ensemble
from her2sim.calibration.fit import (
    CalibrationPlan,
    Fit,
    MechanismFit,
    Prior,
    calibration_plan,
    quantity_of,
)
from her2sim.calibration.selection import select_best
from her2sim.errors import DataError

CAPECITABINE = MechanismFit(
    name="capecitabine",
    anchors=("EGF100151/cape",),
    parameter=(Prior(name="capecitabine:chemo_kill", low=0.005, high=0.009, start=0.007),),
)
OTHER = MechanismFit(
    name="immune kill",
    anchors=("SAKK22-99/trastuzumab",),
    only="nothing of it",
    parameter=(Prior(name="tumour:adcc_max", low=0.0005, high=0.002, start=0.001),),
)
N_MEMBERS, N_PATIENTS = 16, 60
NUMBERS = {name: getattr(calibration_plan(), name) for name in ("number", "sources")}


@pytest.fixture(scope="module")
def fit() -> Fit:
    """Two steps on one anchor, from a prior that is too low."""
    plan = CalibrationPlan(mechanism=(CAPECITABINE, OTHER), **NUMBERS)
    found = Fit(plan, N_MEMBERS, 1)
    found.start = found.members.copy()  # type: ignore[attr-defined]
    for _ in range(2):
        found.step(N_PATIENTS, 2.0)
    return found


def response(fit: Fit) -> float:
    """Share of patients with a response to capecitabine alone, mean of the members."""
    data, predicted = fit.predict(N_PATIENTS)
    (place,) = (k for k, d in enumerate(data) if d.place == "EGF100151/cape" and "ORR" in d.text)
    return float(np.mean(1 / (1 + np.exp(-predicted[place]))))


def test_it_moves_towards_its_anchor(fit: Fit) -> None:
    """A kill of 0.007 a day gives too few responses; the trial had 14 %."""
    before = Fit(fit.plan, N_MEMBERS, 1)
    assert response(before) < response(fit) < 0.2
    assert fit.members[0].mean() > before.members[0].mean()


def test_a_parameter_moves_with_the_anchors_of_its_mechanism_only(fit: Fit) -> None:
    assert fit.members[1] == pytest.approx(fit.start[1], abs=0)  # type: ignore[attr-defined]


def test_it_is_repeatable(fit: Fit) -> None:
    again = Fit(fit.plan, N_MEMBERS, 1)
    for _ in range(2):
        again.step(N_PATIENTS, 2.0)
    assert again.members.tobytes() == fit.members.tobytes()


def test_the_best_are_kept_in_order_of_fit(fit: Fit) -> None:
    data, predicted = fit.predict(N_PATIENTS)
    kept = select_best(data, predicted, fit.values(), 5)
    assert len(kept.draws) == len(set(kept.draws)) == 5
    assert (np.diff(kept.distance) >= 0).all()
    number = kept.number("capecitabine:chemo_kill")
    assert number["low"] <= number["value"] <= number["high"]
    assert len(number["members"]) == 5  # type: ignore[arg-type]


def test_all_parameters_of_the_plan_exist() -> None:
    names = [prior.name for prior in calibration_plan().priors()]
    assert len(names) == len(set(names))
    for name in names:
        assert quantity_of(name).value > 0
    with pytest.raises(DataError, match="'tumour:nothing' is no number"):
        quantity_of("tumour:nothing")


def test_members_are_those_of_the_calibration() -> None:
    draws = ensemble().draws
    assert len(draws) == len(set(draws))
    for prior in calibration_plan().priors():
        name, _, part = prior.name.partition(".")
        quantity = quantity_of(name)
        values = quantity.spread_members if part else quantity.members
        assert len(values) == len(draws), prior.name
        middle = quantity.spread if part else quantity.value
        # Written with four figures.
        assert np.median(values) == pytest.approx(middle, rel=1e-3)
