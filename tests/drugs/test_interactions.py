"""Interactions act in the simulation by their published folds, or are refused."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.drug_names import drug_names
from her2sim.drugs.drug import pk_models
from her2sim.drugs.interactions import interactions_of
from her2sim.errors import DataError
from her2sim.patients.population import load_population
from her2sim.pk.exposure_run import simulate_reference_patient
from her2sim.pk.treatment import load_treatment
from her2sim.studies.exposure import exposure


def auc(drug: str, regimen: str, *interactions: tuple[str, str], cycle: int = 1) -> float:
    treatment = load_treatment(drug, regimen, interactions)
    return float(simulate_reference_patient(treatment, cycle).metric("auc")[0, -1])


@pytest.mark.parametrize(
    ("drug", "regimen", "interaction", "cycle", "fold", "relative"),
    [
        # A whole AUC of a linear drug after one dose: the fold, but for what is left at 21 days.
        ("docetaxel", "q3w", ("co-medication", "ketoconazole"), 1, 2.2, 0.01),
        ("docetaxel", "q3w", ("hepatic", "moderate"), 1, 1.38, 0.01),
        # At a real steady state (60 days) of a linear drug.
        ("tucatinib", "bid", ("co-medication", "gemfibrozil"), 120, 3.0, 0.01),
        ("tucatinib", "bid", ("food", "high-fat"), 1, 1.5, 1e-6),
        ("tucatinib", "bid", ("hepatic", "severe"), 120, 1.61, 0.01),
        ("pyrotinib", "qd", ("co-medication", "rifampicin"), 60, 0.04, 0.01),
        # Saturable elimination: the fold is carried by the maximum rate, which is near it.
        ("paclitaxel", "q3w", ("hepatic", "severe"), 1, 1.98, 0.15),
    ],
)
def test_published_folds(drug, regimen, interaction, cycle, fold, relative) -> None:
    ratio = auc(drug, regimen, interaction, cycle=cycle) / auc(drug, regimen, cycle=cycle)
    assert ratio == pytest.approx(fold, rel=relative)


def test_several_changes_multiply_and_say_so() -> None:
    both = (("co-medication", "itraconazole"), ("food", "high-fat"))
    alone = auc("tucatinib", "bid", cycle=120)
    assert auc("tucatinib", "bid", *both, cycle=120) / alone == pytest.approx(1.95, rel=0.01)
    report = exposure(load_treatment("tucatinib", "bid", both), load_population("healthy"), 20, 1)
    text = " ".join(report.notes)
    expected = ("AUC x 1.3", "SOURCE NOT CONFIRMED", "AUC x 1.5", "Several changes are multiplied")
    for part in expected:
        assert part in text
    assert report.published == ()  # the published rows are without the interaction


def test_random_effects_do_not_move() -> None:
    people = load_population("mbc")
    plain, changed = (
        exposure(load_treatment("tucatinib", "bid", extra), people, 200, 1)
        for extra in ((), (("food", "high-fat"),))
    )
    a, b = (next(r for r in x.exposures if r.metric == "auc") for x in (plain, changed))
    assert np.allclose(b.statistics.median / a.statistics.median, 1.5, rtol=1e-6)


@pytest.mark.parametrize(
    ("interaction", "message"),
    [
        (("co-medication", "grapefruit"), "with grapefruit: nothing is published of it for tuca"),
        (("co-medication", "itraconazol"), "did you mean 'itraconazole'"),
        (("co-medication", "clopidogrel"), "no number is published for tucatinib; what is printed"),
        (("renal", "mild"), "renal mild: nothing is published of it"),
        (("renal", "severe"), "no number is published for tucatinib; what is printed"),
    ],
)
def test_what_has_no_data_is_refused(interaction, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_treatment("tucatinib", "bid", [interaction])


@pytest.mark.parametrize("drug", drug_names())
def test_every_row_acts_on_a_parameter_and_has_a_source(drug: str) -> None:
    file = interactions_of(drug)
    for row in file.interaction:
        assert file.source_text(row.source)
        for model in pk_models(drug).values():
            row.require_carrier(model)
