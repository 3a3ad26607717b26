"""her2sim from Python: names, what every result has, and the same answers as the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from matplotlib.text import Text

import her2sim as h2
from her2sim.errors import DataError, Her2SimError, UnknownNameError
from tests.conftest import ROOT

PATIENT = ROOT / "examples" / "patient_mbc.toml"
EVENTS = ROOT / "examples" / "trastuzumab_events.csv"
LONGEST_REPR = 20


@pytest.fixture(scope="module")
def results() -> dict[str, h2.Exposure | h2.TreatedPatients | h2.TrialResult | h2.Predictions]:
    return {
        "exposure": h2.exposure("trastuzumab/q3w", "mbc", n=200, seed=1),
        "treat": h2.treat("thp", "mbc", n=120, weeks=52, seed=1),
        "run_trial": h2.run_trial("destiny-breast03", per_arm=60, seed=1),
        "simulate": h2.simulate(EVENTS, drug="trastuzumab", typical=True),
    }


def test_the_example_of_the_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "events.csv").write_text(EVENTS.read_text(encoding="utf-8"), encoding="utf-8")
    mbc = h2.population("mbc")
    pk = h2.exposure("trastuzumab/q3w", mbc, n=10_000, seed=1)
    trough = pk.frame().filter(cycle="steady state", metric="cmin")["median"].item()
    assert trough == pytest.approx(44.2, rel=0.1)  # published, as docs/validation.md has it
    assert pk.plot().axes
    run = h2.treat("thp", mbc, n=2_000, weeks=104, seed=1, labels="us")
    assert run.patients()["patient"].to_list() == list(range(1, 2001))
    assert set(run.decisions()["decision"]) == {"hold", "reduce", "resume", "stop"}
    assert set(run.doses()["drug"]) == {"pertuzumab", "trastuzumab", "docetaxel"}
    trial = h2.run_trial("destiny-breast03", per_arm=1_000, seed=1)
    assert trial.hazard_ratios()["published"].to_list() == [0.28, 0.55]
    assert trial.plot_km().axes
    assert "Cortes" in "".join(trial.sources()["source"])
    assert (
        h2.simulate("events.csv", drug="trastuzumab", typical=True, time_unit="day").frame().height
        == 4
    )


def test_her2sim_is_imported_in_a_moment() -> None:
    """Nothing heavy is read before it is asked for: that is what takes the time."""
    code = "import sys, her2sim; print([n for n in {heavy} if n in sys.modules])"
    heavy = ["numpy", "polars", "scipy", "pydantic", "matplotlib", "llvmlite", "rich", "click"]
    done = subprocess.run(
        [sys.executable, "-c", code.format(heavy=heavy)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_name_is_there() -> None:
    assert {"population", "exposure", "treat", "run_trial", "simulate"} <= set(dir(h2))
    for name in h2.__all__:
        assert getattr(h2, name).__doc__


@pytest.mark.parametrize("kind", ["exposure", "treat", "run_trial", "simulate"])
def test_what_every_result_has(results, kind: str) -> None:
    result = results[kind]
    assert len(repr(result).splitlines()) < LONGEST_REPR
    assert result.heading() in repr(result)
    html = result._repr_html_()
    assert "<table" in html
    assert "Not a medical device" in html or "not a medical device" in html
    assert result.frame().height > 0
    assert set(result.sources().columns) == {"facts", "key", "source"}
    assert result.sources().height > 0
    picture = result.plot()._repr_png_()
    assert picture.startswith(b"\x89PNG")
    json.dumps(result.as_dict())


def test_patients_show_themselves() -> None:
    mbc = h2.population("mbc")
    assert len(repr(mbc).splitlines()) < LONGEST_REPR
    assert mbc.frame(50, 3).height == 50
    assert mbc.sources().height > 0
    figure = mbc.plot()
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert mbc.heading() in [text.get_text() for text in figure.findobj(match=Text)]
    assert (mbc.frame(50, 3) == mbc.frame(80, 3).head(50)).to_numpy().all()


def test_each_patient_of_an_exposure(results) -> None:
    pk = results["exposure"]
    told = pk.frame().filter(cycle="1", metric="auc")["median"].item()
    first = pk.patients().filter(pl.col("cycle") == 1)
    assert first.height == 200
    assert np.median(first["auc"]) == pytest.approx(told, rel=1e-12)


def test_python_and_the_command_line_say_the_same(results, her2sim) -> None:
    calls = {
        "exposure": "exposure trastuzumab --regimen q3w --patients 200 --seed 1",
        "treat": "population --regimen thp --patients 120 --weeks 52 --seed 1",
        "run_trial": "trial run destiny-breast03 --per-arm 60 --seed 1",
    }
    for kind, call in calls.items():
        done = her2sim(*call.split(), "--json")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        mine = results[kind].as_dict()
        for name in ("outcomes", "exposures", "arms", "comparisons"):
            assert _plain(mine.get(name)) == told.get(name), (kind, name)


def _plain(value: object) -> object:
    """As the command line writes it: a number that is not finite is null."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def test_one_patient() -> None:
    told = {"status": h2.status(ihc="2+", ratio=2.6, copies=6.1)}
    assert told["status"].status.status == "positive"
    assert told["status"].frame()["ish_group"].item() == 1
    told["eligible"] = h2.eligible(PATIENT)
    labelled = told["eligible"].frame().filter(labelled=True)["regimen"]
    assert "pertuzumab-trastuzumab-docetaxel" in labelled
    told["plan"] = h2.plan(PATIENT, "thp", weeks=30)
    assert told["plan"].frame().filter(drug="docetaxel").height == 6
    assert any("LVEF" in test for test in told["plan"].tests()["test"])
    told["course"] = h2.course(PATIENT, "thp", 30, seed=1)
    assert told["course"].frame().filter(drug="docetaxel").height == 6
    assert told["course"].plot()._repr_png_().startswith(b"\x89PNG")
    told["check"] = h2.check(ROOT / "examples" / "record_departures.csv")
    assert told["check"].frame().height > 0
    for answer in told.values():
        assert len(repr(answer).splitlines()) < LONGEST_REPR
        assert "<table" in answer._repr_html_()
        assert answer.sources().height > 0
        json.dumps(answer.as_dict(), default=str)
    clean = h2.check(ROOT / "examples" / "record_clean.csv")
    assert clean.frame().is_empty()
    assert "0 departures" in repr(clean)


