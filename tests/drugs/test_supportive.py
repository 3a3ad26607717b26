"""Measures against adverse events act where figures exist, and what is not known is refused."""

from __future__ import annotations

import numpy as np
import pytest

import her2sim as h2
from her2sim.biology.virtual_cohort import draw_virtual_cohort
from her2sim.drugs.supportive import graded_events, require_known, supportive_care, taken
from her2sim.drugs.toxicity import load_toxicity
from her2sim.errors import DataError
from her2sim.patients.population import load_population
from her2sim.pk.combination import load_combination
from her2sim.pk.exposure_run import cohort_chunks
from her2sim.trials.trial import Arm
from her2sim.virtual_patient.composition import virtual_patient
from her2sim.virtual_patient.lung_events import LungEvents

N = 400
TOLERANCE_POINTS = 9.0
"""Three standard errors of a share of 400 patients near a half are 7.5 points."""


def share(regimen: str, event: str, *given_with: str, weeks: float = 12) -> float:
    """Per cent of patients with an adverse event."""
    found = h2.treat(regimen, n=N, weeks=weeks, seed=3, given_with=given_with)
    frame = found.frame()
    return float(frame.filter(frame["name"] == event)["value"][0])


def test_each_measure_acts_on_an_event_that_its_drugs_have() -> None:
    for measure in supportive_care().measure:
        assert measure.source
        for drug in measure.drugs:
            assert taken([measure.id], [drug], measure.against) == (measure,)
            own = load_toxicity(drug)
            events = {event.name for event in own.graded}
            has = {"ild": own.lung is not None, "febrile_neutropenia": bool(own.blood)}
            assert has.get(measure.against, measure.against in events)


@pytest.mark.parametrize(
    ("drug", "measure", "event", "expected", "days"),
    [
        ("trastuzumab", "dexamethasone", "infusion_reaction", 0.40 * 0.254, 1.0),
        ("trastuzumab-deruxtecan", "olanzapine", "nausea", 0.683 * 0.772, 3.5),
        ("neratinib", "loperamide and budesonide", "diarrhoea", 55 / 64, 3.0),
        ("neratinib", "loperamide and colestipol", "diarrhoea", 113 / 136, 4.0),
        ("neratinib", "colestipol", "diarrhoea", 99 / 104, 2.0),
    ],
)
def test_shares_and_days_are_the_published_ones(drug, measure, event, expected, days) -> None:
    found = next(e for e in graded_events(drug, [measure]) if e.name == event)
    # Shares of grades are printed in whole per cents.
    assert sum(found.worst) == pytest.approx(expected, abs=0.012)
    assert found.duration_day == pytest.approx(days)


def test_the_subcutaneous_form_has_no_infusion() -> None:
    assert "infusion_reaction" in {e.name for e in graded_events("trastuzumab", ())}
    assert "infusion_reaction" not in {e.name for e in graded_events("trastuzumab-sc", ())}


@pytest.mark.parametrize(
    ("given_with", "drugs", "words"),
    [
        (["olanzapine"], ["trastuzumab"], "it is known with trastuzumab-deruxtecan"),
        (["pegfilgrastin"], ["docetaxel"], "did you mean 'pegfilgrastim'"),
        (["carvedilol"], ["trastuzumab"], "fewer falls of the LVEF after an anthracycline"),
        (["steroids", "tea"], ["lapatinib"], "nothing is known of tea"),
        (["loperamide"], ["tucatinib"], "it is known with neratinib"),
        ([""], ["trastuzumab"], "nothing is known of ;"),
        (["loperamide", "loperamide"], ["neratinib"], "loperamide is named twice"),
        (["loperamide", "colestipol"], ["neratinib"], "one or the other: name one"),
        (["dose escalation", "loperamide"], ["neratinib"], "one or the other: name one"),
    ],
)
def test_what_is_not_known_is_refused(given_with, drugs, words: str) -> None:
    with pytest.raises(DataError) as refused:
        require_known(given_with, drugs)
    assert words in str(refused.value)


def test_an_arm_of_a_trial_names_known_measures_only() -> None:
    told = {
        "id": "a", "title": "T-DXd", "regimen": [{"name": "trastuzumab-deruxtecan-alone"}],
        "status": "assumed", "reason": "a test",
    }  # fmt: skip
    assert Arm.model_validate(told | {"given_with": ["olanzapine"]}).given_with == ("olanzapine",)
    with pytest.raises(ValueError, match="given_with: nothing is known of loperamide"):
        Arm.model_validate(told | {"given_with": ["loperamide"]})


def test_fever_is_rarer_with_pegfilgrastim_and_reactions_with_dexamethasone() -> None:
    """By the ratios of the trials: 1 against 17 %, and 24 against 60 %."""
    regimen = "trastuzumab + docetaxel/q3w-100"
    before = {e: share(regimen, e) for e in ("febrile neutropenia", "infusion reaction, any grade")}
    after = {
        "febrile neutropenia": share(regimen, "febrile neutropenia", "pegfilgrastim"),
        "infusion reaction, any grade": share(
            regimen, "infusion reaction, any grade", "dexamethasone"
        ),
    }
    assert before["febrile neutropenia"] > 10
    assert after["febrile neutropenia"] < 0.2 * before["febrile neutropenia"]
    expected = 0.4 * before["infusion reaction, any grade"]
    assert after["infusion reaction, any grade"] == pytest.approx(expected, abs=TOLERANCE_POINTS)


def test_lung_disease_is_over_sooner_with_steroids() -> None:
    """29 against 82 days: grade by grade the same patients, for about a third of the time."""
    cohort = next(cohort_chunks(load_population("mbc"), 50, 9, 50))
    people = draw_virtual_cohort(cohort)
    whole = virtual_patient(load_combination("T-DXd").treatments, organs=("lung",))
    who, onset = np.arange(50), np.full(50, 10.0)
    usual, treated = (LungEvents(whole, people, taken) for taken in ((), ("steroids",)))
    assert (usual.worst() == treated.worst()).all()
    last = usual.known.duration.to("day") + 10.0
    for day, is_on in ((10.0, True), (10.0 + 0.35 * (last - 10), True), (last - 1, False)):
        shown = treated.grade(onset, who, np.full(50, day))
        assert (shown > 0).all() == is_on
        assert (usual.grade(onset, who, np.full(50, day)) > 0).all()
