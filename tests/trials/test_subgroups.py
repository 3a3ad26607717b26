"""Contrasts of subgroups: how a published figure and a predicted one are told apart."""

from __future__ import annotations

import math
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from her2sim.errors import DataError
from her2sim.studies.trial.subgroups import contrast_rows, verdict_of
from her2sim.trials.figure_errors import ratio_sampling
from her2sim.trials.library import load_trial, trial_names
from her2sim.trials.measures import PAIRS, SUBGROUPS
from her2sim.trials.seen_subgroups import seen_subgroups, trait_names

LOG = math.log


@pytest.mark.parametrize(
    ("published", "error", "predicted", "spread", "verdict"),
    [
        (LOG(0.6), 0.2, LOG(0.7), 0.05, "supported"),  # shown, and predicted
        (LOG(0.6), 0.4, LOG(0.7), 0.05, "not seen"),  # too uncertain
        (LOG(1.0), 0.1, LOG(1.05), 0.05, "supported"),  # none, and none predicted
        (LOG(1.0), 0.4, LOG(1.05), 0.05, "not seen"),
        (LOG(1.0), 0.1, LOG(0.6), 0.05, "contradicted"),
        (LOG(1.0), 0.1, LOG(0.6), 0.5, "not seen"),  # the prediction is too uncertain
        (LOG(0.6), 0.2, LOG(0.7), 0.5, "not seen"),
        (LOG(1.0), 0.1, LOG(1.05), 0.5, "not seen"),
        (LOG(1.4), 0.1, LOG(0.9), 0.05, "contradicted"),
    ],
)
def test_what_a_published_figure_makes_of_a_prediction(
    published: float, error: float, predicted: float, spread: float, verdict: str
) -> None:
    assert verdict_of(published, error, predicted, spread) == verdict


def test_pairs_are_known_groups_of_one_trait() -> None:
    for pairs in PAIRS.values():
        for group, over in pairs:
            assert SUBGROUPS[group][0] == SUBGROUPS[over][0]
    assert trait_names("PIK3CA") == {"pik3ca"}
    assert "ihc" in trait_names("HER2 level")


def test_a_group_against_all_has_the_error_of_a_part(reported) -> None:
    """SOPHIA published carriers and everyone: the chance of everyone is in that of carriers too."""
    report = reported(12, each=240, carriers=120)
    (row,) = report.contrasts
    assert (row.trait, row.group, row.over) == ("FcgRIIIa genotype", "fcgr3a_f_carriers", "")
    trial = load_trial("sophia")
    part, whole = (
        next(r for r in trial.comparison if r.endpoint == "PFS" and r.subgroup == name)
        for name in ("fcgr3a_f_carriers", None)
    )
    error = np.sqrt(ratio_sampling(trial, part) ** 2 - ratio_sampling(trial, whole) ** 2)
    assert row.published == pytest.approx(0.68 / 0.76)
    assert np.log(row.published_high / row.published) == pytest.approx(1.645 * error, rel=1e-3)


def test_too_few_patients_of_a_group_tell_nothing(reported) -> None:
    assert reported(12, carriers=4).contrasts == ()
    assert reported(12, carriers=20).contrasts == ()
    assert reported(9, each=240, carriers=120).contrasts == ()  # nor do too few members


def test_replicates_tell_nothing_of_subgroups(reported) -> None:
    assert reported(3, replicates=3).contrasts == ()
    assert [*contrast_rows(load_trial("sophia"), {}, has_best=False)] == []


def test_what_is_kept_is_what_trials_published() -> None:
    """The file of `make trials`: each pair that a trial published, with its own ratio."""
    kept = {(row.trial, row.arm, row.versus, row.group, row.what): row for row in seen_subgroups()}
    pairs = {group: over for pairs in PAIRS.values() for group, over in pairs}
    n = 0
    for name in trial_names():
        trial = load_trial(name)
        ratios = {(r.arm, r.versus, r.subgroup): r.hazard_ratio for r in trial.comparison
                  if r.endpoint in ("PFS", "TTP")}  # fmt: skip
        for (arm, versus, group), value in ratios.items():
            if group not in pairs:
                continue
            other = ratios.get((arm, versus, pairs[group])) or ratios[arm, versus, None]
            row = kept[trial.id, arm, versus, group, "PFS hazard ratio"]
            assert row.published == pytest.approx(value / other, rel=6e-3)  # three figures
            n += 1
    assert n >= 6


def test_an_unknown_group_of_a_prognosis_is_refused(tmp_path) -> None:
    from importlib.resources import files

    text = files("her2sim.trials").joinpath("facts", "nala.toml").read_text(encoding="utf-8")
    path = tmp_path / "own.toml"
    path.write_text(text.replace('versus = "ihc_2"', 'versus = "ihc_22"'))
    with pytest.raises(DataError, match=r"prognosis.*ihc_22.*did you mean"):
        load_trial(str(path))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('versus = "ihc_2"\nendpoint = "PFS"', 'versus = "ihc_1"\nendpoint = "PFS"', "is no pair"),
        ('versus = "ihc_2"\nendpoint = "PFS"', 'versus = "ihc_2"\nendpoint = "ORR"', "use PFS or"),
        ("low = 0.54\nhigh = 0.82", "low = 0.84\nhigh = 0.82", "have to be in order"),
        ("hazard_ratio = 0.76", "hazard_ratio = 0.96", "have to be in order"),
        ("value = 5.6\n", "value = -5.6\n", "has to be above zero"),
        ("value = 32.8\n", "value = 132.8\n", "a rate is 0 to 100 %"),
    ],
)
def test_figures_that_cannot_be_are_refused(tmp_path, old: str, new: str, words: str) -> None:
    from importlib.resources import files

    text = files("her2sim.trials").joinpath("facts", "nala.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "own.toml"
    path.write_text(text.replace(old, new))
    with pytest.raises(DataError, match=words):
        load_trial(str(path))


def test_a_trial_without_a_curve_has_no_figure(tmp_path: Path) -> None:
    import her2sim as h2

    text = (files("her2sim.trials") / "facts" / "apt.toml").read_text(encoding="utf-8")
    text = re.sub(r"\[\[outcome\]\]\n(?:.+\n)+", "", text)
    path = tmp_path / "only_safety.toml"
    path.write_text(re.sub(r"endpoints = .*", 'endpoints = ["safety"]', text), encoding="utf-8")
    with pytest.raises(DataError, match="no endpoint with a curve"):
        h2.run_trial(str(path), per_arm=4, seed=1, members=1).plot()
