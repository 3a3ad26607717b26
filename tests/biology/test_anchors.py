"""Anchors and predictions stay apart, and what is calibrated names its anchor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from her2sim.biology.anchors import Anchors, anchors
from her2sim.biology.blood import blood_facts
from her2sim.biology.ensemble import ensemble
from her2sim.biology.heart import heart_facts
from her2sim.biology.tumour_profile import tumour_facts
from her2sim.biology.tumour_type import described_types
from her2sim.calibration.plan import calibration_plan
from her2sim.drug_names import drug_names
from her2sim.drugs.mechanism import load_mechanism
from her2sim.drugs.toxicity import load_toxicity
from her2sim.facts import UncertainQuantity

FILES = (
    ("tumour", tumour_facts()), ("heart", heart_facts()), ("blood", blood_facts()),
    *described_types().items(),
)  # fmt: skip


def quantities() -> Iterator[tuple[str, UncertainQuantity]]:
    """Every number of tumours, hearts, mechanisms and toxicities, by owner and name."""
    for owner, facts in FILES:
        for name, quantity in facts.parameter.items():
            yield f"{owner}:{name}", quantity
    for drug in drug_names():
        mechanism, toxicity = load_mechanism(drug), load_toxicity(drug)
        if mechanism is None or mechanism.drug != drug:
            continue
        other = load_mechanism(mechanism.like) if mechanism.like else None
        taken = {} if other is None else other.parameter
        for name, quantity in mechanism.parameter.items():
            if taken.get(name) is not quantity:
                yield f"{drug}:{name}", quantity
        if toxicity.heart is not None:
            yield f"{drug}:heart.weight", toxicity.heart.weight
        for name in type(toxicity.lung).model_fields if toxicity.lung is not None else ():
            yield f"{drug}:lung.{name}", getattr(toxicity.lung, name)
        for line, known in toxicity.blood.items():
            for name in type(known).model_fields:
                if getattr(known, name) is not None:
                    yield f"{drug}:blood.{line}.{name}", getattr(known, name)


def calibrated() -> set[str]:
    return {name for name, quantity in quantities() if quantity.status == "calibrated"}


def fitted() -> set[str]:
    """Parameters of the calibration on trials, without what is said of their spread."""
    plans = [calibration_plan("metastatic", one) for one in ("breast", *described_types())]
    names = {row.name for plan in plans for row in (*plan.parameter, *plan.tied)}
    return {name.removesuffix(".spread") for name in names}


def test_every_calibrated_parameter_has_its_anchor_and_no_other() -> None:
    assert calibrated() == set(anchors().parameters()) | fitted()
    assert not set(anchors().parameters()) & fitted()


def test_every_member_has_its_value_of_what_was_fitted() -> None:
    n = len(ensemble().draws)
    for name, quantity in quantities():
        for values in (quantity.members, quantity.spread_members):
            assert len(values) in (0, n), name
        if name in fitted():
            assert quantity.members or quantity.spread_members, name


def test_a_prediction_is_never_an_anchor() -> None:
    listed = anchors()
    assert not {a.trial for a in listed.anchor} & set(listed.predictions)
    used = listed.model_dump()
    used["anchor"][0]["trial"] = "HER2CLIMB"
    with pytest.raises(ValueError, match="HER2CLIMB: a prediction cannot be an anchor"):
        Anchors.model_validate(used)


def test_no_source_of_a_parameter_is_a_prediction() -> None:
    predictions = [name.casefold() for name in anchors().predictions]
    texts = [s.citation for s in anchors().sources.values()]
    for _, facts in FILES:
        texts += [s.citation for s in facts.sources.values()]
    for drug in drug_names():
        mechanism = load_mechanism(drug)
        texts += [s.citation for s in mechanism.sources.values()] if mechanism else []
        texts += [s.citation for s in load_toxicity(drug).sources.values()]
    assert len(texts) > 10
    assert not [text for text in texts for name in predictions if name in text.casefold()]
