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
from pydantic import ValidationError

from her2sim.biology.ensemble import Members
from her2sim.biology.lesion_model import disease_of, has_lesion_model
from her2sim.biology.tumour import draw_tumours
from her2sim.biology.tumour_profile import TumourProfile
from her2sim.biology.tumour_type import TumourType, described_types, of_type
from her2sim.patients.population import load_population
from her2sim.pk.exposure_run import cohort_chunks
from tests.conftest import ROOT

N = 4000
GROWING = """
[parameter.times_growth]
value = 3.0
unit = "1"
meaning = "growth over that of breast cancer"
status = "assumed"
reason = "for this test"

[parameter.after_line_2]
value = 2.0
unit = "month"
meaning = "median time from progression to death, second line"
status = "assumed"
reason = "for this test"
"""


def test_a_number_of_a_type_is_that_of_its_patients_only() -> None:
    """The others keep the usual one; a number that the file does not have is the usual one."""
    types, members = np.array(["gastric", "breast", "other"]), Members(np.zeros(3, dtype=np.int64))
    usual = np.array([0.1, 0.1, 0.1])
    assert of_type("heterogeneous", usual, types, members).tolist() == [0.61, 0.1, 0.1]
    assert of_type("times_growth", usual, types, members).tolist() == usual.tolist()


@pytest.mark.parametrize(
    ("drugs", "low", "high"), [((), 0.0, 0.03), (("trastuzumab",), 0.56, 0.66)]
)
def test_receptors_are_lost_after_trastuzumab(
    drugs: tuple[str, ...], low: float, high: float
) -> None:
    """KSCC1604: 20 of 33 gastric tumours were HER2-negative after trastuzumab."""
    cohort = next(cohort_chunks(load_population("agc"), N, 1, N))
    told = TumourProfile("3+", earlier_lines=1, earlier_drugs=drugs, is_heterogeneous=False)
    lost = draw_tumours(cohort, told).start["cells_l"] >= 0.9
    assert low <= lost.mean() <= high  # 4,000 patients: 0.606 within 0.023 in 99 of 100


def test_no_breast_tumour_loses_its_receptors() -> None:
    """What holds in one type holds in no other."""
    cohort = next(cohort_chunks(load_population("mbc"), N, 1, N))
    told = TumourProfile("3+", earlier_lines=1, earlier_drugs=("trastuzumab",),
                         is_heterogeneous=False)  # fmt: skip
    assert (draw_tumours(cohort, told).start["cells_l"] < 0.9).all()


def test_a_type_without_fitted_trials_has_no_lesion_model() -> None:
    """Gastric cancer has a file, and none of its trials was fitted."""
    types = np.array(["breast", "gastric", "other"])
    assert has_lesion_model(types, np.full(3, "metastatic")).tolist() == [True, False, False]
    assert disease_of("gastric", "metastatic") == described_types()["gastric"].title


def test_a_file_tells_what_a_type_can_change() -> None:
    """Another number is refused, with those that are known."""
    told = described_types()["gastric"].model_dump(mode="json", exclude_unset=True)
    told["parameter"]["times_luck"] = told["parameter"]["heterogeneous"]
    with pytest.raises(ValidationError, match=r"times_luck.*times_growth"):
        TumourType.model_validate(told)


def test_a_tumour_type_takes_a_file_and_no_code(tmp_path: Path) -> None:
    """With trials that were fitted, and numbers of its own, efficacy is worked out in it."""
    shutil.copytree(ROOT / "src", tmp_path / "src")
    path = tmp_path / "src" / "her2sim" / "biology" / "tumour_types" / "gastric.toml"
    whole = path.read_text(encoding="utf-8").replace('evidence = "none"', 'evidence = "single arm"')
    medians = []
    for added in ("", GROWING):
        path.write_text(whole.replace("[sources.yagi2019]", f"{added}\n[sources.yagi2019]"))
        call = ["population", "--population", "agc", "--regimen", "trastuzumab-deruxtecan-gastric",
                "--patients", "300", "--weeks", "104", "--seed", "1", "--json"]  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "her2sim", *call], cwd=tmp_path, capture_output=True, text=True,
            env=os.environ | {"PYTHONPATH": str(tmp_path / "src")}, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "no model yet" not in done.stdout
        medians.append(json.dumps(json.loads(done.stdout), sort_keys=True))
    assert medians[0] != medians[1]