def test_a_course_by_readings_and_a_second_regimen() -> None:
    readings = ROOT / "examples" / "readings_mbc.csv"
    found = h2.course(PATIENT, "thp", 78, readings=readings, then="T-DXd", at="progression")
    assert found.heading().count("Line") == 2
    assert {"drug", "decision", "reading"} <= set(found.decisions().columns)


def test_a_seed_that_is_not_given_is_drawn_and_shown() -> None:
    one, two = (h2.exposure("trastuzumab", n=20) for _ in range(2))
    assert one.report.seed != two.report.seed
    again = h2.exposure("trastuzumab", n=20, seed=one.report.seed)
    assert again.frame().equals(one.frame())
    assert f"seed {one.report.seed}" in repr(one)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: h2.population("mbx"), "unknown population 'mbx'; did you mean"),
        (lambda: h2.exposure("trastuzumap"), "did you mean 'trastuzumab'"),
        (lambda: h2.exposure("trastuzumab/q3w", regimen="qw"), "give the regimen once"),
        (lambda: h2.exposure("Phesgo"), "is several drugs"),
        (lambda: h2.exposure("trastuzumab", n=0), "give a number from 1"),
        (
            lambda: h2.treat("thp", n=5, weeks=1),
            "weeks: has to be 3 or more, found 1",
        ),
        (lambda: h2.treat("thp", n=5, weeks=30, without=("magic",)), "unknown mechanism 'magic'"),
        (lambda: h2.run_trial("cleopatr"), "did you mean 'cleopatra'"),
        (lambda: h2.simulate(EVENTS), "a drug or a structure"),
        (lambda: h2.status(), "nothing was tested"),
        (lambda: h2.status(ihc="5+"), "ihc: '5+' is no score; write 0, 0+, 1+, 2+ or 3+"),
        (lambda: h2.treat("thp", n=5, labels="jp", scan="mri"), "2 faults"),
        (lambda: h2.treat("thp", n=5, given_with="loperamide"), "given_with: write a list"),
        (lambda: h2.exposure("trastuzumab", n=2.5), "n: write a whole number"),
        (lambda: h2.exposure("trastuzumab", threads=0), "threads: has to be 1 or more"),
        (lambda: h2.population("mbc", setting="late"), "setting: use 'early' or"),
        (
            lambda: h2.simulate(EVENTS, drug="trastuzumab", carry="x"),
            "carry: use 'nocb'",
        ),
        (lambda: h2.run_trial("cleopatra", workers=0), "workers: has to be 1 or more"),
        (lambda: h2.simulate(EVENTS, drug="trastuzumab", acts_on="x"), "acts on: belongs to a"),
        (lambda: h2.exposure("trastuzumab", n=2, output="/proc/o.parquet"), "cannot be written"),
        (lambda: h2.plan(PATIENT, "thp", weeks=-2), "weeks: has to be"),
        (lambda: h2.eligible(PATIENT, region="jp"), "region: use 'us', 'eu' or 'cn'"),
        (lambda: h2.eligible(PATIENT, date="2019"), "date: give a date such as 2019-06-01, found"),
        (lambda: h2.eligible(PATIENT, date="2099-01-01"), "what is labelled later is not known"),
        (
            lambda: h2.exposure("trastuzumab", patient="mbc"),
            "no such argument; did you mean 'patients",
        ),
        (lambda: h2.treat(None), "regimen: write a text, found None"),
        (
            lambda: h2.exposure("trastuzumab", pl.DataFrame()),
            "patients: give Patients | Path | str",
        ),
        (lambda: h2.course(PATIENT, "thp", then="T-DXd"), "belong together"),
        (lambda: h2.course(PATIENT, "thp", then="T-DXd", at="soon"), "use 'progression', or"),
        (lambda: h2.course(PATIENT, "thp", then="T-DXd", at=float("nan")), "give a week after"),
        (lambda: h2.eligible("nobody.toml"), "cannot be read"),
    ],
)
def test_wrong_input_is_refused_in_one_message(call, message: str) -> None:
    with pytest.raises(Her2SimError) as caught:
        call()
    assert message in str(caught.value)


