"""Tumours of patients: pace and kill go together, and stay with their patient."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.biology.ensemble import Members, member_value
from her2sim.biology.tumour_profile import TumourProfile, tumour_facts
from her2sim.biology.virtual_cohort import VirtualCohort, draw_virtual_cohort
from her2sim.patients.population import load_population
from her2sim.pk.combination import load_combination
from her2sim.pk.exposure_run import cohort_chunks
from her2sim.virtual_patient.composition import virtual_patient

N = 400
POWER = "kill_with_growth"


@pytest.fixture(scope="module")
def people() -> VirtualCohort:
    """Patients of twenty members."""
    cohort = next(cohort_chunks(load_population("mbc"), N, 3, N))
    return draw_virtual_cohort(cohort, members=Members(1 + np.arange(N) % 20))


def test_kill_follows_a_power_of_the_pace(people: VirtualCohort) -> None:
    facts = tumour_facts().parameter
    growth = member_value("tumour:growth", facts["growth"], people.members)
    power = member_value(f"tumour:{POWER}", facts[POWER], people.members)
    pace = people.tumours.parameters["growth"] / growth
    assert people.tumours.kill_factor == pytest.approx(pace**power)
    # Half of the tumours are faster than typical, and killed faster: within 4 SD of chance.
    assert abs((people.tumours.kill_factor > 1).mean() - 0.5) < 4 * 0.5 / np.sqrt(N)


@pytest.mark.parametrize(
    ("drug", "kill"),
    [("docetaxel", "chemo_kill_docetaxel"), ("T-DM1", "kmax_trastuzumab_emtansine")],
)
def test_fast_tumours_are_killed_faster_by_every_cytotoxic(
    people: VirtualCohort, drug: str, kill: str
) -> None:
    whole = virtual_patient(load_combination(drug).treatments, organs=())
    values = dict(zip(whole.model.parameters, whole.parameters(people), strict=True))
    fast = people.tumours.kill_factor > 1
    assert np.median(values[kill][fast]) > np.median(values[kill][~fast])


def drawn(**known: object) -> VirtualCohort:
    """The same patients of the typical member, with what is told of them."""
    cohort = next(cohort_chunks(load_population("mbc"), N, 3, N))
    return draw_virtual_cohort(cohort, TumourProfile(**known))  # type: ignore[arg-type]


def test_a_tumour_without_amplification_is_not_addicted() -> None:
    """Trastuzumab adds nothing there, whatever the score (NSABP B-47)."""
    without = drawn(ihc="2+", is_amplified=False).tumours
    assert (without.parameters["own_growth_s"] == 1).all()
    assert (drawn(ihc="2+").tumours.parameters["own_growth_s"] < 1).all()
    assert not without.traits["is_heterogeneous"].any()


def test_growth_without_amplification_follows_the_doubling_times_of_subtypes() -> None:
    """162 days with amplification, 241 with hormone receptors, 103 with neither (Ryu 2014)."""
    amplified = drawn().tumours.parameters["growth"]
    for is_positive, day in ((True, 241), (False, 103)):
        told = drawn(ihc="1+", is_er_positive=is_positive).tumours
        slow = amplified < 0.6 * tumour_facts().parameter["growth_fastest"].value
        ratio = told.parameters["growth"] / amplified
        assert ratio[slow] == pytest.approx(162 / day, rel=1e-3)  # three digits in the fact file


def test_it_stays_with_its_patient(people: VirtualCohort) -> None:
    rows = np.array([5, 3, 5])
    taken = people.take(rows)
    assert taken.tumours.kill_factor.tolist() == people.tumours.kill_factor[rows].tolist()
    both = taken.beside(people)
    assert both.tumours.kill_factor[:3].tolist() == taken.tumours.kill_factor.tolist()
