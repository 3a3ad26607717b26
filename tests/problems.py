"""Problems that several tests solve."""

from __future__ import annotations

import numpy as np

from her2sim.engine.model import Model
from her2sim.engine.schedule import Action, Row, shared_schedule
from her2sim.engine.trajectories import Request
from her2sim.models.structures import structure

TYPICAL = {"cl": 0.127, "vc": 2.62, "q": 0.544, "vp": 2.97, "vmax": 8.81, "km": 8.92, "ka": 0.404}
TYPICAL |= {"q2": 0.3, "vp2": 20.0, "vmtr": 90.0, "kmtr": 30.0, "k21": 0.5}
TYPICAL |= {"krel": 0.4, "payload_fraction": 0.02, "cl_payload": 400.0, "v_payload": 30.0}
TYPICAL |= {"cl_dfcr": 0.05, "k_dfur": 1.1, "k_fu": 0.7, "k_fu_out": 3.0, "v_metabolite": 1.0}
TYPICAL |= {"mass_dfcr": 0.68, "mass_dfur": 0.69, "mass_fu": 0.36}
SPREAD = {"cl": 0.4, "vc": 0.25, "q": 0.2, "vp": 0.4, "vmax": 0.2, "km": 0.4, "ka": 0.2}


def trastuzumab_model() -> Model:
    return structure("two_compartment_michaelis_menten").model


def random_parameters(model: Model, n: int, seed: int = 1) -> np.ndarray:
    """Log-normal parameters, shape (n_parameters, n)."""
    rng = np.random.default_rng(seed)
    return np.array(
        [TYPICAL[p] * np.exp(SPREAD[p] * rng.standard_normal(n)) for p in model.parameters]
    )


def random_weights(n: int, seed: int = 1) -> np.ndarray:
    return np.clip(np.random.default_rng(seed + 1000).normal(70, 15, n), 35, 130)


def trastuzumab_rows(model: Model, n_cycles: int = 18) -> list[Row]:
    """8, then 6 mg/kg every 21 days over 90, then 30 min; values per kg."""
    central, rows = model.index("states", "central"), []
    for k in range(n_cycles):
        start, length = 21.0 * k, (90 if k == 0 else 30) / 1440
        if k:
            rows.append((start, Action.CYCLE, k - 1, 0.0))
        rate = (8.0 if k == 0 else 6.0) / length
        rows.append((start, Action.INFUSION, central, rate))
        rows.append((start + length, Action.INFUSION, central, 0.0))
    return [*rows, (21.0 * n_cycles, Action.CYCLE, n_cycles - 1, 0.0)]


def trastuzumab_year(n: int, n_cycles: int = 18, seed: int = 1, **options: object) -> Request:
    """Problem A: ``n`` random patients, daily grid."""
    model = trastuzumab_model()
    scale = np.ones((len(model.states), n))
    scale[model.index("states", "central")] = random_weights(n, seed)
    wishes = {"grid_day": np.arange(0.0, 21.0 * n_cycles + 1)} | options
    schedule = shared_schedule(trastuzumab_rows(model, n_cycles), n)
    return Request(random_parameters(model, n, seed), schedule, scale, **wishes)
