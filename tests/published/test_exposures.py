"""Published exposures, recomputed. Tolerances are those of docs/validation.md, set beforehand."""

from __future__ import annotations

from pathlib import Path

import pytest

from her2sim.drug_names import drug_names
from her2sim.drugs.drug import load_pk
from her2sim.drugs.exposures import published_exposures
from her2sim.pk.exposure_run import simulate_reference_patient, steady_state_cycle
from her2sim.pk.treatment import load_treatment
from her2sim.report.validation_page import markdown_page
from her2sim.studies.validation import ValidationRow, validation_rows
from tests.conftest import ROOT

# Rows known to lie outside; each says why in its fact file.
OUTSIDE = {
    "smpc-qw-mbc-1-cmax",
    "garg2014-q3w-typical-cmin",
    "quartino2016-q3w-iv-typical-cmax",
    "yin2021-q3w-ss-cmin",
    "label-q3w-135-24h-1-auc",  # paclitaxel
    "label-q3w-24h-1-cmax",
    "label-q3w-24h-1-auc",
    "marianne-q3w-1-cmin",
    "twelves1999-capecitabine-auc",
    "twelves1999-5-dfcr-cmax",
    "twelves1999-5-dfcr-auc",
    "twelves1999-5-dfur-auc",
    "twelves1999-5-fu-auc",
    "letrozole-half-life",
    "label-us-oxaliplatin-cmax",
    "label-ch-irinotecan-125-cmax",
    "label-ch-irinotecan-350-cmax",
    "cyramza-q2w-6-cmin",  # ramucirumab
}

FEW = {
    "pembrolizumab": 1, "margetuximab": 1, "lapatinib": 1, "zanidatamab": 0, "letrozole": 0,
    "vinorelbine": 1, "gemcitabine": 0, "eribulin": 1, "carboplatin": 1, "cyclophosphamide": 1,
    "anastrozole": 1, "oxaliplatin": 1, "fluorouracil": 1, "disitamab-vedotin": 0, "zongertinib": 0,
}  # fmt: skip
"""One comparable row of pembrolizumab was published, and one or none was read of some others; those
that are surrogates have anchors, which are not counted."""


@pytest.fixture(scope="module")
def rows() -> list[ValidationRow]:
    return validation_rows()


def test_every_counted_row_is_inside_its_tolerance(rows: list[ValidationRow]) -> None:
    outside = [r for r in rows if r.inside is False]
    assert {r.id for r in outside} == OUTSIDE
    assert all(r.reason != "not known" for r in outside)
    counted = [r for r in rows if r.use == "counted"]
    assert len(counted) >= 80
    assert len({r.drug for r in counted}) >= 10
    assert len(counted) - len(outside) >= 0.85 * len(counted)


def test_every_published_row_is_there_once(rows: list[ValidationRow]) -> None:
    published = [row.id for d in drug_names() for row in published_exposures(d).exposure]
    assert sorted(row.id for row in rows) == sorted(set(published))  # an id means one row
    for row in rows:
        assert (row.use == "not_comparable") == (row.predicted is None)
        assert row.use == "counted" or row.reason


@pytest.mark.parametrize("drug", [d for d in drug_names() if d != "doxorubicin"])
def test_each_drug_reproduces_published_numbers(rows: list[ValidationRow], drug: str) -> None:
    n_inside = sum(bool(r.inside) for r in rows if r.drug == drug)
    assert n_inside >= FEW.get(drug, 2)


def test_the_clearance_of_doxorubicin_lies_within_the_range_of_its_label() -> None:
    """324 to 809 mL/min/m2 (section 12.3); its volume does not, see the fact file."""
    pk = load_pk("doxorubicin")
    clearance = pk.internal("cl", pk.parameter["cl"]) / float(pk.reference_patient["bsa_m2"])
    assert 324 < clearance * 1000 / 1440 < 809


def test_label_medians_of_trastuzumab(rows: list[ValidationRow]) -> None:
    medians = [r for r in rows if r.drug == "trastuzumab" and r.statistic == "median" and r.ratio]
    assert len(medians) == 18
    for r in medians:
        limit = 0.15 if r.metric in ("cmin", "auc") else 0.20
        if r.id != "smpc-qw-mbc-1-cmax":  # inconsistent on the label
            assert r.ratio == pytest.approx(1, abs=limit)


def test_the_page_is_up_to_date(rows: list[ValidationRow]) -> None:
    page = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    assert markdown_page(rows, 10_000, 1) == page


