"""The heart: reversible fall of the LVEF by antibodies, worse after an anthracycline.

Structure of de Vries Schultink et al. 2018 (doi 10.1007/s10928-018-9579-8): an effect compartment
driven by the concentration of trastuzumab, an inhibitory Emax on the LVEF, and the highest troponin
T after the anthracycline as a covariate of its half-effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from her2sim.engine.functions import positive, power
from her2sim.engine.model import Component, Part, Symbol
from her2sim.models.assembly import Assembled

LN2 = 0.6931471805599453


def cardiac_effect(tags: Sequence[str]) -> Component:
    """The effect compartment, driven by the antibodies that act on the heart."""

    def effect(k: Any) -> Part:
        """Concentrations, each weighed against trastuzumab, less what is recovered from."""
        change = -LN2 / k["heart_recovery"] * k["heart_effect"]
        for tag in tags:
            change = change + k[f"heart_weight_{tag}"] * k[f"conc_{tag}"]
        return Part(rates={"heart_effect": change})

    return Assembled("cardiac_effect", effect)


def ejection_fraction(
    heart_effect: Any,
    lvef_start: Any,
    heart_half: Any,
    troponin: Any,
    troponin_reference: Any,
    troponin_power: Any,
    failure_hazard: Any,
    failure_base: Any,
) -> Part:
    """The true LVEF, and the hazard of symptomatic heart failure in proportion to its fall."""
    half = heart_half * power(troponin / troponin_reference, troponin_power)
    effect = positive(heart_effect)
    lost = effect / (effect + half)
    return Part(
        rates={"heart_failure": failure_base + failure_hazard * lost},
        outputs={"lvef": lvef_start * (1.0 - lost)},
    )


def heart_symbols(tags: Sequence[str]) -> dict[str, Symbol]:
    """Register entries of the heart under some antibodies."""
    entries = [
        Symbol("heart_effect", "state", "mg*day/L", "effect on the heart"),
        Symbol("heart_failure", "state", "1", "cumulative hazard of symptomatic heart failure"),
        Symbol("heart_recovery", "parameter", "day", "half-life of the recovery"),
        Symbol("heart_half", "parameter", "mg*day/L", "effect that halves the LVEF"),
        Symbol("lvef_start", "parameter", "%", "LVEF before the antibody"),
        Symbol("troponin", "parameter", "ng/L", "highest troponin T so far"),
        Symbol("troponin_reference", "parameter", "ng/L", "troponin T that the half-effect is of"),
        Symbol("troponin_power", "parameter", "1", "exponent of troponin T"),
        Symbol("failure_base", "parameter", "1/day", "hazard of heart failure without a drug"),
        Symbol("failure_hazard", "parameter", "1/day", "hazard for a full loss of the LVEF"),
        Symbol("lvef", "output", "%", "true left ventricular ejection fraction"),
    ]
    entries += [
        Symbol(f"heart_weight_{tag}", "parameter", "1", f"{tag} relative to trastuzumab")
        for tag in tags
    ]
    return {entry.name: entry for entry in entries}
