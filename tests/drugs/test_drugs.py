"""Drug files: complete, sourced, and refused with all faults when they are not."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from her2sim.drug_names import drug_names
from her2sim.drugs.drug import load_drug, load_pk, pk_models
from her2sim.drugs.exposures import published_exposures
from her2sim.drugs.pk import PkModel, reference_covariates, typical_parameters, variance_from_cv
from her2sim.drugs.variability import draw_random_effects
from her2sim.engine.schedule import Action
from her2sim.errors import DataError, UnknownDrugError, UnknownNameError
from her2sim.facts import read_fact_file
from her2sim.patients.population import population_names
from her2sim.pk.exposure_run import simulate_reference_patient
from her2sim.pk.treatment import load_treatment


@pytest.mark.parametrize("name", drug_names())
def test_every_drug_loads_and_says_where_its_numbers_come_from(name: str) -> None:
    drug, pk = load_drug(name), load_pk(name)
    assert pk.drug == drug.id == name
    assert set(pk.reference_patient) >= set(pk.needed_covariates())
    for quantity in pk.parameter.values():
        assert pk.source_text(quantity.source) if quantity.source else quantity.reason
    assert np.linalg.eigvalsh(pk.variability.omega()).min() > 0
    text = files("her2sim.drugs").joinpath(name, "pk.toml").read_text(encoding="utf-8")
    assert "recalled" not in text


@pytest.mark.parametrize("name", drug_names())
def test_every_published_row_can_be_placed(name: str) -> None:
    rows = published_exposures(name).exposure
    assert len({row.id for row in rows}) == len(rows)
    for row in rows:
        if not row.not_comparable:
            assert load_pk(f"{name}:{row.model}" if row.model else name)
            assert row.population in (*population_names(), "reference patient")
            assert load_drug(name).labelled_regimen(row.regimen)


def test_aliases_and_case() -> None:
    assert load_drug("HERCEPTIN").id == "trastuzumab"
    assert load_drug("perjeta").id == "pertuzumab"
    assert load_pk("trastuzumab:quartino2019").model == "quartino2019"


def test_unknown_names_get_suggestions() -> None:
    with pytest.raises(UnknownDrugError, match="did you mean 'trastuzumab'"):
        load_drug("trastuzumb")
    with pytest.raises(UnknownNameError, match="has no model 'quartino2018'; did you mean 'quart"):
        load_pk("trastuzumab:quartino2018")


def test_the_reference_patient_has_the_typical_values() -> None:
    for name in set(drug_names()) - {"pyrotinib"}:  # its clearance is printed at protein zero
        pk = load_pk(name)
        values = typical_parameters(pk, reference_covariates(pk), 1)
        for parameter in set(pk.parameter) - {"v_payload"}:  # printed per m2
            quantity = pk.parameter[parameter]
            inside = pk.internal(parameter, quantity)
            assert values[parameter][0] == pytest.approx(inside, rel=1e-12)


def test_gastric_cancer_switches_clearance_and_volume() -> None:
    pk = load_pk("trastuzumab")
    values = typical_parameters(pk, reference_covariates(pk, {"tumour_type": "gastric"}), 1)
    assert (values["cl"][0], values["vc"][0]) == (0.176, 3.63)


def test_covariate_relations_of_trastuzumab_by_hand() -> None:
    pk = load_pk("trastuzumab")
    changes = {"weight_kg": 90, "ast_u_per_l": 48, "albumin_g_per_l": 30, "liver_metastases": 1}
    found = typical_parameters(pk, reference_covariates(pk, changes), 1)["cl"][0]
    by_hand = 0.127 * (90 / 66) ** 0.967 * 2**0.205 * 0.75**-0.998 * np.exp(0.152)
    assert found == pytest.approx(by_hand, rel=1e-12)


def test_random_effects_have_the_printed_covariance() -> None:
    pk = load_pk("pertuzumab")
    effects = draw_random_effects(pk, np.arange(200_000), seed=4)
    found = np.cov(np.stack(list(effects.values())))
    assert found == pytest.approx(pk.variability.omega(), abs=0.002)  # 4 standard errors


def test_one_convention_from_cv_to_variance() -> None:
    assert variance_from_cv(1.39) == pytest.approx(1.0757, abs=1e-4)


def test_release_of_dxd_falls_with_the_cycle() -> None:
    treatment = load_treatment("trastuzumab-deruxtecan", "q3w")
    krel = treatment.pk.structural.model.index("parameters", "krel")
    changes = [r for r in treatment.rows(3) if r[1] == Action.PARAMETER]
    by_hand = [0.0159 * 24, 0.0159 * 24 * 2**-0.137 * 0.83, 0.0159 * 24 * 3**-0.137 * 0.83]
    assert [r[0] for r in changes] == [0, 21, 42]
    assert all(r[2] == krel for r in changes)
    assert [r[3] for r in changes] == pytest.approx(by_hand, rel=1e-12)


def test_payload_mass_balance() -> None:
    """All payload that is released is cleared: AUC x CL = fraction x release x AUC of amount."""
    treatment = load_treatment("trastuzumab-deruxtecan", "q3w")
    course = simulate_reference_patient(treatment, 1)
    p = {n: treatment.pk.internal(n, q) for n, q in treatment.pk.parameter.items()}
    conjugate, payload = (course.metric("auc", k)[0, 0] for k in (0, 1))
    released = p["payload_fraction"] * p["krel"] * conjugate * p["vc"]  # mg, AUC in mg day/L
    cleared = p["cl_payload"] * payload / 24 / 1000  # AUC in ng h/mL
    left = course.metric("cmin", 1)[0, 0] / 1000 * p["v_payload"] * 1.6
    assert cleared + left == pytest.approx(released, rel=1e-6)


def test_models_are_found_by_name() -> None:
    assert list(pk_models("trastuzumab")) == ["quartino2019"]


def test_all_faults_of_a_drug_file_come_at_once(tmp_path: Path) -> None:
    text = files("her2sim.drugs").joinpath("pertuzumab", "pk.toml").read_text(encoding="utf-8")
    bad = (
        text.replace('unit = "L/day"', 'unit = "L/fortnight"', 1)
        .replace("garg2014:Table 1", "garg2015:Table 1", 1)
        .replace('form = "power"', 'form = "magic"', 1)
        .replace("value = 2.46", "valeu = 2.46", 1)
    )
    path = tmp_path / "pk.toml"
    path.write_text(bad, encoding="utf-8")
    with pytest.raises(DataError) as e:
        read_fact_file(path, PkModel)
    for part in ("unknown unit 'fortnight'", "covariate.0.form", "valeu: this key is not known"):
        assert part in str(e.value)
    path.write_text(text.replace("garg2014:Table 1", "garg2015:Table 1", 1), encoding="utf-8")
    with pytest.raises(DataError, match="source 'garg2015:Table 1' is not in"):
        read_fact_file(path, PkModel)
    path.write_text(text.replace('on = "vp"', 'on = "vpp"', 1), encoding="utf-8")
    with pytest.raises(DataError, match="no such parameter; did you mean 'vp'"):
        read_fact_file(path, PkModel)
