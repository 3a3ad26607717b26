"""Questions of the page: links, commands and Python lines that ask the same; faults at fields."""

from __future__ import annotations

import math
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import her2sim as h2
from her2sim.cli import main
from her2sim.errors import DataError
from her2sim.patients.patient import load_patient
from her2sim.web.forest import PLACES, forest_svg
from her2sim.web.levels_question import LevelsQuestion
from her2sim.web.patient_question import PatientQuestion
from her2sim.web.question import Question
from her2sim.web.questions import (
    QUESTIONS,
    DrugQuestion,
    PopulationQuestion,
    RecordQuestion,
    question_of,
)
from her2sim.web.trial_questions import GridQuestion, OwnTrialQuestion, TrialQuestion
from tests.conftest import ROOT

ASKED = (
    PatientQuestion(),
    PatientQuestion(regimen="CLEOPATRA", dose_percent=80, every_weeks=4, missed=3, rules=False),
    PatientQuestion(her2="1+", weight_kg=92, region="eu", seed=9),
    TrialQuestion(name="emilia", per_arm=60),
    GridQuestion(name="emilia", per_arm="40,\n80", follow_up="12.0", effect="100, 0", pool=50),
    OwnTrialQuestion(upload="1" * 32, per_arm=70),
    DrugQuestion(drug="tucatinib", population="mbc", patients=100),
    PopulationQuestion(regimen="trastuzumab + paclitaxel/qw*12", patients=60, weeks=12),
    LevelsQuestion(),
    LevelsQuestion(drug="tucatinib", levels="10:150; 12: <20", weight_kg=80),
    LevelsQuestion(regimen="qw", target="cmin >= 30", seed=3),
    RecordQuestion(upload="0" * 32, region="eu"),
)


@pytest.mark.parametrize("question", ASKED, ids=lambda q: q.kind)
def test_a_link_opens_the_same_question(question: Question) -> None:
    """What a link holds is the whole question."""
    parts = urlsplit(question.link())
    assert parts.path == f"/{question.kind}"
    assert question_of(question.kind, dict(parse_qsl(parts.query))) == question


def test_a_question_says_all_its_fields() -> None:
    """For a page on paper, where fields are not seen."""
    text = PatientQuestion(weight_kg=92, rules=False).in_words()
    assert "weight, kg: 92.0" in text
    assert "rules of the label: off" in text
    assert text.count(":") >= len(PatientQuestion.model_fields) - 1


@settings(deadline=None, max_examples=30)
@given(
    weight_kg=st.floats(35, 160), dose_percent=st.integers(25, 200),
    every_weeks=st.integers(0, 8), missed=st.sampled_from([0, *range(2, 13)]),
    her2=st.sampled_from(["3+", "2+ amplified", "2+", "1+", "0"]), lines_before=st.integers(0, 4),
)  # fmt: skip
def test_any_link_comes_back(**fields: object) -> None:
    """Whatever the sliders say."""
    question = PatientQuestion.model_validate(fields)
    parts = urlsplit(question.link())
    assert question_of("patient", dict(parse_qsl(parts.query))) == question


def lay_out(question: Question, folder: Path) -> None:
    """Files that a question needs: those that it offers, and those that a user dropped."""
    for name, text in question.files().items():
        (folder / name).write_text(text)
    for name, path in question.attached(folder).items():
        example = "trial_own.toml" if name.endswith(".toml") else "record_departures.csv"
        for target in (path, folder / name):
            target.write_bytes((ROOT / "examples" / example).read_bytes())