def test_arguments_are_brought_to_their_kinds(tmp_path: Path) -> None:
    kept = tmp_path / "kept.parquet"
    found = h2.exposure("trastuzumab", n=5, seed=1, output=str(kept))
    assert kept.is_file()
    assert found.published().columns[:2] == ["analyte", "cycle"]
    none = h2.exposure("tucatinib", n=5, seed=1, interactions=[("co-medication", "itraconazole")])
    assert none.published().is_empty()
    assert none.published().columns == found.published().columns
    assert h2.plan(str(PATIENT), "thp", start="2026-12-01").plan.date(21) == "2026-12-22"
    assert h2.population(ROOT / "examples" / "patients.csv").frame().height > 0


def test_what_was_not_kept_is_refused() -> None:
    run = h2.treat("trastuzumab", n=5, weeks=9, seed=1, keep=False)
    with pytest.raises(DataError, match="keep=True"):
        run.doses()


def test_an_arm_that_is_not_there(results) -> None:
    trial = results["run_trial"]
    assert trial.patients("tdxd").height == 60
    with pytest.raises(UnknownNameError, match="did you mean 'tdm1'"):
        trial.patients("tdm")


def test_a_script_without_its_guard_is_told(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import her2sim as h2\n"
        "h2.run_trial('cleopatra', per_arm=4, seed=1, members=1, workers=2, chunk=2)\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode != 0
    told = [line for line in done.stderr.splitlines() if "SolverError: 2 processes" in line]
    assert len(told) == 1
    assert "__main__" in told[0]


def test_outcomes_of_a_trial_are_those_of_its_own_run(tmp_path: Path) -> None:
    """A folder that another run has written to, or that is gone, is told and not read."""
    asked = {"members": 1, "folder": tmp_path / "kept"}
    first = h2.run_trial("cleopatra", per_arm=4, seed=1, **asked)
    assert first.patients("placebo").height == 4
    with pytest.raises(DataError, match=r"of another run \(seed 1, asked 2\)"):
        h2.run_trial("cleopatra", per_arm=5, seed=2, **asked)
    second = h2.run_trial("cleopatra", per_arm=5, seed=2, restart=True, **asked)
    assert second.patients("placebo").height == 5
    with pytest.raises(DataError, match="written by another run"):
        first.patients("placebo")
    shutil.rmtree(tmp_path / "kept")
    with pytest.raises(DataError, match="not there any more"):
        second.patients("placebo")


def test_a_result_says_what_was_asked() -> None:
    asked = {"ihc": "2+", "ish": "negative", "earlier_lines": 2, "scan": "muga"}
    found = h2.treat("T-DXd", n=12, weeks=9, seed=1, without=("adcc",), **asked)
    for part in ("metastatic", "HER2 2+, ISH negative", "earlier lines: 2", "muga", "without adcc"):
        assert part in found.heading()
    told = found.as_dict()
    assert (told["tumour"]["ihc"], told["tumour"]["is_amplified"]) == ("2+", False)
    assert (told["scan"], told["without"]) == ("muga", ["adcc"])


def test_a_table_without_observations_has_no_figure(tmp_path: Path) -> None:
    table = tmp_path / "doses.csv"
    table.write_text("ID,TIME,AMT,RATE,EVID,CMT,DV\n1,0,420,0,1,1,.\n", encoding="utf-8")
    found = h2.simulate(table, drug="trastuzumab", typical=True)
    assert found.frame().is_empty()
    with pytest.raises(DataError, match="no observation record"):
        found.plot()
