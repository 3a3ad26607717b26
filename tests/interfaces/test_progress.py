"""Progress on a terminal: from the first second, inside a chunk too, and none in a file."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest

LONG = ("population", "--regimen", "thp", "--patients", "14000", "--seed", "1", "--weeks", "156")
CHUNK = 7000
"""Patients that a population treats at once."""


def on_a_terminal(call: tuple[str, ...], cwd) -> list[tuple[float, str]]:
    """What a command writes on a terminal as its error stream, with the seconds since its start."""
    main, side = pty.openpty()
    begun, seen = time.monotonic(), list[tuple[float, str]]()
    child = subprocess.Popen(
        [sys.executable, "-m", "her2sim", *call], cwd=cwd, stdout=subprocess.DEVNULL, stderr=side,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )  # fmt: skip
    os.close(side)
    while True:
        if select.select([main], [], [], 0.1)[0]:
            try:
                text = os.read(main, 65536).decode(errors="replace")
            except OSError:  # the other end was closed
                break
            seen.append((time.monotonic() - begun, text))
        elif child.poll() is not None:
            break
    os.close(main)
    assert child.wait() == 0
    return seen


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_shows_early_and_inside_a_chunk(tmp_path) -> None:
    seen = on_a_terminal(LONG, tmp_path)
    shown = [(at, text) for at, text in seen if "patients" in text]
    counts = [int(n) for _, text in shown for n in re.findall(r"(\d+)/14000", text)]
    assert len({n for n in counts if 0 < n < CHUNK}) >= 3  # before the first chunk is done
    assert counts == sorted(counts)
    first = shown[0][0]
    last = seen[-1][0]
    assert first < max(0.5 * last, 3.0)


def test_no_progress_in_a_file(her2sim) -> None:
    done = her2sim("delay", "trastuzumab", "--patients", "3000", "--seed", "1")
    assert done.stderr == ""
