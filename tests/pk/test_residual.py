"""Residual error is in simulated observations, has the published size, and is nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest

import her2sim as h2
from her2sim.drugs.drug import load_pk
from her2sim.errors import DataError
from her2sim.pk.residual import simulated_observations

N = 20_000
EVENTS = "ID,TIME,AMT,RATE,EVID,CMT,DV\n"


def scores(drug: str, level: float) -> np.ndarray:
    """Simulated errors over the published SD; each subject is observed twice."""
    pk, subject = load_pk(drug), np.repeat(np.arange(N // 2), 2)
    found = simulated_observations(pk, np.full(N, level), subject, 7)
    error = pk.residual
    if error.log_sd is not None:
        return np.log(found / level) / error.log_sd.value
    relative = 0.0 if error.proportional_sd is None else error.proportional_sd.value
    absolute = 0.0 if error.additive_sd is None else error.additive_sd.to(pk.concentration_unit)
    return (found - level) / np.hypot(relative * level, absolute)


@pytest.mark.parametrize(
    ("drug", "level"),
    [("trastuzumab", 40.0), ("pertuzumab", 60.0), ("docetaxel", 1000.0), ("trastuzumab-sc", 70.0)],
)
def test_the_error_has_the_published_size(drug: str, level: float) -> None:
    """Kolmogorov-Smirnov against the normal: 20,000 draws tell an SD that is 10 % off."""
    assert kstest(scores(drug, level), "norm").pvalue > 0.001
    assert kstest(1.1 * scores(drug, level), "norm").pvalue < 0.001


def test_an_observation_does_not_depend_on_company() -> None:
    pk = load_pk("trastuzumab")
    subject = np.array([0, 1, 0, 2, 1, 0])
    level = np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0])
    every = simulated_observations(pk, level, subject, 3)
    assert np.unique(every).size == 6
    own = subject == 1
    alone = simulated_observations(pk, level[own], subject[own], 3)
    assert (alone == every[own]).all()
    assert (every != simulated_observations(pk, level, subject, 4)).all()


def test_nothing_is_measured_below_zero() -> None:
    pk = load_pk("trastuzumab")
    found = simulated_observations(pk, np.zeros(200), np.arange(200), 1)
    assert found.min() == 0.0
    assert found.max() > 0.0


def test_only_observations_have_it(tmp_path: Path) -> None:
    table = tmp_path / "e.csv"
    table.write_text(EVENTS + "1,0,420,0,1,1,.\n1,24,0,0,0,1,.\n1,504,0,0,0,1,.\n")
    plain, observed = (
        h2.simulate(table, drug="trastuzumab", typical=True, observations=asked, seed=seed).frame()
        for asked, seed in ((False, None), (True, 1))
    )
    assert observed.drop("SIM").equals(plain)
    assert (observed["SIM"] != observed["IPRED"]).all()
    assert (abs(observed["SIM"] / observed["IPRED"] - 1) < 1.5).all()


def test_a_structure_has_none(tmp_path: Path) -> None:
    table = tmp_path / "e.csv"
    table.write_text(EVENTS + "1,0,100,0,1,1,.\n1,24,0,0,0,1,.\n")
    with pytest.raises(DataError, match="simulated observations: belongs to a drug"):
        h2.simulate(
            table, structure="one_compartment_iv", settings=("cl=1", "v=2"), observations=True
        )


def test_a_model_without_one_is_refused() -> None:
    pk = load_pk("trastuzumab")
    bare = pk.model_copy(update={"residual": type(pk.residual)()})
    with pytest.raises(DataError, match="no residual error is known"):
        simulated_observations(bare, np.ones(2), np.arange(2), 1)
