"""Python in the documents runs: the blocks of a page one after the other, as one script.

The script runs in a folder with a copy of ``examples`` and an event table, without a display.
Numbers of patients (``n=``, ``per_arm=``, ``patients=``) are cut down to LARGEST and members to
LARGEST_MEMBERS, so that a page takes seconds; nothing else of a block is changed. A block with
``if __name__ == "__main__"`` is a script of its own. Code that is not to be run has another fence
(``text``).
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.interfaces.test_docs import FENCE, PAGES, named

LARGEST = 40
LARGEST_MEMBERS = 2
SIZES = re.compile(r"\b(n|per_arm|patients|members)=(\d[\d_]*)")
NO_DISPLAY = 'import sys; assert "matplotlib.pyplot" not in sys.modules, "a figure needs a display"'
GUARD = '__name__ == "__main__"'
H_PER_DAY = 24
SECONDS = 120


def cut_down(code: str) -> str:
    """The same code with few patients.

    >>> cut_down("treat('thp', mbc, n=2_000, weeks=104, seed=1); run(per_arm=1_000, members=10)")
    "treat('thp', mbc, n=40, weeks=104, seed=1); run(per_arm=40, members=2)"
    """

    def smaller(found: re.Match[str]) -> str:
        name, value = found.groups()
        return f"{name}={min(int(value), LARGEST_MEMBERS if name == 'members' else LARGEST)}"

    return SIZES.sub(smaller, code)


def page_scripts(text: str) -> list[str]:
    """Python blocks of a page as scripts, each block on the lines that it has there.

    The first script has the blocks that follow one another; each guarded block is one more.
    """
    together: list[str] = []
    scripts = [together]
    for block in FENCE.finditer(text):
        if block[1] == "python":
            lines = together if GUARD not in block[2] else []
            if lines is not together:
                scripts.append(lines)
            first = text.count("\n", 0, block.start(2))
            lines += [""] * (first - len(lines)) + block[2].splitlines()
    return [cut_down("\n".join(lines)) for lines in scripts if lines]


def events_in_hours(path: Path) -> None:
    """The event table of the examples, whose times are days, with times in hours."""
    with (ROOT / "examples" / "trastuzumab_events.csv").open(encoding="utf-8") as read:
        rows = list(csv.DictReader(read))
    for row in rows:
        row["TIME"] = f"{float(row['TIME']) * H_PER_DAY:g}"
        row["RATE"] = f"{float(row['RATE']) / H_PER_DAY:g}"
    with path.open("w", encoding="utf-8", newline="") as written:
        table = csv.DictWriter(written, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


WITH_PYTHON = [p for p in PAGES if page_scripts(p.read_text(encoding="utf-8"))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    events_in_hours(tmp_path / "events.csv")
    return tmp_path


def test_pages_of_the_python_interface_have_python() -> None:
    assert {"README.md", "python.md"} <= {page.name for page in WITH_PYTHON}


@pytest.mark.parametrize("page", WITH_PYTHON, ids=named)
def test_python_blocks_of_a_page_run(page: Path, folder: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "MPLBACKEND")}
    for place, code in enumerate(page_scripts(page.read_text(encoding="utf-8"))):
        script = folder / f"{page.stem}_{place}.py"
        script.write_text(f"{code}\n{NO_DISPLAY}\n", encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-W", "error", script.name],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_a_block_keeps_its_line_numbers() -> None:
    text = "# a\n\n```python\nx = 1\n```\n\n```sh\nls\n```\n\n```python\ny = x\n```\n"
    (script,) = page_scripts(text)
    lines = script.splitlines()
    assert lines[3] == "x = 1" == text.splitlines()[3]
    assert lines[11] == "y = x" == text.splitlines()[11]
