"""What goes in is there or has left; doses add up; their order at one instant does not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2sim.course import load_treatment
from her2sim.drugs.drug import load_pk
from her2sim.drugs.pk import reference_covariates
from her2sim.engine.advance import advance
from her2sim.engine.schedule import Action, schedule_from_rows
from her2sim.engine.trajectories import Request, Tolerance
from her2sim.models.structures import structure
from her2sim.regimens.rows import PlannedDose, dose_rows

MODEL = structure("two_compartment_absorption").model
VALUES = {"cl": 0.2, "vc": 3.0, "q": 0.5, "vp": 2.5, "ka": 0.37}
PARAMETERS = np.array([[VALUES[p]] for p in MODEL.parameters])
END = 80.0
TIGHT = Tolerance(1e-11, 1e-9)

starts = st.integers(0, 60 * 24).map(lambda hours: hours / 24)
amounts = st.sampled_from([10.0, 150.0, 600.0])


@st.composite
def doses(draw: st.DrawFn) -> PlannedDose:
    """A bolus or an infusion of up to 20 days into the depot or the central compartment."""
    target = MODEL.index("states", draw(st.sampled_from(["depot", "central"])))
    start, amount = draw(starts), draw(amounts)
    hours = draw(st.sampled_from([0, 1, 30, 480]))
    if not hours:
        return PlannedDose(target, start, amount)
    return PlannedDose(target, start, amount, amount / (hours / 24), start + hours / 24)


def final_states(planned: list[PlannedDose]) -> np.ndarray:
    rows = [*dose_rows(planned), (END, Action.STOP, 0, 0.0)]
    rows = [r for r in rows if r[0] <= END]
    return advance(MODEL, Request(PARAMETERS, schedule_from_rows([rows])), TIGHT).states[:, 0]


def amount_given(dose: PlannedDose) -> float:
    if not dose.is_infusion:
        return dose.amount
    return dose.rate_per_day * (min(dose.end_day, END) - dose.start_day)


@settings(max_examples=60, deadline=None)
@given(st.lists(doses(), min_size=1, max_size=8))
def test_mass_balance_of_overlapping_doses(planned: list[PlannedDose]) -> None:
    states = dict(zip(MODEL.states, final_states(planned), strict=True))
    there = states["depot"] + states["central"] + states["peripheral"]
    left = VALUES["cl"] * states["auc"]
    assert there + left == pytest.approx(sum(map(amount_given, planned)), rel=1e-8)


@settings(max_examples=30, deadline=None)
@given(st.lists(doses(), min_size=1, max_size=4), st.lists(doses(), min_size=1, max_size=4))
def test_superposition(one: list[PlannedDose], other: list[PlannedDose]) -> None:
    together = final_states([*one, *other])
    assert final_states(one) + final_states(other) == pytest.approx(together, rel=1e-7, abs=1e-7)


@settings(max_examples=30, deadline=None)
@given(st.lists(doses(), min_size=2, max_size=6), st.randoms())
def test_simultaneous_doses_commute(planned: list[PlannedDose], random) -> None:
    at_once = [
        PlannedDose(d.target, 5.0, d.amount, d.rate_per_day, 5.0 + (d.end_day - d.start_day))
        for d in planned
    ]
    shuffled = at_once.copy()
    random.shuffle(shuffled)
    # Rates are summed in another order, so the last bits may differ.
    assert final_states(shuffled) == pytest.approx(final_states(at_once), rel=1e-10, abs=1e-9)


def test_rates_are_exactly_zero_when_all_infusions_have_ended() -> None:
    planned = [
        PlannedDose(0, 0.0, 10.0, 10.0 / 0.3, 0.3),
        PlannedDose(0, 0.1, 7.0, 7.0 / 0.7, 0.8),
        PlannedDose(0, 0.2, 1.0, 1.0 / 0.1, 0.30000000000000004),
    ]
    assert dose_rows(planned)[-1] == (0.8, Action.INFUSION, 0, 0.0)


def test_a_drug_that_has_gone_is_exactly_zero_and_costs_nothing() -> None:
    """Paclitaxel needs thousands of steps while it is there, and none after it has gone."""
    model = structure("three_compartment_saturable").model
    typical = load_treatment("paclitaxel", "q3w").typical(
        reference_covariates(load_pk("paclitaxel")), 1
    )
    parameters = np.array([typical[p] for p in model.parameters])
    rows = [(0.0, Action.BOLUS, model.index("states", "central"), 300.0)]

    def after(days: float) -> tuple[int, dict[str, float]]:
        schedule = schedule_from_rows([[*rows, (days, Action.STOP, 0, 0.0)]])
        found = advance(model, Request(parameters, schedule))
        states = found.states[:, 0]
        return int(found.n_steps[0]), dict(zip(model.states, map(float, states), strict=True))

    steps, early = after(90.0)
    more_steps, late = after(900.0)
    assert all(early[s] == late[s] == 0.0 for s in model.states if s != "auc")
    assert early["auc"] == late["auc"] > 0
    assert steps > 1000
    assert more_steps < steps + 20
