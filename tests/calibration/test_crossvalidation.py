"""Cross-validation as a whole: skill beside guesses, folds that are kept, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import norm

import her2sim as h2
from her2sim.calibration.crossvalidation import Fold
from her2sim.calibration.evidence import Evidence
from her2sim.calibration.fold_folder import FoldFolder
from her2sim.calibration.skill import (
    PredictionInterval,
    by_trial,
    guess,
    normal_interval,
    spread_between_trials,
)
from her2sim.cli import main
from her2sim.errors import DataError, UnknownNameError
from her2sim.studies.crossvalidation import left_out_figures


def test_the_spread_between_trials_is_found() -> None:
    """Of errors with a spread of 0.3 on top of what is known of each."""
    random = np.random.default_rng(1)
    variance = random.uniform(0.01, 0.05, 400)
    error = random.standard_normal(400) * np.sqrt(variance + 0.3**2)
    # 400 errors: 5 % of 0.3, and a bit for what is known.
    assert spread_between_trials(error, variance) == pytest.approx(0.3, abs=0.04)
    assert spread_between_trials(0.1 * np.sqrt(variance), variance) < 0.02
    assert np.isnan(spread_between_trials(error[:2], variance[:2]))


def test_intervals_of_normal_figures_hold_nine_in_ten() -> None:
    random = np.random.default_rng(2)
    value = random.standard_normal(20_000)
    found = normal_interval(np.zeros(20_000), np.ones(20_000))
    assert found.holds(value).mean() == pytest.approx(0.9, abs=0.01)
    # The interval score of a normal forecast that is right.
    limit = norm.ppf(0.95)
    expected = 2 * limit + 2 * 20 * (norm.pdf(limit) - limit * 0.05)
    assert found.score(value).mean() == pytest.approx(expected, rel=0.02)
    narrow = PredictionInterval(found.middle, found.low / 2, found.high / 2)
    assert narrow.score(value).mean() > found.score(value).mean()


def test_a_guess_never_sees_its_own_trial() -> None:
    value = np.array([1.0, 1.0, 5.0, 2.0, 3.0, 4.0])
    trial = ["a", "a", "a", "b", "c", "d"]
    found = guess(value, trial)
    assert found.middle[:3] == pytest.approx(3.0)
    assert found.middle[3] == pytest.approx(np.mean([1, 1, 5, 3, 4]))
    groups = ["x", "x", "y", "x", "x", "y"]
    alike = guess(value, trial, (groups,))
    # Two others of its group are too few: the mean of all others.
    assert alike.middle[0] == found.middle[0]
    assert alike.middle[4] == pytest.approx(np.mean([1.0, 1.0, 2.0]))


def test_the_bootstrap_is_over_trials() -> None:
    """Figures of one trial are no news of each other: twelve equal ones count as one."""
    values = np.concatenate([np.zeros(12), np.ones(12)])
    assert by_trial(values, ["a"] * 12 + ["b"] * 12) == (0.0, 1.0)
    low, high = by_trial(values, [str(k) for k in range(24)])
    assert 0.2 < low < high < 0.8


def test_folds_are_kept_and_never_mixed(tmp_path: Path) -> None:
    anchors = Evidence(50, 1, ("egf100151",)).anchors
    own = tuple(a for a in anchors if a.trial == "EGF100151")
    n, at = len(own), np.array([0.1, 0.2])
    fold = Fold(("EGF100151",), own, np.arange(n, dtype=float), np.ones((n, 3)), at)
    store = FoldFolder(tmp_path / "cv", {"seed": 1})
    assert store.read(fold.trials, anchors) is None
    store.write(fold)
    again = FoldFolder(tmp_path / "cv", {"seed": 1}).read(fold.trials, anchors)
    assert again is not None
    assert again.best.tobytes() == fold.best.tobytes()
    assert again.anchors == own
    with pytest.raises(DataError, match=r"another run \(seed 1 there, 2 here\); name another"):
        FoldFolder(tmp_path / "cv", {"seed": 2})
    (part,) = (tmp_path / "cv").glob("egf*.json")
    part.write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="is damaged; delete it and run again"):
        store.read(fold.trials, anchors)


def test_what_is_refused() -> None:
    with pytest.raises(DataError, match="2 trials: name 4 or more"):
        h2.crossvalidate(["emilia", "nala"])
    with pytest.raises(UnknownNameError, match="emilai"):
        h2.crossvalidate(["emilai", "nala", "sophia", "phoebe"])
    with pytest.raises(
        DataError, match="HERA: not of metastatic disease; name trials of one setting"
    ):
        h2.crossvalidate(["hera", "nala", "sophia", "phoebe"])
    with pytest.raises(DataError, match="3 trials: name 4 or more"):
        h2.crossvalidate(["emilia", "cleopatra", "phoebe", "CLEOPATRA"])
    with pytest.raises(DataError, match="a seed is a whole number"):
        h2.crossvalidate(seed=-1)
    with pytest.raises(UnknownNameError, match="unknown part of the model 'earlier-drgs'"):
        h2.crossvalidate(without=("earlier-drgs",))


def test_a_folder_of_something_else_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match="holds other files; name a new folder"):
        FoldFolder(tmp_path, {"seed": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["notes.md"]
    with pytest.raises(DataError, match="does not exist; make it first"):
        FoldFolder(tmp_path / "a" / "b", {"seed": 1})


@pytest.mark.parametrize("target", ["/nonexist/x.html", "."])
def test_where_a_page_goes_is_asked_before_the_work(target: str) -> None:
    """An hour of refits must not end in a folder that does not exist."""
    found = CliRunner().invoke(main, ["trial", "crossvalidate", "--html", target])
    assert found.exit_code == 2
    assert "make it first" in found.output or "name a file" in found.output


def test_evidence_is_that_of_the_trials_that_took_part() -> None:
    """Without DESTINY-Breast03 in the run, nothing is known of T-DM1 but what EMILIA tells."""
    names = ("EMILIA", "CLEOPATRA", "PHOEBE", "NALA")
    anchors = Evidence(50, 1, names).anchors
    folds = []
    for name in names:
        own = tuple(a for a in anchors if a.trial == name)
        zeros = np.zeros(len(own))
        folds.append(Fold((name,), own, zeros, np.zeros((len(own), 3)), zeros))
    found = {(row.trial, row.arm): row.evidence for row in left_out_figures(folds)}
    assert found["EMILIA", "tdm1"] == found["CLEOPATRA", "pertuzumab"] == "none"


@pytest.mark.slow
def test_a_whole_run(tmp_path: Path) -> None:
    """Four trials with few patients; the second run reads what the first kept."""
    names = ["egf100151", "vital", "phenix", "emilia"]
    found = h2.crossvalidate(names, patients=50, folder=tmp_path / "cv", workers=2)
    frame = found.frame()
    assert set(frame["trial"]) == {"EGF100151", "VITAL", "PHENIX", "EMILIA"}
    assert (frame["low"] < frame["predicted"]).all()
    assert (frame["predicted"] < frame["high"]).all()
    again = h2.crossvalidate(names, patients=50, folder=tmp_path / "cv", workers=2)
    assert again.frame().equals(frame)
    assert "## Success of comparisons" in found.markdown()
