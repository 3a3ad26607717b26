"""Sobol indices of the model, and an explanation that adds up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from her2sim.patients.patient import load_patient
from her2sim.patients.population import load_population
from her2sim.pk.combination import load_combination
from her2sim.studies.explain import explanation
from her2sim.studies.sensitivity import sensitivity_report
from her2sim.timeline.pair import pair_of_patients

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_what_moves_the_heart_is_of_the_heart_and_the_tumour_of_the_tumour() -> None:
    report = sensitivity_report(
        load_combination("trastuzumab + docetaxel"), load_population("mbc"), 8, 32, 24, 1
    )
    heart = [row for row in report.rows if row.outcome == "fall of the LVEF"]
    moved = {row.key.split(":")[0] for row in heart if row.total > 0.05}
    assert moved == {"heart"}
    depth = [row for row in report.rows if row.outcome == "depth of response"]
    assert depth[0].key.startswith("docetaxel:")
    # First-order indices of independent numbers add to one at most; 32 samples leave 0.3.
    assert sum(max(row.first_order, 0) for row in depth) < 1.5


def test_without_an_antibody_nothing_moves_the_heart() -> None:
    report = sensitivity_report(
        load_combination("lapatinib-capecitabine"), load_population("mbc"), 4, 16, 12, 1
    )
    heart = [row for row in report.rows if row.outcome == "fall of the LVEF"]
    assert all(np.isnan(row.total) for row in heart)


def test_an_explanation_of_a_patient_and_itself_is_empty() -> None:
    patient = load_patient(EXAMPLES / "patient_mbc.toml")
    combination = load_combination("thp")
    people = pair_of_patients(patient, patient, combination.treatments, 3)
    same = people.take(np.zeros(2, dtype=np.int64))
    found = explanation(combination, same, 12, ("a", "b"))
    assert found.differences == ()
    assert found.size_percent[0] == pytest.approx(found.size_percent[1], rel=1e-9)


def test_every_number_of_an_explanation_has_a_basis() -> None:
    patient = load_patient(EXAMPLES / "patient_mbc.toml")
    combination = load_combination("thp")
    people = pair_of_patients(patient, patient, combination.treatments, 3)
    found = explanation(combination, people, 24, ("a", "b"))
    assert len(found.differences) > 10
    named = [d for d in found.differences if d.name not in ("doses", "clones")]
    assert not [d.name for d in named if not d.basis.status or not d.basis.text]
    largest = found.differences[0]
    assert abs(largest.effect_points) > 1
