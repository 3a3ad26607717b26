"""The project itself: README's commands, the wheel, examples, what must not be in the tree."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
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


def test_what_the_page_and_the_site_need_is_extra() -> None:
    """Without an extra nothing of them is installed, and commands run where they are not there."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = told["optional-dependencies"]

    def names(lines: list[str]) -> set[str]:
        return {re.split(r"[\[<>=~!; ]", line)[0].lower() for line in lines} - {"her2sim"}

    only = (names(extras["web"]) | names(extras["docs"])) - names(told["dependencies"])
    assert {"nicegui", "python-docx", "sphinx", "myst-parser"} <= only
    blocked = ("nicegui", "fastapi", "starlette", "docx", "sphinx", "myst_parser", "furo")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked}))\n"
        "from her2sim.cli import main\n"
        "main(['exposure', 'trastuzumab', '--patients', '50'], standalone_mode=False)\n"
        "main(['web', '--no-open'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "trastuzumab" in done.stdout
    assert done.returncode == 2
    assert "her2sim[web]" in done.stderr
