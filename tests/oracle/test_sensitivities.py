"""Derivatives of levels by parameters from the traced equations, against differences."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.engine.advance import advance
from her2sim.engine.schedule import Action, Schedule, schedule_from_blocks
from her2sim.engine.sensitivities import only, places, with_sensitivities
from her2sim.engine.trajectories import Request, Tolerance
from her2sim.errors import DataError
from her2sim.models.structures import structure
from her2sim.regimens.dose_rows import At

USUAL = {
    "cl": 0.4, "v": 4.0, "ka": 0.8, "vc": 3.0, "q": 0.5, "vp": 2.5, "vmax": 8.8, "km": 8.9,
}  # fmt: skip
TIMES = np.array([0.5, 1.0, 3.0, 7.0, 20.9, 22.0, 30.0, 41.0])
STEP = 1e-4
FINE = Tolerance(relative=1e-10, absolute=1e-10)


def given(state: int, n_readings: int = TIMES.size) -> Schedule:
    """Two doses, and readings."""
    two, many = np.zeros(2, dtype=np.int64), np.zeros(TIMES.size, dtype=np.int64)
    doses = np.array([0.0, 21.0]), At.START, Action.BOLUS, np.full(2, state), np.array([400.0, 300])
    readings = TIMES, At.READING, Action.READING, np.arange(TIMES.size), 0.0
    return schedule_from_blocks([(two, *doses), (many, *readings)], 1, n_readings=n_readings)


@pytest.mark.parametrize(
    "name",
    [
        "one_compartment_iv", "one_compartment_oral", "two_compartment_linear",
        "two_compartment_michaelis_menten", "two_compartment_absorption_michaelis_menten",
    ],
)  # fmt: skip
def test_derivatives_are_those_of_differences(name: str) -> None:
    """Linear and saturable models; differences of 1e-4 are right to about 1e-8."""
    built = structure(name)
    model = built.model
    both = with_sensitivities(model, tuple((p, (p,)) for p in model.parameters), ("conc",))
    parameters = np.array([[USUAL[p]] for p in model.parameters])
    schedule = given(model.index("states", built.compartments[0]))
    conc = model.index("outputs", "conc")

    def levels(values: np.ndarray) -> np.ndarray:
        return advance(model, Request(values, schedule), FINE).readings[0][:, conc]

    found = advance(both, Request(parameters, schedule), FINE).readings[0]
    found = found[:, places(both, "conc", model.parameters)]
    assert found[:, 0] == pytest.approx(levels(parameters), rel=1e-8)
    for k in range(len(model.parameters)):
        moved = np.where(np.arange(len(model.parameters))[:, None] == k, STEP, 0.0)
        up, down = levels(parameters * np.exp(moved)), levels(parameters * np.exp(-moved))
        wanted = (up - down) / (2 * STEP)
        assert found[:, 1 + k] == pytest.approx(wanted, rel=1e-5, abs=1e-6 * np.abs(wanted).max())


def test_a_reading_beyond_those_that_are_counted_is_refused() -> None:
    """It would be written beyond the results."""
    built = structure("one_compartment_iv")
    schedule = given(built.model.index("states", built.compartments[0]), n_readings=3)
    parameters = np.array([[USUAL[p]] for p in built.model.parameters])
    with pytest.raises(DataError, match="a reading or cycle beyond"):
        advance(built.model, Request(parameters, schedule))


def test_a_direction_moves_several_parameters() -> None:
    """A shared effect: the sum of the derivatives; one of nothing stays at zero."""
    built = structure("two_compartment_absorption")
    model = built.model
    alone = with_sensitivities(model, (("cl", ("cl",)), ("q", ("q",))), ("conc",))
    shared = with_sensitivities(model, (("both", ("cl", "q")), ("none", ())), ("conc",))
    parameters = np.array([[USUAL[p]] for p in model.parameters])
    schedule = given(model.index("states", built.compartments[0]))
    first = advance(alone, Request(parameters, schedule), FINE).readings[0]
    second = advance(shared, Request(parameters, schedule), FINE).readings[0]
    wanted = first[:, places(alone, "conc", ["cl", "q"])][:, 1:].sum(axis=1)
    found = second[:, places(shared, "conc", ["both", "none"])]
    assert found[:, 1] == pytest.approx(wanted, rel=1e-6, abs=1e-9)
    assert (found[:, 2] == 0).all()


def test_what_an_output_does_not_need_is_left_out() -> None:
    """The area and the payload are no part of a conjugate's level, which stays what it was."""
    model = structure("two_compartment_payload").model
    light = only(model, ("conc",))
    assert light.states == ("central", "peripheral")
    usual = {**USUAL, "krel": 0.4, "cl_payload": 460.0, "v_payload": 17.0, "payload_fraction": 0.02}
    parameters = np.array([[usual[p]] for p in model.parameters])
    found = advance(light, Request(parameters, given(0)), FINE).readings[0, :, 0]
    whole = advance(model, Request(parameters, given(model.index("states", "central"))), FINE)
    wanted = whole.readings[0, :, model.index("outputs", "conc")]
    assert found == pytest.approx(wanted, rel=1e-8)
