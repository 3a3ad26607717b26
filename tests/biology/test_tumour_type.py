"""Tumour types are files: what one changes, what it leaves alone, and what it may not say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tomlkit
from pydantic import ValidationError

from her2sim.biology.ensemble import Members
from her2sim.biology.lesion_model import evidence_text, has_lesion_model
from her2sim.biology.tumour import draw_tumours
from her2sim.biology.tumour_profile import TumourProfile
from her2sim.biology.tumour_type import TumourType, described_types, of_type
from her2sim.biology.virtual_cohort import draw_virtual_cohort
from her2sim.calibration.plan import calibration_plan
from her2sim.patients.population import load_population
from her2sim.pk.combination import load_combination
from her2sim.pk.exposure_run import cohort_chunks
from her2sim.trials.enrolment import enrol
from her2sim.trials.library import load_trial, trials_of
from her2sim.virtual_patient.composition import virtual_patient
from tests.conftest import ROOT

N = 4000


def test_a_number_of_a_type_is_that_of_its_patients_only() -> None:
    """The others keep the usual one; a number that the file does not have is the usual one."""
    types, members = np.array(["gastric", "breast", "other"]), Members(np.zeros(3, dtype=np.int64))
    usual = np.array([0.1, 0.1, 0.1])
    assert of_type("heterogeneous", usual, types, members).tolist() == [0.61, 0.1, 0.1]
    assert of_type("times_payload_exampumab", usual, types, members).tolist() == usual.tolist()


@pytest.mark.parametrize(
    ("drugs", "low", "high"), [((), 0.0, 0.03), (("trastuzumab",), 0.56, 0.66)]
)
def test_receptors_are_lost_after_trastuzumab(
    drugs: tuple[str, ...], low: float, high: float
) -> None:
    """KSCC1604: 20 of 33 gastric tumours were HER2-negative after trastuzumab."""
    cohort = next(cohort_chunks(load_population("agc"), N, 1, N))
    told = TumourProfile("3+", earlier_lines=1, earlier_drugs=drugs, is_heterogeneous=False)
    share = described_types()["gastric"].parameter["low_share_when_lost"].value
    lost = draw_tumours(cohort, told).start["cells_l"] >= share - 1e-9
    assert low <= lost.mean() <= high  # 4,000 patients: 0.606 within 0.023 in 99 of 100


def test_no_breast_tumour_loses_its_receptors() -> None:
    """What holds in one type holds in no other."""
    cohort = next(cohort_chunks(load_population("mbc"), N, 1, N))
    told = TumourProfile("3+", earlier_lines=1, earlier_drugs=("trastuzumab",),
                         is_heterogeneous=False)  # fmt: skip
    assert (draw_tumours(cohort, told).start["cells_l"] < 0.5).all()


def test_tumours_that_were_tested_again_after_trastuzumab_have_their_receptors() -> None:
    """As DESTINY-Gastric02 took them: positive in a biopsy after progression."""
    trial = load_trial("destiny-gastric02")
    (arm,), numbers = trial.arm, np.arange(500)
    members = Members(np.zeros(500, dtype=np.int64))
    share = described_types()["gastric"].parameter["low_share_when_lost"].value
    for retested, most in ((trial.enrolled.retested, 0.0), (None, 1.0)):
        told = trial.model_copy(
            update={"enrolled": trial.enrolled.model_copy(update={"retested": retested})}
        )
        people = enrol(told, arm, numbers, 1, members)
        lost = np.isclose(people.tumours.start["cells_l"], share).mean()
        assert lost <= most
        assert (lost > 0.4) == (retested is None)  # 0.606, less those with more such cells before


def test_pembrolizumab_acts_where_pd_l1_is_positive_only() -> None:
    """KEYNOTE-811: no effect with a combined positive score below 1; in breast cancer none here."""
    cohort = next(cohort_chunks(load_population("agc"), N, 1, N))
    share = draw_tumours(cohort, TumourProfile("3+")).traits["is_pd_l1_positive"].mean()
    assert share == pytest.approx(0.85, abs=0.02)  # 298 of 350; 4,000 patients
    medians = {}
    for positive in (False, True):
        people = draw_virtual_cohort(cohort, TumourProfile("3+", is_pd_l1_positive=positive))
        drugs = load_combination("pembrolizumab-trastuzumab-chemotherapy").treatments
        whole = virtual_patient(drugs)
        medians[positive] = np.median(
            whole.parameters(people)[whole.model.index("parameters", "chemo_kill_pembrolizumab")]
        )
    assert medians[False] == 0.0
    assert medians[True] > 0.0
    mbc = next(cohort_chunks(load_population("mbc"), N, 1, N))
    assert not draw_tumours(mbc, TumourProfile("3+")).traits["is_pd_l1_positive"].any()


def test_types_that_were_fitted_have_a_lesion_model_and_others_none() -> None:
    """What was never fitted stays refused; each type says what its predictions rest on."""
    types = np.array(["breast", "gastric", "biliary", "colorectal", "lung", "other"])
    found = has_lesion_model(types, np.full(6, "metastatic"))
    assert found.tolist() == [True, True, True, True, True, False]
    assert not has_lesion_model(types, np.full(6, "early")).any()
    assert evidence_text("breast", "metastatic") == ""
    assert "randomised trials" in evidence_text("gastric", "metastatic")
    for one in ("biliary", "colorectal", "lung"):
        assert "single arm trials" in evidence_text(one, "metastatic")
    for told in (("other", "metastatic"), ("gastric", "early")):
        assert "none that was fitted" in evidence_text(*told)


@pytest.mark.parametrize("one", [*described_types()])
def test_each_type_has_a_plan_its_trials_and_a_page(one: str) -> None:
    """What is calibrated names numbers of the type, and each has trials that tell of it."""
    plan = calibration_plan("metastatic", one)
    assert plan.tumour_type == one
    assert trials_of("metastatic", one)
    text = (ROOT / "docs" / "tumours" / f"{one}.md").read_text(encoding="utf-8")
    for trial in trials_of("metastatic", one):
        assert trial.id in text
    is_randomised = any(len(trial.arm) > 1 for trial in trials_of("metastatic", one))
    assert is_randomised or described_types()[one].evidence == "single arm"


def test_a_file_tells_what_a_type_can_change() -> None:
    """Another number is refused, with those that are known."""
    told = described_types()["gastric"].model_dump(mode="json", exclude_unset=True)
    told["parameter"]["times_luck"] = told["parameter"]["heterogeneous"]
    with pytest.raises(ValidationError, match=r"times_luck.*times_growth"):
        TumourType.model_validate(told)


def test_a_tumour_type_takes_a_folder_and_no_code(tmp_path: Path) -> None:
    """A copy of the package with a folder for other tumours works out efficacy in them."""
    shutil.copytree(ROOT / "src", tmp_path / "src")
    types = tmp_path / "src" / "her2sim" / "biology" / "tumour_types"
    population = load_population("btc").model_dump(mode="json", exclude_unset=True, by_alias=True)
    population["tumour_type"] = "other"
    (tmp_path / "others.toml").write_text(tomlkit.dumps(population), encoding="utf-8")
    call = ["population", "--population", "others.toml", "--regimen", "zanidatamab-alone",
            "--patients", "200", "--weeks", "52", "--seed", "1", "--json"]  # fmt: skip
    said = []
    for is_there in (False, True):
        if is_there:
            shutil.copytree(types / "biliary", types / "other")
            path = types / "other" / "tumour_type.toml"
            text = path.read_text(encoding="utf-8").replace('id = "biliary"', 'id = "other"')
            path.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "her2sim", *call], cwd=tmp_path, capture_output=True, text=True,
            env=os.environ | {"PYTHONPATH": str(tmp_path / "src")}, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said.append(json.loads(done.stdout))
    assert any("no model yet" in note for note in said[0]["notes"])
    assert not any("no model yet" in note for note in said[1]["notes"])
    assert "single arm trials" in said[1]["evidence"]
