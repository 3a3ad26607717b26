"""Trial files: those that come with her2sim, faults, and designs that cannot be."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from her2sim.biology.ensemble import Members
from her2sim.biology.lesion_model import disease_of
from her2sim.errors import DataError, UnknownNameError
from her2sim.studies.trial.beside import Beside
from her2sim.studies.trial.report import trial_report
from her2sim.trials.arm import ArmPatients, run_arm
from her2sim.trials.folder import TrialFolder
from her2sim.trials.library import load_trial, trial_names, trials_like
from her2sim.trials.run import RunSettings, run_trial

EXAMPLE = Path(__file__).parents[2] / "examples" / "trial_own.toml"
WANTED = {
    "H0648g", "M77001", "CLEOPATRA", "EMILIA", "DESTINY-Breast01", "DESTINY-Breast03",
    "DESTINY-Breast04", "DESTINY-Breast06", "HER2CLIMB", "NALA", "EGF100151", "EGF104900",
    "SOPHIA", "PHOEBE", "PHEREXA", "HERA", "B31-N9831", "BCIRG006", "APT",
}  # fmt: skip


def changed(tmp_path: Path, *changes: tuple[str, str]) -> str:
    """The example with some texts in place of others, as a file."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "trial.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_all_trials_are_there_and_their_figures_have_a_source() -> None:
    trials = [load_trial(name) for name in trial_names()]
    assert {trial.id for trial in trials} >= WANTED
    for trial in trials:
        for row in (*trial.outcome, *trial.comparison, *trial.safety, *trial.landmarks):
            assert row.source is not None
            assert trial.source_text(row.source)


def test_a_trial_is_found_by_its_other_names() -> None:
    assert load_trial("DB03") is load_trial("destiny-breast03")
    with pytest.raises(UnknownNameError, match="did you mean 'cleopatra'"):
        load_trial("cleopatr")


def test_all_faults_of_a_file_are_told_with_their_places(tmp_path: Path) -> None:
    path = changed(
        tmp_path,
        ('base = "mbc"', 'base = "mbx"'),
        ('"3+" = 0.9', '"3+" = 0.7'),
        ('versus = "control"', 'versus = "contrl"'),
        ('endpoints = ["PFS", "ORR", "DoR", "OS"]', 'endpoints = ["PFS", "IDFS", "ORS"]'),
        ('name = "trastuzumab-emtansine-pertuzumab"', 'name = "trastuzumab-emtansin"'),
        ("value = 24", "value = 240"),
        ('response = "confirmed"', 'response = "confirmed"\nsponsor = "me"'),
    )
    with pytest.raises(DataError) as found:
        load_trial(path)
    text = str(found.value)
    assert re.match(r"trial\.toml: \d faults", text)
    for part in (
        "sponsor: this key is not known", "enrolled.base: unknown population 'mbx'",
        "enrolled.her2: shares must be above zero and add up to 1",
        "comparison.0.versus: no arm 'contrl'; did you mean 'control'?",
        "endpoints.1: unknown endpoint 'IDFS'; did you mean 'iDFS'",
        "endpoints.2: unknown endpoint 'ORS'",
        "arm.0.regimen.0.name: unknown regimen", "design: accrual of 240 months",
    ):  # fmt: skip
        assert part in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([('versus = "control"\n', "")], "comparison.0.versus: a hazard ratio needs a control"),
        ([('versus = "control"', 'versus = "combination"')], "needs a control, another arm"),
        ([('endpoint = "PFS"', 'endpoint = "ORR"')], "ORR is a rate and has no hazard ratio"),
        ([("[[scans]]", "[[lvef_tests]]")], "PFS needs a schedule of scans, and there is none"),
        ([('title = "trastuzumab emtansine"', 'title = "x"\nn = 0')], "arm.1.n"),
        ([('id = "control"', 'id = "combination"')], "'combination' is there twice"),
        ([('setting = "metastatic"', 'setting = "early"')], "PFS: early disease is not scanned"),
        ([("until_week = 48\n", "")], "scans: only the last pace may go on to the end"),
        (
            [
                (
                    'reason = "primary endpoint"',
                    'reason = "x"\nfollow_up = { value = 99, unit = "month", '
                    'status = "assumed", reason = "later" }',
                )
            ],
            "follow_up of PFS of combination over control: use 0 to",
        ),
    ],
)
def test_an_impossible_design_is_refused(tmp_path: Path, changes, message: str) -> None:
    with pytest.raises(DataError) as found:
        load_trial(changed(tmp_path, *changes))
    assert message in str(found.value)


def test_the_example_is_a_trial() -> None:
    trial = load_trial(str(EXAMPLE))
    assert [arm.id for arm in trial.arm] == ["combination", "control"]
    assert trial.end_month == 42


def others(folder: Path) -> str:
    """A population with a tumour of which no trial was fitted."""
    path = files("her2sim.patients").joinpath("populations", "btc.toml")
    text = path.read_text(encoding="utf-8").replace('"biliary"', '"other"')
    (folder / "others.toml").write_text(text, encoding="utf-8")
    return str(folder / "others.toml")


def test_efficacy_in_other_tumours_has_no_model_yet(tmp_path: Path) -> None:
    unknown = ('base = "mbc"', f'base = "{others(tmp_path)}"')
    with pytest.raises(DataError) as found:
        load_trial(changed(tmp_path, unknown))
    text = str(found.value)
    disease = disease_of("other", "metastatic")
    assert f"endpoints.0: PFS in {disease}: no model yet" in text
    assert f"comparison.0.endpoint: PFS in {disease}: no model yet" in text
    assert "earlier_lines" not in text


def test_an_own_trial_of_a_fitted_tumour_is_worked_out(tmp_path: Path) -> None:
    """Beside guesses and spreads from trials of that tumour only."""
    trial = load_trial(changed(tmp_path, ('base = "mbc"', 'base = "agc"')))
    assert trial.tumour_type == "gastric"
    beside = Beside(trial)
    assert "EMILIA" not in beside.outside()
    assert set(beside.evidence.values()) <= {"randomised", "not randomised", "none"}
    assert {one.tumour_type for one in trials_like(trial)} == {"gastric"}


def test_safety_in_other_tumours_is_worked_out(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").split("[[comparison]]")[0]
    text = text.replace('base = "mbc"', f'base = "{others(tmp_path)}"')
    text = re.sub(r"endpoints = .*", 'endpoints = ["safety"]', text)
    text = re.sub(r'name = "trastuzumab-emtansine.*?"', 'name = "trastuzumab + docetaxel"', text)
    (tmp_path / "other-trial.toml").write_text(text, encoding="utf-8")
    trial = load_trial(str(tmp_path / "other-trial.toml"))
    few = ArmPatients(np.arange(1, 41), Members(np.zeros(40, dtype=np.int64)))
    frame = run_arm(trial, trial.arm[0], few, 3)
    assert "death_day" not in frame.columns
    assert np.isnan(frame["progressed_day"].to_numpy()).all()
    asked = RunSettings(per_arm=40, seed=3, members=1)
    with TrialFolder(tmp_path / "kept") as store:
        report = trial_report(run_trial(trial, asked, store))
    assert report.endpoints == ()
    assert [row for row in report.safety if row.event == "lvef_drop"]
    assert report.arms[0].follow_up_month > 0
