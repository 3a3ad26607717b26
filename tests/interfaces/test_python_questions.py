"""Every other question of the command line from Python: one answer, the same numbers."""

from __future__ import annotations

import copy
import gc
import json
import pickle
from pathlib import Path

import click
import numpy as np
import polars as pl
import pytest

import her2sim as h2
from her2sim.cli import main
from her2sim.errors import DataError, Her2SimError
from tests.conftest import ROOT

PATIENT = ROOT / "examples" / "patient_mbc.toml"
LEVELS = ROOT / "examples" / "levels_trastuzumab.csv"
DOSES = ROOT / "examples" / "doses_trastuzumab.csv"
LONGEST_REPR = 20
SC, IV = "trastuzumab-sc/q3w", "trastuzumab-sc/q3w-iv"

QUESTIONS = {
    "delay": lambda: h2.delay("pertuzumab", n=40, seed=1, dose=5, weeks=2),
    "interval": lambda: h2.interval("pertuzumab", n=40, seed=1, weeks=4),
    "switch": lambda: h2.switch(IV, SC, n=40, seed=1),
    "weight": lambda: h2.weight("trastuzumab", n=40, seed=1, weights_kg=[50, 90]),
    "washout": lambda: h2.washout("trastuzumab", n=40, seed=1, cycles=6),
    "shortage": lambda: h2.shortage("trastuzumab", n=40, seed=1, weeks=(12, 18)),
    "compare": lambda: h2.compare(SC, IV, per_arm=40, seed=1),
    "regimen run": lambda: h2.regimen_exposure("thp", n=40, seed=1, cycles=3),
    "covariates": lambda: h2.covariates("pertuzumab", n=60, seed=1),
    "trial grid": lambda: h2.design_grid(
        "destiny-breast03", (50, 100), (6.0,), (100.0, 0.0), 1, pool=50, members=2, trials=100
    ),
    "trial size": lambda: h2.trial_size("destiny-breast03", 0.9, 1, pool=50, members=2, trials=100),
    "explain": lambda: h2.explain(PATIENT, "thp", seed=4),
    "sensitivity": lambda: h2.sensitivity(
        "trastuzumab + docetaxel", n=3, seed=1, samples=16, weeks=12
    ),
    "individual": lambda: h2.individual(LEVELS, "trastuzumab", PATIENT, doses=DOSES),
    "drug list": h2.drug_list,
    "regimen list": h2.regimen_list,
    "trial list": h2.trial_list,
    "drug show": lambda: h2.drug("T-DXd"),
    "regimen show": lambda: h2.regimen("thp"),
    "trial score": lambda: h2.score(["sakk22-99"], per_arm=30, members=2),
}
COMMANDS = {
    "delay": "delay pertuzumab --patients 40 --seed 1 --dose 5 --weeks 2",
    "interval": "interval pertuzumab --patients 40 --seed 1 --weeks 4",
    "switch": f"switch {IV} {SC} --patients 40 --seed 1",
    "weight": "weight trastuzumab --patients 40 --seed 1 --weights 50,90",
    "washout": "washout trastuzumab --patients 40 --seed 1 --cycles 6",
    "shortage": "shortage trastuzumab --patients 40 --seed 1 --weeks 12-18",
    "compare": f"compare {SC} {IV} --per-arm 40 --seed 1",
    "regimen run": "regimen run thp --patients 40 --seed 1 --cycles 3",
    "covariates": "covariates pertuzumab --patients 60 --seed 1",
    "trial grid": "trial grid destiny-breast03 --per-arm 50,100 --follow-up 6 --effect 100,0 "
    "--seed 1 --pool 50 --members 2 --trials 100",
    "trial size": "trial size destiny-breast03 --power 0.9 --seed 1 --pool 50 --members 2 "
    "--trials 100",
    "individual": f"individual {LEVELS} --drug trastuzumab --patient {PATIENT} --doses {DOSES}",
    "explain": f"explain {PATIENT} --regimen thp --seed 4",
}
ELSEWHERE = {
    "status", "eligible", "plan", "course", "check", "population", "trial run", "exposure",
    "simulate", "validate", "trial crossvalidate",
}  # fmt: skip
"""Asked in test_python.py, ``validate`` in the test of what was published, ``trial crossvalidate``
in that of the calibration."""
NO_ANSWER = {"schema", "trial schema", "demo", "web"}
"""Forms of files, a tour through the others, and the page."""


@pytest.fixture(scope="module")
def answers():
    return {name: ask() for name, ask in QUESTIONS.items()}


def command_names(group: click.Group, before: str = "") -> set[str]:
    """Every command, with the name of its group."""
    found = set()
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found |= command_names(command, f"{name} ")
        else:
            found.add(before + name)
    return found


