"""What a trial asks beyond the trials of the calibration is said first."""

from __future__ import annotations

from pathlib import Path

import her2sim as h2
from her2sim.studies.trial.beside import OUTSIDE, Beside
from her2sim.trials.library import load_trial
from tests.conftest import ROOT

OWN = ROOT / "examples" / "trial_own.toml"


def changed(tmp_path: Path, before: str, after: str) -> str:
    """What is said of the example with something changed."""
    path = tmp_path / "trial.toml"
    text = OWN.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    return Beside(load_trial(str(path))).outside()


def test_trials_of_the_calibration_are_inside() -> None:
    """Nothing is said of a trial whose figures the numbers were fitted to."""
    for name in ("emilia", "cleopatra", "destiny-breast03", "nala", "hera"):
        assert Beside(load_trial(name)).outside() == "", name


def test_another_line_is_outside(tmp_path: Path) -> None:
    """Trastuzumab emtansine after seven lines: no anchor tells of that."""
    assert changed(tmp_path, 'shares = { "1" = 1.0 }', 'shares = { "1" = 1.0 }') == ""
    told = changed(tmp_path, 'shares = { "1" = 1.0 }', 'shares = { "7" = 1.0 }')
    assert told.startswith(OUTSIDE)
    assert "trastuzumab-emtansine" in told
    assert "after 7" in told


def test_another_dose_is_outside(tmp_path: Path) -> None:
    """A dose or interval that is not the label's."""
    for mark in ("%70", "~28"):
        told = changed(tmp_path, 'name = "trastuzumab-emtansine" }',
                       f'name = "trastuzumab-emtansine/q3w{mark}" }}')  # fmt: skip
        assert "not the label's" in told, mark


def test_a_drug_without_trials_is_outside(tmp_path: Path) -> None:
    """Zanidatamab has no trial in breast cancer; the heading says so first."""
    told = changed(tmp_path, 'name = "trastuzumab-emtansine" }', 'name = "zanidatamab" }')
    assert "zanidatamab" in told
    result = h2.run_trial(tmp_path / "trial.toml", per_arm=30, seed=1)
    assert result.heading().startswith(OUTSIDE)
