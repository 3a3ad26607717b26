"""What goes in is there or has left; doses add up; their order at one instant does not matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2sim.drugs.drug import load_pk
from her2sim.drugs.pk import reference_covariates
from her2sim.engine.advance import advance
from her2sim.engine.schedule import Action, Schedule, schedule_from_blocks, schedule_from_rows
from her2sim.engine.trajectories import Request, Tolerance
from her2sim.models.structures import structure
from her2sim.pk.treatment import load_treatment
from her2sim.regimens.dose import Dose
from her2sim.regimens.dose_rows import At, dose_blocks, planned_doses

MODEL = structure("two_compartment_absorption").model
VALUES = {"cl": 0.2, "vc": 3.0, "q": 0.5, "vp": 2.5, "ka": 0.37}
PARAMETERS = np.array([[VALUES[p]] for p in MODEL.parameters])
END = 80.0
TIGHT = Tolerance(1e-11, 1e-9)

starts = st.integers(0, 60 * 24).map(lambda hours: hours / 24)
amounts = st.sampled_from([10.0, 150.0, 600.0])


@st.composite
def doses(draw: st.DrawFn) -> Dose:
    """A bolus into the depot, or an infusion of up to 20 days into the central compartment."""
    start, amount = draw(starts), draw(amounts)
    hours = draw(st.sampled_from([0, 1, 30, 480]))
    route = "iv" if hours else draw(st.sampled_from(["sc", "iv"]))
    return Dose("a drug", route, amount, "mg", round(start * 1440), hours * 60)


def state_of(route: str) -> int:
    return MODEL.index("states", "central" if route == "iv" else "depot")


def schedule_of(planned: list[Dose]) -> Schedule:
    stop = (np.zeros(1, dtype=np.int64), END, At.STOP, Action.STOP, 0, 0.0)
    return schedule_from_blocks([*dose_blocks(planned_doses(planned), state_of, 0.0), stop], 1, END)


def final_states(planned: list[Dose]) -> np.ndarray:
    return advance(MODEL, Request(PARAMETERS, schedule_of(planned)), TIGHT).states[:, 0]


def amount_given(dose: Dose) -> float:
    if not dose.duration_min:
        return dose.amount
    share = (min(dose.end_day, END) - dose.time_day) / (dose.end_day - dose.time_day)
    return dose.amount * share


@settings(max_examples=60, deadline=None)
@given(st.lists(doses(), min_size=1, max_size=8))
def test_mass_balance_of_overlapping_doses(planned: list[Dose]) -> None:
    states = dict(zip(MODEL.states, final_states(planned), strict=True))
    there = states["depot"] + states["central"] + states["peripheral"]
    left = VALUES["cl"] * states["auc"]
    assert there + left == pytest.approx(sum(map(amount_given, planned)), rel=1e-8)


@settings(max_examples=30, deadline=None)
@given(st.lists(doses(), min_size=1, max_size=4), st.lists(doses(), min_size=1, max_size=4))
def test_superposition(one: list[Dose], other: list[Dose]) -> None:
    together = final_states([*one, *other])
    assert final_states(one) + final_states(other) == pytest.approx(together, rel=1e-7, abs=1e-7)


@settings(max_examples=30, deadline=None)
@given(st.lists(doses(), min_size=2, max_size=6), st.randoms())
def test_simultaneous_doses_commute(planned: list[Dose], random) -> None:
    at_once = [replace(dose, time_min=5 * 1440) for dose in planned]
    shuffled = at_once.copy()
    random.shuffle(shuffled)
    # Rates are summed in another order, so the last bits may differ.
    assert final_states(shuffled) == pytest.approx(final_states(at_once), rel=1e-10, abs=1e-9)


def test_rates_are_exactly_zero_when_all_infusions_have_ended() -> None:
    planned = [
        Dose("a drug", "iv", amount, "mg", start, minutes)
        for amount, start, minutes in ((10.0, 0, 432), (7.0, 144, 1008), (1.0, 288, 144))
    ]
    rows = [row for row in schedule_of(planned).rows_of(0) if row[1] == Action.INFUSION]
    assert rows[-1][0] == pytest.approx(0.8, rel=1e-15)
    assert rows[-1][1:] == (Action.INFUSION, state_of("iv"), 0.0)


def test_a_drug_that_has_gone_is_exactly_zero_and_costs_nothing() -> None:
    """Paclitaxel needs hundreds of steps while it is there, and none after it has gone."""
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
    assert steps > 100
    assert more_steps < steps + 20