def test_what_the_command_line_can_do_python_can() -> None:
    assert command_names(main) == {*QUESTIONS, *ELSEWHERE} | NO_ANSWER


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_what_every_answer_has(answers, name: str) -> None:
    answer = answers[name]
    assert len(repr(answer).splitlines()) < LONGEST_REPR
    assert answer.heading() in repr(answer)
    assert "<table" in answer._repr_html_()
    frame = answer.frame()
    assert frame.height > 0
    assert pl.Null not in frame.dtypes
    assert set(answer.sources().columns) == {"facts", "key", "source"}
    assert answer.sources().height > 0
    json.dumps(answer.as_dict(), allow_nan=False)
    if hasattr(answer, "plot"):
        assert answer.plot()._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_command_line_says_the_same(answers, her2sim, name: str) -> None:
    done = her2sim(*COMMANDS[name].split(), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(json.dumps(answers[name].as_dict()))


def test_frames_say_what_tables_say(answers) -> None:
    late = answers["delay"]
    plans = late.frame()
    assert plans.filter(plan="as planned")["day"].to_list()[:3] == [0, 21, 42]
    assert plans["share_at_or_above_target"].drop_nulls().is_between(0, 1).all()
    assert late.report.target == 20  # that of the drug's facts
    weights = answers["weight"].frame()
    assert weights["weight_kg"].unique().sort().to_list() == [50, 90]
    washout = answers["washout"]
    below = washout.patients()["below_day"]
    share = washout.frame().filter(pl.col("day") == 7 * 10)["share_below"].item()
    assert share == pytest.approx((below <= 70).mean())
    short = answers["shortage"].per_patient().filter(course="in the shortage")
    assert short.filter(count="doses_given")["median"].item() == 16
    arms = answers["compare"].patients()
    assert arms["patient"].to_list() == list(range(1, 81))
    means = arms.group_by("arm").agg(pl.col("auc").log().mean().exp())
    ratio = answers["compare"].frame().filter(metric="auc")
    assert ratio["test"].item() in [pytest.approx(x) for x in means["auc"]]
    assert set(answers["explain"].basis().columns) >= {"number", "status"}
    drug = answers["drug show"]
    assert drug.frame().filter(parameter="cl")["value"].item() == 0.421  # Yin 2021
    assert "Equations" in drug.text()


def test_which_facts_there_are() -> None:
    told = {row["drug"]: row for row in h2.drug_list().frame().iter_rows(named=True)}
    assert "Enhertu" in told["trastuzumab-deruxtecan"]["aliases"]
    assert set(h2.trial_list().frame()["trial"]) >= {"cleopatra", "emilia"}
    assert h2.regimen("thp").frame()["doses"].to_list() == [None, None, 6]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: h2.delay("trastuzumab", dose=1), "a delay needs a dose before it"),
        (lambda: h2.delay("trastuzumab", weeks=1e6), "weeks: has to be"),
        (lambda: h2.delay("trastuzumab/"), "write DRUG/REGIMEN, as in"),
        (lambda: h2.interval("trastuzumab", weeks=1e-9), "a minute at least"),
        (lambda: h2.interval("tucatinib"), "a drug that is not taken every day"),
        (lambda: h2.switch(SC, "trastuzumab/q3w"), "needs both regimens in one model"),
        (lambda: h2.weight("trastuzumab", weights_kg=[70]), "at least two different weights"),
        (lambda: h2.weight("trastuzumab", target=float("nan")), "must be above zero"),
        (lambda: h2.washout("trastuzumab", level=0), "must be above zero"),
        (lambda: h2.shortage("trastuzumab"), "say when the drug is missing"),
        (lambda: h2.shortage("trastuzumab", weeks=(18, 12)), "the end must come later"),
        (lambda: h2.shortage("trastuzumab", probability=0.5, substitute="qw"), "a substitute is"),
        (lambda: h2.compare(SC, IV, ROOT / "examples" / "patients.csv"), "give a population"),
        (lambda: h2.compare(SC, IV, per_arm=1), "per_arm: has to be"),
        (lambda: h2.regimen_exposure("thx"), "did you mean"),
        (lambda: h2.explain(PATIENT, "thp", other="nobody.toml"), "cannot be read"),
        (lambda: h2.sensitivity("thp", samples=100), "samples: use 16, 32"),
        (lambda: h2.validate(rows="nothing.toml"), "cannot be read"),
        (lambda: h2.drug("trastuzumap"), "did you mean 'trastuzumab'"),
        (lambda: h2.regimen("thx"), "did you mean"),
        (lambda: h2.score(["cleopatr", "emili"]), "2 faults"),
        (lambda: h2.score(["cleopatra", "CLEOPATRA"]), "named more than once"),
        (lambda: h2.exposure("trastuzumab", n=5, seed=-1), "a seed is a whole number"),
        (lambda: h2.run_trial("cleopatra", per_arm=4, seed=2**64), "a seed is a whole number"),
        (lambda: h2.population("mbc").frame(n=2.5), "n: write a whole number"),
        (lambda: h2.status(ihc="2+", guideline="triumph"), "is for colorectal cancer"),
        (lambda: h2.status(ihc="3+", is_recounted=True), "a recount is of ratio and copies"),
        (lambda: h2.plan(PATIENT, "thp", start="9999-12-01"), "use a date from 1990-01-01"),
    ],
)  # fmt: skip
def test_wrong_input_is_refused_in_one_message(call, message: str) -> None:
    with pytest.raises(Her2SimError) as caught:
        call()
    assert message in str(caught.value)


