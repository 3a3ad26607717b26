"""Published exposures, recomputed. Tolerances are those of docs/validation.md, set beforehand."""

from __future__ import annotations

from pathlib import Path

import pytest

from her2sim.course import load_treatment, simulate_reference_patient, steady_state_cycle
from her2sim.drugs.drug import load_pk
from her2sim.report.validation import ValidationRow, validation_page, validation_rows
from tests.conftest import ROOT

# Rows known to lie outside; each says why in its fact file.
OUTSIDE = {
    "smpc-qw-mbc-1-cmax",
    "garg2014-q3w-typical-cmin",
    "quartino2016-q3w-iv-typical-cmax",
    "federica-q3w-7-cmin",
}


@pytest.fixture(scope="module")
def rows() -> list[ValidationRow]:
    return list(validation_rows())


def test_every_judged_row_is_inside_its_tolerance(rows: list[ValidationRow]) -> None:
    outside = {r.row.id for r in rows if r.is_inside is False}
    assert outside == OUTSIDE
    assert sum(r.is_inside is not None for r in rows) == 38
    for r in rows:
        if r.row.id in OUTSIDE and r.is_inside is False:
            assert r.row.deviation


def test_label_medians_of_trastuzumab(rows: list[ValidationRow]) -> None:
    medians = [r for r in rows if r.drug == "trastuzumab" and r.statistic == "median"]
    assert len(medians) == 18
    for r in medians:
        if r.row.metric in ("cmin", "auc"):
            assert r.ratio == pytest.approx(1, abs=0.15)


def test_the_page_is_up_to_date(rows: list[ValidationRow]) -> None:
    page = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    assert validation_page(rows) == page


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
]


@pytest.mark.parametrize(("drug", "regimen", "cycle", "noted"), INDEPENDENT)
def test_typical_patients_of_an_independent_simulation(drug, regimen, cycle, noted) -> None:
    course = simulate_reference_patient(load_treatment(drug, regimen), cycle)
    for metric, value in zip(("cmin", "cmax", "auc"), noted, strict=True):
        if value is not None:  # peaks after other infusion times are left out
            assert course.metric(metric)[0, cycle - 1] == pytest.approx(value, rel=2e-3)


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
