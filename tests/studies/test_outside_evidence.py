"""What a trial asks beyond the trials of the calibration is said first."""

from __future__ import annotations

from pathlib import Path

import her2sim as h2
from her2sim.studies.trial.evidence import OUTSIDE, outside_evidence
from her2sim.trials.library import load_trial
from tests.conftest import ROOT

OWN = ROOT / "examples" / "trial_own.toml"


def changed(tmp_path: Path, before: str, after: str) -> tuple[str, ...]:
    """Notes on the example with something changed."""
    path = tmp_path / "trial.toml"
    text = OWN.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    return outside_evidence(load_trial(str(path)))


def test_trials_of_the_calibration_are_inside() -> None:
    """Nothing is said of a trial whose figures the numbers were fitted to."""
    for name in ("emilia", "cleopatra", "destiny-breast03", "nala", "hera"):
        assert outside_evidence(load_trial(name)) == (), name


def test_another_line_is_outside(tmp_path: Path) -> None:
    """Trastuzumab emtansine after five lines: no anchor tells of that."""
    assert changed(tmp_path, 'shares = { "1" = 1.0 }', 'shares = { "1" = 1.0 }') == ()
    notes = changed(tmp_path, 'shares = { "1" = 1.0 }', 'shares = { "7" = 1.0 }')
    assert notes
    assert all(note.startswith(OUTSIDE) for note in notes)
    assert any("trastuzumab-emtansine" in note and "after 7" in note for note in notes)


def test_another_dose_is_outside(tmp_path: Path) -> None:
    """A dose or interval that is not the label's."""
    for mark in ("%70", "~28"):
        notes = changed(tmp_path, 'name = "trastuzumab-emtansine" }',
                        f'name = "trastuzumab-emtansine/q3w{mark}" }}')  # fmt: skip
        assert any("not the label's" in note for note in notes), mark


def test_a_drug_without_anchors_is_outside(tmp_path: Path) -> None:
    """Zanidatamab has no trial in breast cancer among the anchors; the report says so first."""
    notes = changed(tmp_path, 'name = "trastuzumab-emtansine" }', 'name = "zanidatamab" }')
    assert any("zanidatamab" in note for note in notes)
    report = h2.run_trial(tmp_path / "trial.toml", per_arm=30, seed=1)
    assert report.notes[0].startswith(OUTSIDE)
