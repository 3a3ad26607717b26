"""A full standard output: one message, exit code 2, whatever the command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")


@pytest.mark.parametrize(
    "call",
    ["trial list", "status --ihc 3+", "drug show trastuzumab", "--help", "--version",
     "trial schema", "exposure pertuzumab --patients 5 --json", "regimen list", "schema patient"],
)  # fmt: skip
def test_a_full_standard_output(call: str, tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "her2sim", *call.split()], stdout=full, stderr=subprocess.PIPE,
            text=True, cwd=tmp_path, timeout=120,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "her2sim: the output cannot be written (the disk is full)\n"
