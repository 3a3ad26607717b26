"""Organs beside the tumour: which drugs act on the heart and the blood, with which numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array
from her2sim.biology.blood import blood_facts
from her2sim.biology.ensemble import patient_value
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.drugs.toxicity import LINES, Line, OnBlood
from her2sim.engine.model import Component, Symbol
from her2sim.facts import UncertainQuantity
from her2sim.models.blood import (
    blood_line,
    blood_symbols,
    febrile_neutropenia,
    stages_of,
)
from her2sim.models.heart import cardiac_effect, ejection_fraction, heart_symbols
from her2sim.models.lung import lung_hazard, lung_symbols
from her2sim.random import Purpose
from her2sim.units import convert
from her2sim.virtual_patient.drugs import Organ, PatientDrug


@dataclass(frozen=True, eq=False)
class Organs:
    """The organs that are modelled, under the drugs of a regimen."""

    organs: tuple[Organ, ...]
    drugs: tuple[PatientDrug, ...]

    @property
    def has_heart(self) -> bool:
        """Whether the heart is modelled."""
        return "heart" in self.organs

    @property
    def on_heart(self) -> tuple[PatientDrug, ...]:
        """Drugs that act on the heart."""
        return tuple(d for d in self.drugs if d.toxicity.heart is not None and d.has_concentration)

    @property
    def lines(self) -> tuple[Line, ...]:
        """Cell lines that a drug acts on."""
        return tuple(line for line in LINES if "blood" in self.organs and self.on_line(line))

    def on_line(self, line: Line) -> tuple[PatientDrug, ...]:
        """Drugs that act on a cell line."""
        return tuple(d for d in self.drugs if line in d.toxicity.blood)

    def lasting(self, line: Line) -> tuple[str, ...]:
        """Tags of drugs under which a count drifts."""
        drugs = self.on_line(line)
        return tuple(d.tag for d in drugs if d.toxicity.blood[line].is_lasting)

    @property
    def watched(self) -> tuple[str, ...]:
        """Cumulative hazards of events."""
        heart = ("heart_failure",) if self.has_heart else ()
        fever = ("febrile_neutropenia",) if "neutrophils" in self.lines else ()
        lung = ("lung_hazard",) if self.on_lung is not None else ()
        return (*heart, *fever, *lung)

    @property
    def on_lung(self) -> PatientDrug | None:
        """The drug that acts on the lung, if there is one (the first)."""
        if "lung" not in self.organs:
            return None
        return next((d for d in self.drugs if d.toxicity.lung is not None), None)

    def components(self) -> list[Component]:
        """Equations of all organs."""
        made: list[Component] = []
        if self.has_heart:
            made += [cardiac_effect([d.tag for d in self.on_heart]), ejection_fraction]
        for line in self.lines:
            made.append(blood_line(line, [d.tag for d in self.on_line(line)], self.lasting(line)))
        if "neutrophils" in self.lines:
            made.append(febrile_neutropenia)
        if self.on_lung is not None:
            made.append(lung_hazard(self.on_lung.tag))
        return made

    def symbols(self) -> dict[str, Symbol]:
        """Register entries of all organs."""
        found: dict[str, Symbol] = {}
        if self.has_heart:
            found |= heart_symbols([d.tag for d in self.on_heart])
        for line in self.lines:
            found |= blood_symbols(line, [d.tag for d in self.on_line(line)])
        if self.on_lung is not None:
            found |= lung_symbols([self.on_lung.tag])
        return found

    def parameters(self, people: VirtualCohort) -> dict[str, Array]:
        """Parameters of all organs by name."""
        found: dict[str, Array] = {}
        if self.has_heart:
            found |= people.hearts.parameters
            for drug in self.on_heart:
                assert drug.toxicity.heart is not None
                weight = drug.toxicity.heart.weight
                found[drug.symbol("heart_weight")] = _value(drug, "heart", weight, people)
        for line in self.lines:
            found |= dict(self._blood_parameters(line, people))
        if "neutrophils" in self.lines:
            n = people.cohort.n_patients
            for name in ("fever_rate", "fever_level"):
                found[name] = np.full(n, blood_facts().parameter[name].value)
        found |= dict(self._lung_parameters(people))
        return found

    def _lung_parameters(self, people: VirtualCohort) -> Iterator[tuple[str, Array]]:
        drug = self.on_lung
        if drug is None or drug.toxicity.lung is None:
            return
        lung = drug.toxicity.lung
        shared = {
            "lung_share": (lung.share, "1"),
            "lung_median": (lung.median, "day"),
            "lung_spread": (lung.onset_spread, "1"),
            drug.symbol("lung_level"): (lung.level, "mg/L"),
            drug.symbol("lung_switch"): (lung.switch, "mg/L"),
        }
        for name, (quantity, unit) in shared.items():
            value = _value(drug, name, quantity, people)
            yield name, value * convert(1.0, quantity.unit, unit)

    def _blood_parameters(self, line: Line, people: VirtualCohort) -> Iterator[tuple[str, Array]]:
        drugs = self.on_line(line)
        system = drugs[0]  # sets are not mixed: the line is that of the first drug
        for base in ("base", "maturation", "feedback"):
            quantity: UncertainQuantity = getattr(system.toxicity.blood[line], base)
            value = _value(system, f"{line}:{base}", quantity, people)
            unit = "day" if base == "maturation" else quantity.unit
            yield f"{base}_{line}", value * convert(1.0, quantity.unit, unit)
        for drug in drugs:
            known = drug.toxicity.blood[line]
            slope = _value(drug, f"{line}:slope", known.slope, people)
            yield f"{line}_slope_{drug.tag}", slope
            if known.is_lasting:
                yield from _drift(drug, line, known, people)

    def start(self, people: VirtualCohort) -> dict[str, Array]:
        """States of all organs before the first dose."""
        found: dict[str, Array] = {}
        for line in self.lines:
            base = dict(self._blood_parameters(line, people))[f"base_{line}"]
            found |= dict.fromkeys(stages_of(line), base)
            if self.lasting(line):
                found[f"pool_{line}"] = np.ones(people.cohort.n_patients)
        return found


def _value(
    drug: PatientDrug, name: str, quantity: UncertainQuantity, people: VirtualCohort
) -> Array:
    return patient_value(f"{drug.mechanism.drug}:{name}", quantity, people.cohort, people.members)


def _drift(
    drug: PatientDrug, line: Line, known: OnBlood, people: VirtualCohort
) -> Iterator[tuple[str, Array]]:
    """Where the aimed count drifts to in each patient, and how fast."""
    assert known.lasting_share is not None
    assert known.lasting_left is not None
    assert known.lasting_rate is not None
    assert known.lasting_switch is not None
    cohort = people.cohort
    name = f"{drug.mechanism.drug}:{line}:drifts"
    drawn = cohort.stream(Purpose.BIOLOGY).uniform(name)
    left = _value(drug, f"{line}:lasting_left", known.lasting_left, people)
    yield f"pool_left_{line}", np.where(drawn < known.lasting_share.value, left, 1.0)
    yield f"pool_rate_{line}", np.full(cohort.n_patients, known.lasting_rate.value)
    yield f"switch_{drug.tag}", np.full(cohort.n_patients, known.lasting_switch.value)