def test_a_seed_where_nothing_is_drawn_is_refused() -> None:
    table = ROOT / "examples" / "trastuzumab_events.csv"
    with pytest.raises(DataError, match="nothing is drawn here"):
        h2.simulate(table, drug="trastuzumab", typical=True, seed=1)
    told = h2.simulate(table, drug="trastuzumab", typical=True, observations=True, seed=1)
    assert "SIM" in told.frame().columns


def test_a_population_in_another_setting_says_so() -> None:
    early = h2.population("mbc", setting="early")
    assert "taken as early disease" in early.heading()
    found = h2.exposure("trastuzumab/q3w", early, n=20, seed=1)
    assert found.published().is_empty()  # those are of metastatic disease
    assert found.report.population == "mbc (early)"
    same = h2.population("mbc", setting="metastatic")
    assert not h2.exposure("trastuzumab/q3w", same, n=20, seed=1).published().is_empty()


def test_one_patient_has_no_spread(her2sim, tmp_path: Path) -> None:
    done = her2sim("exposure", "trastuzumab", "--patients", "1", "--seed", "1")
    assert "1 patient, seed 1" in done.stdout
    assert "nan" not in done.stdout


@pytest.mark.parametrize(
    ("drug", "asked", "message"),
    [
        ("neratinib", [("co-medication", "")], "nothing is published of it"),
        ("lapatinib", [("food", "")], "nothing is published of it"),
        ("neratinib", [("hepatic", "")], "nothing is published of it"),
        ("tucatinib", [("food", "high-fat")] * 2, "food high-fat: is given twice"),
        ("tucatinib", [("co-medication", "itraconazole")] * 2, "is given twice"),
        ("tucatinib", [("hepatic", "mild"), ("hepatic", "severe")], "a patient has one of them"),
        ("tucatinib", [("food", "x"), ("co-medication", "y")], "2 faults"),
    ],
)
def test_what_changes_a_drug_is_named_and_once(drug: str, asked, message: str) -> None:
    with pytest.raises(DataError, match=message):
        h2.exposure(drug, n=3, seed=1, interactions=asked)


@pytest.mark.parametrize(
    ("call", "faults"),
    [
        (lambda: h2.exposure("trastuzumbb", "mbx", n=5, seed=-1), 3),
        (lambda: h2.delay("trastuzumab", n=0, seed=-1, weeks=-1), 3),
        (lambda: h2.switch("trastuzumab/q9", "trastuzumap/q3w", "mbx"), 3),
        (lambda: h2.weight("trastuzumab", n=5, seed=1, weights_kg=[5, 70, 1000]), 2),
        (lambda: h2.treat("thp", "ebc", 5, seed=1, earlier_lines=2, given_with=("tea",)), 2),
    ],
)
def test_all_faults_of_a_call_are_told(call, faults: int) -> None:
    with pytest.raises(Her2SimError) as caught:
        call()
    assert f"{faults} faults" in str(caught.value)


