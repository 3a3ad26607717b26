"""A patient is the same whoever else is in the cohort: mixed cohorts, every trait and number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from her2sim.biology.tumour_profile import TumourProfile
from her2sim.biology.virtual_cohort import draw_virtual_cohort
from her2sim.patients.cohort import Cohort, draw_cohort
from her2sim.patients.population import load_population
from her2sim.pk.combination import load_combination
from her2sim.pk.treatment import load_treatment
from her2sim.protocol.supply import Shortage
from her2sim.regimens.regimen import labelled_regimen
from her2sim.studies.shortage import shortage_report
from her2sim.virtual_patient.treat import TreatmentPlan, treat

N = 200


def _mixed(kinds: list[str]) -> Cohort:
    """The same patients, with tumour types dealt out in turn."""
    cohort = draw_cohort(load_population("mbc"), np.arange(1, N + 1), 3)
    types = np.array(kinds)[np.arange(N) % len(kinds)]
    return replace(cohort, covariates={**cohort.covariates, "tumour_type": types})


@pytest.mark.parametrize(
    "known",
    [
        TumourProfile(),
        TumourProfile("2+"),
        TumourProfile("1+"),
        TumourProfile("0", earlier_lines=2),
    ],
)
@pytest.mark.parametrize("company", ["gastric", "colorectal", "other"])
def test_tumours_do_not_depend_on_company(known: TumourProfile, company: str) -> None:
    together = draw_virtual_cohort(_mixed(["breast", company]), known)
    for kind, rows in (("breast", slice(0, N, 2)), (company, slice(1, N, 2))):
        alone = draw_virtual_cohort(_mixed([kind]), known)
        for mine, theirs in (
            (together.tumours.parameters, alone.tumours.parameters),
            (together.tumours.start, alone.tumours.start),
            (together.tumours.traits, alone.tumours.traits),
            (together.hearts.parameters, alone.hearts.parameters),
        ):
            for name, values in mine.items():
                assert (values[rows] == theirs[name][rows]).all(), (kind, name)


def test_one_gastric_patient_changes_no_neighbour() -> None:
    cohort = _mixed(["breast"])
    kinds = cohort.covariates["tumour_type"].astype("<U10")
    kinds[7] = "gastric"
    one = replace(cohort, covariates={**cohort.covariates, "tumour_type": kinds})
    others = np.arange(N) != 7
    with_one = draw_virtual_cohort(one).tumours.traits["is_heterogeneous"][others]
    without = draw_virtual_cohort(cohort).tumours.traits["is_heterogeneous"][others]
    assert (with_one == without).all()


def test_dose_intensity_in_a_shortage_does_not_depend_on_company() -> None:
    """Mg of two routes do not add up; whose doses all had one route are counted in mg."""
    treatment = load_treatment("trastuzumab-sc", "q3w-iv")
    (instead,) = labelled_regimen(treatment.drug, "q3w").phases
    shortage = Shortage(treatment.drug.id, "substitute", 60.0, 70.0, 0.5, instead=instead)
    cohort = draw_cohort(load_population("ebc"), np.arange(1, 41), 3)
    report = shortage_report(treatment, shortage, cohort, 40, 3, 6)
    each = [shortage_report(treatment, shortage, cohort.part(k, k + 1), 1, 3, 6) for k in range(40)]
    of = [r.courses[1].per_patient["dose_intensity"] for r in (report, *each)]
    assert of[0].mean == pytest.approx(np.mean([s.mean for s in of[1:]]), rel=1e-12)


def test_what_happens_to_a_patient_does_not_depend_on_company() -> None:
    """Scans are those of patients with a lesion model, whoever is treated beside them."""
    mixed, treatments = _mixed(["breast", "other"]), load_combination("trastuzumab").treatments
    people = draw_virtual_cohort(mixed)
    has_lesion = people.tumours.has_lesion_model
    assert has_lesion.tolist() == [k % 2 == 0 for k in range(N)]
    scans = treat(treatments, people, TreatmentPlan(180.0)).instruments.scans
    assert np.isfinite(scans.progressed_day[has_lesion]).any()
    assert np.isinf(scans.progressed_day[~has_lesion]).all()
    alone = treat(
        treatments, people.take(np.flatnonzero(has_lesion)), TreatmentPlan(180.0)
    ).instruments.scans
    assert (alone.progressed_day == scans.progressed_day[has_lesion]).all()
    assert (alone.best == scans.best[has_lesion]).all()
