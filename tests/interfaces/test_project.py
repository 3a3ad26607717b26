"""The project itself: README's commands, the wheel, examples, what must not be in the tree."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT


def test_the_readme_prints_the_two_commands_and_make_knows_them() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in ("demo", "test"):
        assert f"make {command}" in readme
        assert re.search(rf"^{command}:", makefile, re.M)
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_readme_commands_run(her2sim) -> None:
    """Every her2sim line of the README's code blocks runs (with few patients)."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", readme, re.S)
    commands = [
        shlex.split(line)
        for block in blocks
        for line in block.splitlines()
        if line.startswith("her2sim")
    ]
    assert len(commands) >= 4
    for _, *words in commands:
        call = [str(ROOT / w) if w.startswith("examples/") else w for w in words]
        for size in {"--patients", "--per-arm"} & set(call):
            call[call.index(size) + 1] = "20"
        done = her2sim(*call)
        assert done.returncode == 0, f"{call}: {done.stderr}"


def test_links_in_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_demo_runs_from_a_wheel_in_an_empty_folder(tmp_path: Path) -> None:
    built, site, empty = tmp_path / "dist", tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(built)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True, timeout=120)
    (wheel,) = built.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    environment = os.environ | {"PYTHONPATH": str(site)}
    where = "import her2sim; print(her2sim.__file__)"
    options = {"cwd": empty, "env": environment, "capture_output": True, "text": True}
    found = subprocess.run([sys.executable, "-c", where], timeout=60, **options).stdout
    assert found.startswith(str(site))
    done = subprocess.run(
        [sys.executable, "-m", "her2sim", "demo", "--per-arm", "50"], timeout=120, **options
    )
    assert done.returncode == 0, done.stderr
    assert (empty / "demo" / "destiny-breast03.png").is_file()
    assert "</html>" in (empty / "demo" / "destiny-breast03.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("pattern", ["pypi" + r"\.org", "pythonhosted" + r"\.org"])
def test_no_address_of_a_package_registry_is_in_the_tree(pattern: str) -> None:
    for path in ROOT.rglob("*"):
        inside = path.relative_to(ROOT).parts
        is_ours = path.is_file() and not any(p.startswith((".git", ".venv")) for p in inside)
        if is_ours and path.suffix in (".md", ".toml", ".txt", ".sh", ".py", ""):
            assert not re.search(pattern, path.read_text(encoding="utf-8", errors="ignore"))


def test_adding_a_drug_takes_a_folder_and_no_code(tmp_path: Path) -> None:
    """The two files of CONTRIBUTING, put into a copy of the package, are a drug."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    files = re.findall(r"`src/(her2sim/drugs/[^`]+\.toml)`\n\n```toml\n(.*?)```", text, re.S)
    assert len(files) == 2
    shutil.copytree(ROOT / "src", tmp_path / "src")
    for name, content in files:
        path = tmp_path / "src" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    call = ["exposure", "exampumab", "--patients", "300", "--seed", "1", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "her2sim", *call],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    steady = next(
        r for r in found["exposures"] if (r["cycle"], r["metric"]) == ("steady state", "auc")
    )
    assert steady["median"] == pytest.approx(500 / 0.2, rel=0.1)  # dose over clearance


ANTHRACYCLINE = """
import numpy as np
from her2sim.biology.virtual_cohort import draw_virtual_cohort
from her2sim.pk.exposure_run import cohort_chunks
from her2sim.pk.treatment import load_treatment
from her2sim.patients.population import load_population
from her2sim.virtual_patient.composition import virtual_patient
from her2sim.virtual_patient.dosing import LastingChanges
cohort = next(cohort_chunks(load_population("mbc"), 5, 1, 5))
treatments = [load_treatment(name, "q3w") for name in ("epirubicin", "trastuzumab")]
whole = virtual_patient(treatments, organs=("heart",))
changes = LastingChanges(whole, draw_virtual_cohort(cohort))
who, one = np.arange(5), np.ones(5)
((row, values),) = changes.after(0, who, 0 * one, 150 * one, np.ones(5, dtype=int))
assert whole.model.parameters[row] == "troponin", row
assert (values > draw_virtual_cohort(cohort).hearts.parameters["troponin"]).all()
"""


def test_adding_an_anthracycline_takes_a_folder_and_no_code(tmp_path: Path) -> None:
    """Epirubicin, a copy of doxorubicin under its own name: troponin and risk follow."""
    shutil.copytree(ROOT / "src", tmp_path / "src")
    drugs = tmp_path / "src" / "her2sim" / "drugs"
    shutil.copytree(drugs / "doxorubicin", drugs / "epirubicin")
    for path in (drugs / "epirubicin").glob("*.toml"):
        text = path.read_text(encoding="utf-8").replace("doxorubicin", "epirubicin")
        path.write_text(text.replace("Adriamycin", "Ellence"), encoding="utf-8")
    options = {
        "cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(tmp_path / "src")},
        "capture_output": True, "text": True, "timeout": 120,
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-c", ANTHRACYCLINE], **options)
    assert done.returncode == 0, done.stderr
    call = ["plan", str(ROOT / "examples" / "patient_ebc.toml"), "--regimen",
            "epirubicin*4 + trastuzumab@84", "--json"]  # fmt: skip
    done = subprocess.run([sys.executable, "-m", "her2sim", *call], **options)
    assert done.returncode == 0, done.stderr
    risk = json.loads(done.stdout)["cardiac_risk"]["factors"]
    assert any("anthracycline" in factor and "before" in factor for factor in risk)
