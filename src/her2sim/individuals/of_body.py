"""Models of a drug's levels with what they do to blood and heart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from her2sim.biology.blood import blood_facts
from her2sim.biology.heart import heart_facts
from her2sim.drugs.toxicity import LINES, Line, load_toxicity
from her2sim.errors import DataError
from her2sim.facts import UncertainQuantity
from her2sim.individuals.of_drug import (
    HEART,
    FittedModel,
    Kind,
    model_of_levels,
    random_effects,
)
from her2sim.individuals.residual_error import ResidualError
from her2sim.individuals.subjects import RandomEffect
from her2sim.models.blood import stages_of
from her2sim.pk.treatment import Treatment
from her2sim.units import convert
from her2sim.virtual_patient.composition import virtual_patient
from her2sim.virtual_patient.drugs import Organ


def models_with(
    treatment: Treatment, tests: Sequence[str], residual_cv: float | None = None,
    after_anthracycline: bool = False,
) -> tuple[FittedModel, ...]:  # fmt: skip
    """Models of the levels of a drug and of tests; one a class of patients.

    Parameters
    ----------
    treatment : the drug
    tests : those of ``TESTS`` that were measured
    residual_cv : share that a measured level lies off, in place of the published error
    after_anthracycline : whether the patient had one, which the heart depends on

    Raises
    ------
    DataError
        If nothing is known of what the drug does to them.
    """
    known = load_toxicity(treatment.drug.id)
    missing = [test for test in tests if test not in known.blood and test != HEART]
    missing += [HEART] if HEART in tests and known.heart is None else []
    if missing:
        raise DataError(
            f"what {treatment.drug.id} does to {', '.join(missing)} is not modelled; leave these "
            "rows out"
        )
    organs: tuple[Organ, ...] = (
        *(("blood",) if set(tests) & set(LINES) else ()),
        *(("heart",) if HEART in tests else ()),
    )
    whole = virtual_patient([treatment], sites=(), organs=organs)
    tag = whole.drugs[0].tag
    pk, suffix, alone = treatment.pk, f"_{tag}", model_of_levels(treatment, residual_cv)
    kinds = [replace(alone.kinds[0], output=f"conc{suffix}")]
    effects, omega = list(random_effects(pk, suffix)), pk.variability.omega()
    numbers: dict[str, float] = {}
    start: dict[str, str | float] = {}
    spreads: list[float] = []
    for line in (line for line in LINES if line in known.blood and "blood" in organs):
        sd = blood_facts().parameter[f"residual_{line}"].value
        if line in tests:
            kinds.append(Kind(line, f"count_{line}", "1/nL", 1.0, ResidualError(log_sd=sd)))
        for name, value, spread in _blood(treatment, line, tag):
            numbers[name] = value
            if spread and line in tests:
                effects.append(RandomEffect(name, (name,)))
                spreads.append(spread)
        start |= dict.fromkeys(stages_of(line), f"base_{line}")
        start[f"pool_{line}"] = 1.0
    if "neutrophils" in known.blood and "blood" in organs:
        numbers |= {n: blood_facts().parameter[n].value for n in ("fever_rate", "fever_level")}
    omega = _joined(omega, np.diag(np.square(spreads)))
    if "heart" in organs:
        facts = heart_facts().parameter
        residual = ResidualError(proportional_sd=facts["residual"].value)
        kinds.append(Kind(HEART, HEART, "%", 1.0, residual))
        numbers |= _heart(treatment, tag, after_anthracycline)
        effects += [RandomEffect(n, (n,)) for n in ("lvef_start", "heart_half")]
        begun = facts["lvef_after_anthracycline" if after_anthracycline else "lvef_before"]
        own = np.array([begun.spread or 0.0, facts["heart_half"].spread or 0.0])
        rho = facts["correlation"].value
        omega = _joined(omega, np.outer(own, own) * np.array([[1, rho], [rho, 1]]))
    numbers |= {n: 1.0 for n in whole.model.parameters if n.startswith(("mass", "payload_mass"))}
    states = set(whole.model.states)
    made = FittedModel(
        treatment, whole.model, tuple(kinds), tuple(effects), omega, suffix, numbers,
        {state: of for state, of in start.items() if state in states}, levels_alone=alone,
    )  # fmt: skip
    return tuple(_classes(made, tests))


def _joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Two covariance matrices of effects that do not depend on each other."""
    k, m = len(first), len(second)
    found = np.zeros((k + m, k + m))
    found[:k, :k], found[k:, k:] = first, second
    return found


def _blood(treatment: Treatment, line: Line, tag: str) -> Iterator[tuple[str, float, float]]:
    """Typical numbers of a cell line and how widely they differ, on the logarithm."""
    known = load_toxicity(treatment.drug.id).blood[line]
    for base in ("base", "maturation", "feedback"):
        quantity: UncertainQuantity = getattr(known, base)
        unit = "day" if base == "maturation" else quantity.unit
        yield f"{base}_{line}", convert(quantity.value, quantity.unit, unit), quantity.spread or 0.0
    yield f"{line}_slope_{tag}", known.slope.value, known.slope.spread or 0.0
    if known.is_lasting and known.lasting_rate is not None and known.lasting_switch is not None:
        yield f"pool_left_{line}", 1.0, 0.0
        yield f"pool_rate_{line}", known.lasting_rate.value, 0.0
        yield f"switch_{tag}", known.lasting_switch.value, 0.0


def _heart(treatment: Treatment, tag: str, after_anthracycline: bool) -> dict[str, float]:
    """Typical numbers of the heart."""
    facts, heart = heart_facts().parameter, load_toxicity(treatment.drug.id).heart
    assert heart is not None
    plain = ("heart_recovery", "troponin_reference", "troponin_power", "failure_base",
             "failure_hazard", "heart_half")  # fmt: skip
    begun = "lvef_after_anthracycline" if after_anthracycline else "lvef_before"
    raised = "troponin_reference" if after_anthracycline else "troponin_start"
    return {name: facts[name].value for name in plain} | {
        "lvef_start": facts[begun].value, "troponin": facts[raised].value,
        f"heart_weight_{tag}": heart.weight.value,
    }  # fmt: skip


def _classes(made: FittedModel, tests: Sequence[str]) -> Iterator[FittedModel]:
    """The model of each class of patients: with a count that drifts down, and without."""
    known = load_toxicity(made.treatment.drug.id).blood
    drifting = [line for line in LINES if line in tests and known[line].is_lasting]
    if not drifting:
        yield made
        return
    line = drifting[0]
    share, left = known[line].lasting_share, known[line].lasting_left
    assert share is not None
    assert left is not None
    steady = replace(made, share=1 - share.value, title=f"{line} steady")
    yield steady
    numbers = {**made.numbers, f"pool_left_{line}": left.value}
    yield replace(made, numbers=numbers, share=share.value, title=f"{line} drift down")
