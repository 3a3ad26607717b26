"""Shared by all tests: where things are, and small ready-made inputs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CASES = ROOT.parent / "shared" / "cases"


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compiled objects of a test run stay in a folder of their own."""
    folder = tmp_path_factory.mktemp("objects")
    folder.chmod(0o700)
    os.environ["HER2SIM_CACHE_DIR"] = str(folder)


@pytest.fixture
def event_cases() -> Path:
    """Reference cases of other tools; absent outside the authors' machines."""
    folder = CASES / "event_tables"
    if not folder.is_dir():
        pytest.skip("../shared/cases/event_tables is not here")
    return folder


@pytest.fixture
def her2sim(tmp_path: Path):
    """Run the command line in an empty folder, in a process of its own."""

    def run(*args: str, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "her2sim", *args],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            **options,
        )

    return run
