"""Anchors and predictions stay apart, and what is calibrated names its anchor."""

from __future__ import annotations

import pytest

from her2sim.biology.anchors import Anchors, anchors
from her2sim.biology.tumour import OWNER, tumour_facts
from her2sim.drugs.drug import drug_names
from her2sim.drugs.mechanism import load_mechanism


def calibrated() -> set[str]:
    found = {
        f"{OWNER}:{name}"
        for name, quantity in tumour_facts().parameter.items()
        if quantity.status == "calibrated"
    }
    for drug in drug_names():
        mechanism = load_mechanism(drug)
        if mechanism is not None:
            found |= {
                f"{mechanism.drug}:{name}"
                for name, quantity in mechanism.parameter.items()
                if quantity.status == "calibrated"
            }
    return found


def test_every_calibrated_parameter_has_its_anchor_and_no_other() -> None:
    assert calibrated() == set(anchors().parameters())


def test_a_prediction_is_never_an_anchor() -> None:
    listed = anchors()
    assert not {a.trial for a in listed.anchor} & set(listed.predictions)
    used = listed.model_dump()
    used["anchor"][0]["trial"] = "HER2CLIMB"
    with pytest.raises(ValueError, match="HER2CLIMB: a prediction cannot be an anchor"):
        Anchors.model_validate(used)


def test_no_source_of_a_parameter_is_a_prediction() -> None:
    predictions = [name.casefold() for name in anchors().predictions]
    texts = [s.citation for s in tumour_facts().sources.values()]
    for drug in drug_names():
        mechanism = load_mechanism(drug)
        texts += [s.citation for s in mechanism.sources.values()] if mechanism else []
    assert len(texts) > 10
    assert not [text for text in texts for name in predictions if name in text.casefold()]
