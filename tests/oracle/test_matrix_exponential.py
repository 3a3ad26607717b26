"""Linear models against their exact solution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from her2sim.engine.advance import advance
from her2sim.engine.schedule import Action, schedule_from_rows
from her2sim.engine.trajectories import Request
from her2sim.models.structures import structure


@pytest.mark.parametrize(
    ("ka", "close"),
    [
        (0.37, 1e-12),
        # The absorption rate constant equals a disposition rate constant: modes coincide, and are
        # held apart by 1e-8, which costs some digits.
        (0.4, 1e-7),
    ],
)
def test_two_compartments_with_infusion_and_absorption(ka: float, close: float) -> None:
    model = structure("two_compartment_absorption").model
    values = {"cl": 0.2, "vc": 3.0, "q": 0.5, "vp": 2.5, "ka": ka}
    order = ["depot", "central", "peripheral", "auc"]
    k10, k12, k21 = 0.2 / 3.0, 0.5 / 3.0, 0.5 / 2.5
    matrix = np.array(
        [
            [-ka, 0, 0, 0],
            [ka, -k10 - k12, k21, 0],
            [0, k12, -k21, 0],
            [0, 1 / 3.0, 0, 0],
        ]
    )
    central, depot = (model.index("states", s) for s in ("central", "depot"))
    rows = [
        (0.0, Action.BOLUS, depot, 600.0),
        (1.0, Action.INFUSION, central, 240.0),
        (3.5, Action.INFUSION, central, 0.0),
        (30.0, Action.STOP, 0, 0.0),
    ]
    request = Request(np.array([[values[p]] for p in model.parameters]), schedule_from_rows([rows]))
    found = advance(model, request).states[:, 0]

    def flow(y: np.ndarray, days: float, rate: float) -> np.ndarray:
        """Exact solution with a constant infusion, from the exponential of a wider matrix."""
        wide = np.zeros((5, 5))
        wide[:4, :4] = matrix
        wide[1, 4] = rate
        return (expm(wide * days) @ np.append(y, 1.0))[:4]

    exact = flow(np.array([600.0, 0, 0, 0]), 1.0, 0.0)
    exact = flow(flow(exact, 2.5, 240.0), 26.5, 0.0)
    wanted = [exact[order.index(s)] for s in model.states]
    assert found == pytest.approx(wanted, rel=close)
