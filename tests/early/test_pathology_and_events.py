"""Pathology, first events and the endpoints of STEEP."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.biology.early_disease import draw_early_tumours, node_class
from her2sim.biology.virtual_cohort import draw_virtual_cohort
from her2sim.early.events import COUNTS, after_surgery, event_days, first_events
from her2sim.early.pathology import examine
from her2sim.patients.cohort import draw_cohort
from her2sim.patients.population import load_population
from her2sim.trials.competing import aalen_johansen

N = 3000


@pytest.fixture(scope="module")
def early():  # type: ignore[no-untyped-def]
    """Early disease of some patients."""
    cohort = draw_cohort(load_population("ebc-neoadjuvant"), np.arange(N), 1)
    return draw_early_tumours(draw_virtual_cohort(cohort))


def test_pathology_misses_as_often_as_its_law_says(early) -> None:  # type: ignore[no-untyped-def]
    """At the limit one in e specimens is missed; three standard errors of 3,000 draws."""
    limit = early.value("missed_log_cells")
    found = examine(early, limit)
    share = found.no_residue_breast.mean()
    assert share == pytest.approx(np.exp(-1), abs=3 * np.sqrt(0.37 * 0.63 / N))


def test_response_in_breast_and_nodes_needs_that_in_the_breast(early) -> None:  # type: ignore[no-untyped-def]
    """Nobody responds in both and not in the breast; without nodes both are the same."""
    found = examine(early, early.value("missed_log_cells") - 1.0)
    assert not (found.no_residue & ~found.no_residue_breast).any()
    free = ~early.has_nodes
    assert (found.no_residue == found.no_residue_breast)[free].all()
    assert (found.burden[found.no_residue] == 0).all()
    assert (found.burden[~found.no_residue] > 0).all()


def test_a_large_rest_is_never_missed(early) -> None:  # type: ignore[no-untyped-def]
    """An untreated tumour is seen in everybody."""
    assert not examine(early, early.log_primary).no_residue_breast.any()


def test_more_nodes_and_larger_tumours_spread_more_often(early) -> None:  # type: ignore[no-untyped-def]
    """Hidden spread goes with nodes and size, as in every trial."""
    spread = np.isfinite(early.log_occult)
    nodes = node_class(early.people.cohort.covariates["positive_nodes"])
    shares = [spread[nodes == k].mean() for k in range(3)]
    assert shares == sorted(shares)
    large = early.log_primary > np.median(early.log_primary)
    assert spread[large].mean() > spread[~large].mean()


def test_endpoints_count_what_steep_says() -> None:
    """A patient with a second cancer first, then a relapse, then death."""
    columns = {
        "relapse_day": np.array([500.0]), "site": np.array(["distant"]),
        "contralateral_day": np.array([np.inf]), "other_cancer_day": np.array([300.0]),
        "death_day": np.array([900.0]),
    }  # fmt: skip
    expected = {
        "DFS": 300.0, "iDFS": 300.0, "EFS": 300.0, "RFS": 500.0, "DRFS": 500.0, "BCFI": 500.0,
        "RFI": 500.0, "OS": 900.0,
    }  # fmt: skip
    assert {name: event_days(columns, name)[0][0] for name in COUNTS} == expected
    day, cause = first_events(columns)
    assert (day[0], cause[0]) == (300.0, 4)


def test_a_local_relapse_is_no_distant_one() -> None:
    """Distant recurrence-free survival waits for death."""
    columns = {
        "relapse_day": np.array([500.0]), "site": np.array(["local"]),
        "contralateral_day": np.array([np.inf]), "other_cancer_day": np.array([np.inf]),
        "death_day": np.array([900.0]),
    }  # fmt: skip
    assert event_days(columns, "DRFS")[0][0] == 900.0
    assert event_days(columns, "RFI")[0][0] == 500.0


def test_nobody_dies_before_and_relapses_after(early) -> None:  # type: ignore[no-untyped-def]
    """A relapse after death is none; death of a relapse comes after it."""
    relapse = np.where(np.arange(N) % 3 == 0, np.inf, np.linspace(10, 20000, N))
    found = after_surgery(early, relapse, np.ones(N, dtype=bool), 0.0)
    days, death = found["relapse_day"], found["death_day"]
    finite = np.isfinite(days)
    assert (death[finite] >= days[finite]).all()
    assert np.isinf(days[np.arange(N) % 3 == 0]).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cumulative_incidence_agrees_with_lifelines(seed: int) -> None:
    """Aalen and Johansen, three causes, censoring, no ties."""
    from lifelines import AalenJohansenFitter

    random = np.random.default_rng(seed)
    time = random.exponential(60, 400)
    cause = random.integers(-1, 3, 400)
    mine = aalen_johansen(time, cause, 3)
    for k in range(3):
        theirs = AalenJohansenFitter(calculate_variance=False).fit(
            time, np.where(cause < 0, 0, cause + 1), event_of_interest=k + 1
        )
        curve = theirs.cumulative_density_
        for month in (12.0, 36.0, 90.0):
            assert mine.at(month)[k] == pytest.approx(
                float(curve.loc[:month].iloc[-1, 0]), abs=1e-9
            )


def test_incidences_and_survival_add_up_to_one() -> None:
    """Everybody is without an event or had one, also with late entry."""
    from her2sim.trials.survival import kaplan_meier

    random = np.random.default_rng(5)
    entry = random.uniform(0, 10, 500)
    time = entry + random.exponential(40, 500)
    cause = random.integers(-1, 4, 500)
    found = aalen_johansen(time, cause, 4, entry)
    curve = kaplan_meier(time, cause >= 0, entry)
    for month in (15.0, 30.0, 60.0):
        assert found.at(month).sum() + float(curve.at(month)) == pytest.approx(1.0, abs=1e-12)