@pytest.mark.parametrize("question", ASKED, ids=lambda q: q.kind)
def test_the_command_asks_the_same(
    question: Question, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line that a view shows runs, and gives what the view shows."""
    monkeypatch.chdir(tmp_path)
    lay_out(question, tmp_path)
    words = shlex.split(question.command())
    assert words[0] == "her2sim"
    result = CliRunner().invoke(main, words[1:])
    departs = question.kind == "record"  # `check` ends with 1 where a record departs
    assert result.exit_code == int(departs), result.output
    first = question.answer(tmp_path).heading().splitlines()[0]
    assert first[:40] in " ".join(result.output.split())


@pytest.mark.parametrize("question", ASKED, ids=lambda q: q.kind)
def test_the_python_lines_run(
    question: Question, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines that a view shows run as they stand."""
    monkeypatch.chdir(tmp_path)
    lay_out(question, tmp_path)
    exec(compile(question.python(), "shown", "exec"), {})


def test_the_patient_file_is_the_patient(tmp_path: Path) -> None:
    """A file that a view offers is read as the patient that was simulated."""
    question = PatientQuestion(her2="2+", lines_before=2, weight_kg=91)
    (tmp_path / "patient.toml").write_text(question.files()["patient.toml"])
    assert load_patient(tmp_path / "patient.toml") == question.patient()
    found = h2.course(tmp_path / "patient.toml", question.regimen, question.weeks, seed=4)
    assert found.frame().equals(question.answer(tmp_path).frame())


@pytest.mark.parametrize(
    ("kind", "told", "words"),
    [
        ("patient", {"weight_kg": "3"}, ("weight, kg",)),
        ("patient", {"missed": "1"}, ("missed", "first")),
        ("patient", {"regimen": "aspirin"}, ("regimen", "aspirin")),
        ("patient", {"regimen": "pyrotinib", "missed": "3"}, ("tablets",)),
        ("patient", {"shoe_size": "42"}, ("shoe_size", "unknown")),
        ("patient", {"weight_kg": "nan"}, ("weight, kg",)),
        ("trial", {"name": "emilla", "per_arm": "1"}, ("trial", "emilia", "patients an arm")),
        ("trial", {"name": "../../etc/passwd"}, ("trial",)),
        ("trial", {"name": "/etc/passwd"}, ("trial",)),
        ("grid", {"per_arm": "50, many"}, ("patients an arm", "many")),
        ("grid", {"per_arm": "50.9"}, ("patients an arm", "whole")),
        ("grid", {"follow_up": "nan"}, ("follow-up, months", "180")),
        ("grid", {"follow_up": "6,6"}, ("follow-up, months", "once")),
        ("grid", {"effect": "150"}, ("effect", "100")),
        ("grid", {"per_arm": "1," * 200}, ("patients an arm",)),
        ("grid", {"per_arm": ",".join(map(str, range(10, 30))), "follow_up": "1,2,3,4"}, ("200",)),
        ("grid", {"upload": "../x"}, ("trial file", "drop")),
        ("drug", {"drug": "trastuzumb"}, ("trastuzumab",)),
        ("population", {"population": "mars"}, ("population", "mars")),
        ("levels", {"levels": "21 14"}, ("levels", "day: level")),
        ("levels", {"levels": "21: 0"}, ("levels.csv: row 2", "zero")),
        ("levels", {"doses": "0: 560, 99999: 420"}, ("doses.csv: row 3", "36500")),
        ("levels", {"doses": "0 560"}, ("doses", "day: mg")),
        ("levels", {"drug": "trastuzumb"}, ("drug", "trastuzumab")),
        ("levels", {"regimen": "q9w"}, ("q9w",)),
        ("levels", {"target": "cmin=2"}, ("target", "cmin>=20")),
        ("record", {"upload": "../../secret"}, ("record", "drop")),
        ("record", {}, ("record: is missing",)),
        ("nothing", {}, ("nothing",)),
        ("patient", {"seed": str(10**30)}, ("seed",)),
        ("patient", {"regimen": "x" * 500}, ("400",)),
    ],
)  # fmt: skip
def test_faults_name_their_fields(kind: str, told: dict[str, str], words: tuple[str, ...]) -> None:
    """Nothing is guessed: each fault is told, with its field."""
    with pytest.raises(DataError) as fault:
        question_of(kind, told)
    for word in words:
        assert word in str(fault.value)


def test_kinds_have_their_own_path() -> None:
    """No two questions share an address."""
    kinds = [question.kind for question in QUESTIONS]
    assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize(
    ("kept", "example"),
    [("trial.toml", "trial_own.toml"), ("record.csv", "record_departures.csv")],
)
def test_views_open_with_the_examples(kept: str, example: str) -> None:
    """What a view begins with is the example of the documents, word by word."""
    own = ROOT / "src" / "her2sim" / "web" / kept
    assert own.read_text() == (ROOT / "examples" / example).read_text()


def test_a_forest_says_each_ratio_in_words(tmp_path: Path) -> None:
    """Predicted with its range, published, and the constant guess: as in the frame of the trial."""
    found = h2.run_trial("emilia", per_arm=60, seed=1)
    rows = list(found.hazard_ratios().iter_rows(named=True))
    root = ET.fromstring(forest_svg(rows).split("<figcaption>")[0].split("\n", 1)[1])
    text = root.attrib["aria-label"]
    first = rows[0]
    assert f"predicted {first['predicted']:.2f} ({first['low']:.2f} to" in text
    assert "published 0.65 (0.55 to 0.77)" in text
    assert f"constant guess says {first['constant']:.2f}" in text
    assert text.count("predicted") == sum(row["predicted"] is not None for row in rows)


def test_a_forest_of_nothing_is_empty() -> None:
    """No ratio, none that is finite: no chart."""
    blank = dict.fromkeys(PLACES) | {"endpoint": "PFS", "arm": "a", "versus": "b", "subgroup": None}
    assert forest_svg([]) == ""
    assert forest_svg([blank, blank | {"predicted": math.nan}, blank | {"predicted": 0.0}]) == ""
    assert "1.00e" not in forest_svg([blank | {"predicted": 1e9}])