def test_what_a_table_of_patients_lacks_is_told_at_once(tmp_path: Path) -> None:
    table = tmp_path / "p.csv"
    table.write_text("patient,weight_kg\n1,70\n2,80\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        h2.regimen_exposure("thp", table, seed=1, cycles=2)
    for name in ("albumin_g_per_l", "lean_body_weight_kg", "bsa_m2"):
        assert f"{name} is missing; needed for" in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"labels": None, "confirm": True}, "confirm: nothing is measured without the rules"),
        ({"labels": None, "unconfirmed": False, "scan": "muga"}, "unconfirmed, scan: nothing"),
        ({"patients": "ebc", "earlier_lines": 2}, "early disease has none"),
        ({"without": ("payload",)}, "without payload: these patients and drugs have no such"),
        ({"patients": "ebc", "without": ("her2-low-clone",)}, "have no such thing"),
    ],
)
def test_what_would_not_be_used_is_refused(asked, message: str) -> None:
    with pytest.raises(DataError, match=message):
        h2.treat("thp", n=3, seed=1, weeks=9, **asked)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: h2.shortage("trastuzumab", weeks=(-3, 6)), "use 0 or later"),
        (
            lambda: h2.shortage(
                "trastuzumab", weeks=(3, 6), policy="substitute", substitute="q3w"
            ),
            "it is the regimen that is missing",
        ),
        (lambda: h2.delay("capecitabine/single"), "is one dose"),
        (lambda: h2.washout("capecitabine/single"), "it is one dose"),
        (lambda: h2.delay("trastuzumab", weeks=1e-9), "a minute at least"),
        (lambda: h2.exposure("trastuzumab:"), "has no model ''"),
        (lambda: h2.exposure("trastuzumab", regimen=""), "has no regimen ''"),
        (
            lambda: h2.simulate(
                ROOT / "examples" / "trastuzumab_events.csv", drug="trastuzumab", ignore=["ZZ"]
            ),
            "no such column to ignore: ZZ",
        ),
        (lambda: h2.Patients("mbc", "zz"), "setting 'zz'"),
        (lambda: h2.course(PATIENT, "thp", 52, then="T-DXd", at=60), "lines start in week 0, 60"),
    ],
)  # fmt: skip
def test_more_that_is_refused(call, message: str) -> None:
    with pytest.raises(Her2SimError) as caught:
        call()
    assert message in str(caught.value)


def test_a_drug_that_is_gone_before_its_next_dose_has_no_ratio() -> None:
    found = h2.delay("paclitaxel/q3w", n=5, seed=1)
    assert " - " in repr(found)
    assert found.report.plans[0].last["cmin"].median == 0


def test_a_longer_first_infusion_is_no_loading_dose() -> None:
    for drug, n_plans in (("trastuzumab-emtansine", 2), ("trastuzumab", 3)):
        assert len(h2.delay(drug, n=10, seed=1).report.plans) == n_plans


def test_arrays_and_columns_are_lists() -> None:
    wanted = np.array([50.0, 90.0])
    one = h2.weight("trastuzumab", n=5, seed=1, weights_kg=wanted)
    two = h2.weight("trastuzumab", n=5, seed=1, weights_kg=pl.Series(wanted))
    assert one.frame().equals(two.frame())


def test_a_table_that_has_gone_is_still_known(tmp_path: Path) -> None:
    table = tmp_path / "p.csv"
    table.write_text((ROOT / "examples" / "patients.csv").read_text("utf-8"), "utf-8")
    who = h2.population(table)
    found = h2.exposure("trastuzumab/q3w", who, seed=1)
    table.unlink()
    assert "p.csv" in repr(who)
    assert found.patients().height > 0
    assert found.plot().axes


def test_frames_have_null_for_what_there_is_not(answers) -> None:
    frames = [answer.frame() for answer in answers.values()]
    run = h2.treat("thp", n=30, weeks=30, seed=1)
    frames += [run.frame(), run.patients(), run.decisions(), run.doses()]
    frames += [h2.exposure("trastuzumab", n=1, seed=1).frame(), answers["shortage"].per_patient()]
    for frame in frames:
        assert not any(column.is_nan().any() for column in frame.select(pl.selectors.float()))


def test_a_trial_can_be_copied_and_kept(tmp_path: Path) -> None:
    asked = {"per_arm": 4, "seed": 1, "members": 1}
    trial = h2.run_trial("cleopatra", **asked)
    same, deep = copy.copy(trial), copy.deepcopy(trial)
    with pytest.raises(DataError, match="name one to pickle"):
        pickle.dumps(trial)
    del trial
    gc.collect()
    assert same.patients("placebo").height == deep.patients("placebo").height == 4
    kept = h2.run_trial("cleopatra", folder=tmp_path / "kept", **asked)
    again = pickle.loads(pickle.dumps(kept))
    assert again.patients("placebo").equals(kept.patients("placebo"))
    with pytest.raises(Her2SimError, match="arm: write a text"):
        kept.patients(None)


def test_a_trial_beside_itself_without_rules_says_so() -> None:
    both = h2.run_trial("cleopatra", per_arm=4, seed=1, members=1, also_without_rules=True)
    assert "rules on, and off beside it" in both.heading()
    run = h2.treat("thp", n=4, weeks=9, seed=1, labels=None)
    assert "no label's rules" in run.heading()
