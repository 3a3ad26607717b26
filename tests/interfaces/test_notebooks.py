"""The notebooks of the examples run, show tables and figures, and are stored without outputs."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import her2sim
from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
LONGEST_S = 30  # 5 to 9 s on two cores with nothing else to do
CELL_S = 30


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the examples; what Jupyter writes stays out of the home folder."""
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.delenv("DISPLAY", raising=False)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path / "examples" / "notebooks"


def test_three_notebooks_are_there() -> None:
    names = {path.stem for path in NOTEBOOKS}
    assert {"exposure_and_label", "trial_and_curve", "patient_and_rules"} <= names


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    for cell in code_cells(notebook):
        assert not cell.outputs
        assert cell.execution_count is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_a_table_and_a_figure(path: Path, folder: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    package = str(Path(her2sim.__file__).parents[1])
    client = NotebookClient(notebook, timeout=CELL_S, resources={"metadata": {"path": folder}})
    start = time.monotonic()
    client.execute(env=os.environ | {"PYTHONPATH": package})  # a cell that fails raises
    took = time.monotonic() - start
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    shown = [output.data for output in outputs if "data" in output]
    assert any("image/png" in data for data in shown)
    assert any("<table" in data.get("text/html", "") for data in shown)
    written = [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr"]
    assert not written, written
    assert took < LONGEST_S