# Own simulations of the published typical patients, done independently of her2sim (fixed-step
# Runge-Kutta), to the digits that were noted.
INDEPENDENT = [
    ("trastuzumab", "q3w", 1, (29.2, 199.8, 1369)),
    ("trastuzumab", "q3w", 13, (48.0, None, 1811)),
    ("trastuzumab", "qw", 1, (37.6, 99.8, 1063)),
    ("trastuzumab-sc", "q3w", 1, (28.2, 79.4, 1065)),
    ("trastuzumab-sc", "q3w", 7, (75.0, 148.8, 2337)),
    ("trastuzumab-sc", "q3w", 13, (78.5, 153.9, 2431)),
    ("trastuzumab-sc", "q3w-iv", 1, (32.4, 185.7, 1413)),
    ("pertuzumab", "q3w", 1, (55.5, None, 2133)),
    ("pertuzumab", "q3w", 13, (50.1, None, 1787)),
    ("pertuzumab:wang2021", "q3w-sc", 7, (92.4, 153.8, 2615)),
    ("pertuzumab:wang2021", "q3w", 7, (83.2, None, 2572)),
    ("trastuzumab-emtansine", "q3w", 1, (1.61, 79.0, 363.6)),
    ("trastuzumab-deruxtecan", "q3w", 1, (5.1, 111.9, 560)),
    ("trastuzumab-deruxtecan", "q3w", 3, (9.3, None, 678)),
    ("pembrolizumab", "q3w", 1, (12.7, 57.3, 435)),
    ("pembrolizumab", "q3w", 13, (29.5, 86.8, 909)),
    ("docetaxel", "q3w-100", 1, (None, 3530, 5040)),
    ("docetaxel:koolen2010", "q3w-100", 1, (None, 2920, 4080)),
    ("paclitaxel", "q3w", 1, (None, 3924, 13388)),
    ("paclitaxel", "q3w-135", 1, (None, 2556, 8665)),
    ("doxorubicin", "q3w", 1, (None, None, 2270)),
    ("tucatinib", "bid", 60, (None, 478, 2679)),  # its trough was noted without the lag
    ("pyrotinib", "qd", 30, (None, None, 3093)),
    ("capecitabine", "single", 1, (None, 3870, 9780)),
]

METABOLITES = {"dfcr": (3160, 8050), "dfur": (6210, 16300), "fu": (263, 692)}
"""Peak and AUC of capecitabine's metabolites after 1255 mg/m2, of the same kind."""


@pytest.mark.parametrize(("drug", "regimen", "cycle", "noted"), INDEPENDENT)
def test_typical_patients_of_an_independent_simulation(drug, regimen, cycle, noted) -> None:
    course = simulate_reference_patient(load_treatment(drug, regimen), cycle)
    for metric, value in zip(("cmin", "cmax", "auc"), noted, strict=True):
        if value is not None:  # peaks after other infusion times are left out
            # Some were noted to two digits only.
            assert course.metric(metric)[0, cycle - 1] == pytest.approx(value, rel=8e-3)


def test_metabolites_of_an_independent_simulation() -> None:
    course = simulate_reference_patient(load_treatment("capecitabine", "single"), 1)
    for number, (peak, area) in enumerate(METABOLITES.values(), start=1):
        assert course.metric("cmax", number)[0, 0] == pytest.approx(peak, rel=8e-3)
        assert course.metric("auc", number)[0, 0] == pytest.approx(area, rel=8e-3)


def test_subcutaneous_over_intravenous_in_hannah() -> None:
    """Ratio of troughs within one model: 1.33 in HannaH (90 % interval 1.24 to 1.44)."""
    cmin = {
        r: simulate_reference_patient(load_treatment("trastuzumab-sc", r), 7).metric("cmin")[0, 6]
        for r in ("q3w", "q3w-iv")
    }
    assert 1.24 < cmin["q3w"] / cmin["q3w-iv"] < 1.44


@pytest.mark.parametrize(
    ("drug", "regimen", "cycle"),
    [("trastuzumab", "q3w", 9), ("trastuzumab-sc", "q3w", 11), ("pertuzumab", "q3w", 5)],
)
def test_steady_state_is_the_first_cycle_with_less_than_half_a_percent_change(
    drug: str, regimen: str, cycle: int
) -> None:
    treatment = load_treatment(drug, regimen)
    auc = simulate_reference_patient(treatment, 20).metric("auc")[0]
    change = abs(auc[1:] / auc[:-1] - 1)
    assert steady_state_cycle(treatment) == cycle
    assert change[cycle - 2] < 0.005 <= change[cycle - 3]


def test_half_life_of_pertuzumab() -> None:
    """18 days, Garg 2014; from the parameters."""
    p = {n: q.value for n, q in load_pk("pertuzumab").parameter.items()}
    k10, k12, k21 = p["cl"] / p["vc"], p["q"] / p["vc"], p["q"] / p["vp"]
    total = k10 + k12 + k21
    slow = (total - (total**2 - 4 * k10 * k21) ** 0.5) / 2
    assert 0.6931 / slow == pytest.approx(18, abs=0.1)


def test_the_figures_folder_of_the_readme_exists() -> None:
    assert Path(ROOT / "docs" / "trastuzumab.png").is_file()
