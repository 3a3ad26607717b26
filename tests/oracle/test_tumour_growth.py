"""A tumour that grows and shrinks (Claret) against NONMEM's numbers and the closed form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from her2sim.engine.advance import advance
from her2sim.engine.functions import exp, log
from her2sim.engine.model import Model, Part, Symbol, compose
from her2sim.engine.schedule import Action, Row, schedule_from_rows
from her2sim.engine.trajectories import Request

GROWTH, KILL, FADING, START = 0.6, 0.4, 0.8, 70.0
REGISTER = {
    "size": Symbol("size", "state", "1", "size of the tumour"),
    "clock": Symbol("clock", "state", "1", "time in units of time"),
    "growth": Symbol("growth", "parameter", "1/day", "rate of growth"),
    "kill": Symbol("kill", "parameter", "1/day", "rate of shrinkage at the start"),
    "fading": Symbol("fading", "parameter", "1", "how fast the effect fades"),
    "dose": Symbol("dose", "parameter", "1", "dose"),
    "per_day": Symbol("per_day", "parameter", "1/day", "one"),
    "shown": Symbol("shown", "output", "1", "size of the tumour"),
}


def claret(size, clock, growth, kill, fading, dose, per_day):
    shrinkage = kill * exp(-fading * clock) * log(dose)
    rates = {"size": growth * size - shrinkage * size, "clock": per_day}
    return Part(rates=rates, outputs={"shown": size})


def sizes(model: Model, time: np.ndarray, dose: np.ndarray) -> np.ndarray:
    """Sizes at records; each dose holds backwards to the record before, as in NONMEM."""
    at = model.index("parameters", "dose")
    rows: list[Row] = []
    for k, day in enumerate(time):
        rows.append((float(day), Action.READING, k, 0.0))
        if k + 1 < time.size:
            rows.append((float(day), Action.PARAMETER, at, float(dose[k + 1])))
    values = {"growth": GROWTH, "kill": KILL, "fading": FADING, "dose": dose[0], "per_day": 1.0}
    parameters = np.array([[values[name]] for name in model.parameters])
    start = np.array([[START if name == "size" else 0.0] for name in model.states])
    request = Request(parameters, schedule_from_rows([rows]), states=start)
    return advance(model, request).readings[0, :, 0]


@pytest.fixture(scope="module")
def model() -> Model:
    return compose("claret", [claret], REGISTER)


def test_constant_dose_has_the_closed_form(model: Model) -> None:
    time = np.linspace(0, 3, 16)
    decay = KILL * np.log(10.0) / FADING * (1 - np.exp(-FADING * time))
    exact = START * np.exp(GROWTH * time - decay)
    assert sizes(model, time, np.full(16, 10.0)) == pytest.approx(exact, rel=1e-7)


def test_nonmem_cases(model: Model, event_cases: Path) -> None:
    table = pl.read_csv(event_cases / "claret_tgi_nonmem.csv")
    cases = table.partition_by("CASE", maintain_order=True)
    assert len(cases) > 2
    for case in cases:
        time, dose = case["TIME"].to_numpy(), case["DOSE"].to_numpy()
        expected = case["NONMEM_Y"].to_numpy()
        found = sizes(model, time, dose)
        if case["CASE"][0].endswith("closed_form"):  # as if the dose of the record held from 0 on
            found = np.empty(time.size)
            for constant in np.unique(dose):
                of_record = dose == constant
                found[of_record] = sizes(model, time, np.full(time.size, constant))[of_record]
        # NONMEM prints five significant digits.
        assert found == pytest.approx(expected, rel=1e-4), case["CASE"][0]
