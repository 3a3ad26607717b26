"""The command line as a user meets it: output, files, and one clear message for bad input."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from her2sim.notice import NOTICE

EVENTS = "ID,TIME,AMT,RATE,EVID,CMT,DV\n"


def refused(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    """Exit code 2, nothing on the output, one message with all the parts and no traceback."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr


def test_exposure_json(her2sim) -> None:
    done = her2sim("exposure", "Herceptin", "--regimen", "qw", "--population", "mbc",
                   "--patients", "400", "--seed", "5", "--json")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert list(found)[:2] == ["drug", "model"]
    assert (found["drug"], found["model"]) == ("trastuzumab", "quartino2019")
    assert (found["regimen"], found["population"]) == ("qw", "mbc")
    assert (found["patients"], found["seed"], found["steady_state_cycle"]) == (400, 5, 10)
    assert found["notice"] == NOTICE
    row = found["exposures"][0]
    assert set(row) == {
        "analyte", "cycle", "metric", "unit", "n", "median", "p5", "p95", "mean",
        "geometric_mean", "cv_percent",
    }  # fmt: skip
    assert (row["analyte"], row["cycle"], row["n"]) == ("total_antibody", "1", 400)
    assert {r["metric"] for r in found["exposures"]} == {"cmin", "cmax", "auc", "cavg"}
    assert {"1", "2", "10", "steady state"} <= {r["cycle"] for r in found["exposures"]}
    published = found["published"]
    assert set(published[0]) == {
        "analyte", "cycle", "metric", "unit", "statistic", "value", "low", "high", "source",
        "predicted", "ratio",
    }  # fmt: skip
    for row in published:
        assert row["ratio"] == pytest.approx(row["predicted"] / row["value"])
    units = {r["metric"]: r["unit"] for r in found["exposures"]}
    assert units == {
        "cmin": "ug/mL", "cmax": "ug/mL", "auc": "ug*day/mL", "cavg": "ug/mL",
    }  # fmt: skip


def test_exposure_with_figure_and_table(her2sim, tmp_path: Path) -> None:
    done = her2sim("exposure", "pertuzumab", "--population", "ebc", "--patients", "50",
                   "--seed", "1", "--figure", "f.png", "-o", "out.parquet")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith(NOTICE)
    assert "garg2014" in done.stdout
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")
    table = pl.read_parquet(tmp_path / "out.parquet")
    assert set(table["patient"]) == set(range(1, 51))
    assert {"cycle", "cmin", "cmax", "auc", "weight_kg"} <= set(table.columns)
    manifest = json.loads((tmp_path / "out.parquet.manifest.json").read_text())
    assert manifest["model"] == "pertuzumab:garg2014"
    assert manifest["units"] == {
        "cmin": "ug/mL", "cmax": "ug/mL", "auc": "ug*day/mL", "cavg": "ug/mL",
    }  # fmt: skip
    assert any("Garg" in source for source in manifest["sources"])


def test_the_same_seed_gives_the_same_output(her2sim) -> None:
    call = ("exposure", "trastuzumab-sc", "--population", "ebc", "--patients", "30", "--json")
    one, two = her2sim(*call, "--seed", "8"), her2sim(*call, "--seed", "8", "--threads", "1")
    assert one.stdout == two.stdout
    drawn = json.loads(her2sim(*call).stdout)["seed"]
    assert json.loads(her2sim(*call, "--seed", str(drawn)).stdout)["seed"] == drawn


def test_interrupted_and_resumed(her2sim, tmp_path: Path) -> None:
    call = ("exposure", "trastuzumab", "--patients", "400000", "--seed", "4", "-o", "out.parquet")
    run = subprocess.Popen(
        [sys.executable, "-m", "her2sim", *call],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    parts = tmp_path / "out.parquet.parts"
    while len(list(parts.glob("part-*"))) < 3 and run.poll() is None:
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    output, errors = run.communicate(timeout=60)
    assert (run.returncode, output) == (130, "")
    assert errors == "her2sim: stopped; finished chunks of -o are kept for the next run\n"
    assert not (tmp_path / "out.parquet").exists()
    assert len(list(parts.glob("part-*"))) >= 3
    assert her2sim(*call).returncode == 0
    table = pl.scan_parquet(tmp_path / "out.parquet").select("patient").unique().collect()
    assert table.height == 400_000  # nobody lost, nobody doubled
    assert not parts.exists()


def test_a_table_of_patients(her2sim, tmp_path: Path) -> None:
    rows = "66,41,24,0,breast\n" * 3
    (tmp_path / "p.csv").write_text(
        "weight_kg,albumin_g_per_l,ast_u_per_l,liver_metastases,tumour_type\n" + rows
    )
    call = ("exposure", "trastuzumab", "--population", "p.csv", "--json", "--seed")
    one, two, again = (json.loads(her2sim(*call, s).stdout) for s in ("1", "2", "1"))
    assert one["patients"] == 3
    assert one == again
    assert one["exposures"] != two["exposures"]  # the same patients, other random effects
    refused(
        her2sim("exposure", "pertuzumab", "--population", "p.csv"),
        "p.csv: lean_body_weight_kg is missing; needed for pertuzumab",
    )


def test_demo(her2sim, tmp_path: Path) -> None:
    done = her2sim("demo", "--per-arm", "100")
    assert done.returncode == 0, done.stderr
    for part in ("DESTINY-Breast03", "Hazard ratios", "prediction"):
        assert part in done.stdout
    assert (tmp_path / "demo" / "destiny-breast03.png").is_file()
    assert (tmp_path / "demo" / "destiny-breast03.html").is_file()
    assert done.stdout.rstrip().endswith(NOTICE)


def test_drug_list_and_show(her2sim) -> None:
    listed = her2sim("drug", "list")
    for name in ("trastuzumab", "trastuzumab-sc", "pertuzumab"):
        assert name in listed.stdout
    shown = her2sim("drug", "show", "trastuzumab").stdout
    for part in (
        "d central/dt = ", "cl = 0.127 L/day  ", "or 0.176 L/day if tumour",
        "[published; quartino2019:Table 1", "doi 10.1007/s00280-018-3728-z", "CV 139 %",
    ):  # fmt: skip
        assert part in shown
    assert "nlmixr2lib" not in shown  # what was read is kept and never printed


def test_simulate_prints_and_writes_the_same(her2sim, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(
        "C,id,Time,amt,rate,evid,cmt,dv\n.,7,0,528,8448,1,1,.\nC,7,1,0,0,0,1,9\n"
        ".,7,0.0625,0,0,0,1,201\n.,7,21,0,0,0,1,.\n"
    )
    call = ("simulate", "e.csv", "--drug", "trastuzumab", "--typical", "--time-unit", "day")
    printed = her2sim(*call)
    assert printed.returncode == 0, printed.stderr
    assert "1 rows marked C in column C left out" in printed.stderr
    assert "taken from the reference patient" in printed.stderr
    lines = printed.stdout.splitlines()
    assert lines[0] == "ID,TIME,ANALYTE,PRED,IPRED,DV,UNIT"
    assert lines[1].startswith("7,0.0625,total_antibody,199.7")
    assert lines[1].endswith(",201,ug/mL")
    assert her2sim(*call, "-o", "out.csv").returncode == 0
    assert (tmp_path / "out.csv").read_text() == printed.stdout
    her2sim(*call, "--doses", "doses.csv")
    assert "528.0,8448.0" in (tmp_path / "doses.csv").read_text()


def test_simulate_with_random_effects_needs_the_patient(her2sim, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(EVENTS + "1,0,420,0,1,1,.\n1,504,0,0,0,1,.\n")
    refused(
        her2sim("simulate", "e.csv", "--drug", "pertuzumab"),
        "needs lean_body_weight_kg, albumin_g_per_l", "(typical) patient",
    )  # fmt: skip
    done = her2sim(
        "simulate", "e.csv", "--drug", "pertuzumab", "--seed", "2", "--covariate",
        "lean_body_weight_kg=48", "--covariate", "albumin_g_per_l=39",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pred, ipred = map(float, done.stdout.splitlines()[1].split(",")[3:5])
    assert pred == pytest.approx(27.7, abs=0.3)  # half of the typical trough after 840 mg
    assert ipred != pred


def test_validate(her2sim, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        '[[exposure]]\nid = "mine"\ndrug = "Herceptin"\nregimen = "q3w"\npopulation = "mbc"\n'
        'cycle = "1"\nmetric = "cmin"\nstatistic = "median"\nvalue = 30\nunit = "ug/mL"\n'
        'source = "me"\n[sources.me]\ncitation = "My paper"\n'
    )
    done = her2sim("validate", "--json", "--patients", "300", "--rows", "own.toml",
                   "--html", "page.html")  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["notice"] == NOTICE
    row = next(r for r in found["rows"] if r["id"] == "mine")
    assert {
        "id", "drug", "model", "model_status", "region", "regimen", "population", "analyte",
        "cycle", "metric", "statistic", "unit", "published", "predicted", "ratio", "tolerance",
        "class", "inside", "reason", "source", "tolerance_class",
    } <= set(row)  # fmt: skip
    assert (row["drug"], row["source"], row["tolerance"]) == ("trastuzumab", "My paper", 0.15)
    assert row["class"] == "counted"
    assert {r["class"] for r in found["rows"]} == {"counted", "calibration", "not_comparable"}
    assert {"drug", "n_counted", "n_inside"} == set(found["summary"][0])
    page = (tmp_path / "page.html").read_text()
    assert "My paper" in page
    assert NOTICE in page
    assert "http" not in page.replace("https://", "")  # nothing is loaded from elsewhere


# Ten kinds of wrong input, and more: command, file content, what the message must say.


def test_a_million_faulty_rows(her2sim, tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("ID,TIME,AMT,RATE,DUR\n" + "1,0,x,1,2\n" * 1_000_000)
    limit = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_DATA, (2**30, 2**30));"
    code = limit + "sys.argv = ['her2sim', 'simulate', 'e.csv', '--drug', 'pertuzumab'];"
    code += "runpy.run_module('her2sim', run_name='__main__')"
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert time.monotonic() - start < 30  # promised: 10 s on a quiet machine
    refused(done, "1000000 faults", "row 2 (ID 1, TIME 0): AMT 'x' is not a number",
            "... and 999980 more")  # fmt: skip
    assert len(done.stderr.splitlines()) == 22


def test_washout(her2sim, tmp_path: Path) -> None:
    command = ("washout", "trastuzumab", "--population", "ebc", "--patients", "300", "--seed", "2")
    done = her2sim(*command, "--figure", "w.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Days from the last dose until below 1 ug/mL" in done.stdout
    assert done.stdout.rstrip().endswith(NOTICE)
    assert (tmp_path / "w.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads(her2sim(*command, "--json").stdout)
    assert (found["cycles"], found["level"], found["unit"]) == (17, 1.0, "ug/mL")
    assert found["notice"] == NOTICE
    days = found["days_after_last_dose"]
    assert days["p5"] < days["median"] < days["p95"]
    assert f"{days['median']:.3g}" in done.stdout
    assert [row["week"] for row in found["share_below"]] == list(range(0, 41, 4))


def test_a_regimen_in_json_and_in_tables(her2sim, tmp_path: Path) -> None:
    call = ("regimen", "run", "HER2CLIMB", "--patients", "40", "--seed", "2", "--cycles", "3")
    found = json.loads(her2sim(*call, "--json").stdout)
    assert (found["regimen"], found["cycles"]) == ("tucatinib-trastuzumab-capecitabine", 3)
    assert [d["drug"] for d in found["drugs"]] == ["tucatinib", "trastuzumab", "capecitabine"]
    assert [d["doses"] for d in found["drugs"]] == [126, 3, 84]
    assert found["notice"] == NOTICE
    assert {r["analyte"] for r in found["exposures"] if r["drug"] == "capecitabine"} == {
        "parent", "dfcr", "dfur", "fu",
    }  # fmt: skip
    done = her2sim(*call, "--figure", "r.png", "-o", "r.parquet")
    assert done.returncode == 0, done.stderr
    assert "no data on an interaction are known" in done.stdout
    assert done.stdout.rstrip().endswith(NOTICE)
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
    assert pl.read_parquet(tmp_path / "r.parquet").height == 40 * 3 * 3
    listed, shown = her2sim("regimen", "list").stdout, her2sim("regimen", "show", "PHT").stdout
    assert "CLEOPATRA" in listed
    assert "docetaxel:ozawa2007 (published)" in shown


@pytest.mark.parametrize(
    ("call", "n_plans"),
    [
        ("delay trastuzumab --dose 3 --weeks 2", 3),
        ("delay trastuzumab-sc --dose 3 --weeks 2", 2),  # it has no loading dose
        ("switch trastuzumab-sc/q3w-iv trastuzumab-sc/q3w --after 2", 3),
        ("interval pertuzumab --weeks 4 --for 24", 3),
    ],
)
def test_questions_about_a_regimen(her2sim, tmp_path: Path, call: str, n_plans: int) -> None:
    options = ("--patients", "30", "--seed", "1")
    found = json.loads(her2sim(*call.split(), *options, "--json").stdout)
    assert (found["patients"], found["target"], found["unit"]) == (30, 20.0, "ug/mL")
    assert found["notice"] == NOTICE
    assert len(found["plans"]) == n_plans
    for plan in found["plans"]:
        n_doses = len(plan["dose_day"])
        assert len(plan["trough"]["median"]) == len(plan["share_at_or_above_target"]) == n_doses
        assert set(plan["last_interval"]) == {"cmin", "cmax", "cavg"}
    done = her2sim(*call.split(), *options, "--figure", "q.png")
    assert done.returncode == 0, done.stderr
    assert "Between the last two doses" in done.stdout
    assert (tmp_path / "q.png").read_bytes().startswith(b"\x89PNG")


def test_weight(her2sim) -> None:
    call = ("weight", "trastuzumab", "--weights", "90,45", "--patients", "30", "--seed", "1")
    found = json.loads(her2sim(*call, "--json").stdout)
    assert [row["weight_kg"] for row in found["weights"]] == [45, 90]
    assert found["weights"][0]["maintenance_dose_mg"] == 270
    assert "trough at or above 20" in her2sim(*call).stdout


def test_help_names_every_command(her2sim) -> None:
    done = her2sim("--help")
    assert done.returncode == 0
    for word in ("demo", "exposure", "simulate", "washout", "drug", "not a medical device"):
        assert word in done.stdout
    for command in (["exposure"], ["simulate"], ["drug", "show"], ["demo"]):
        assert "Usage: her2sim" in her2sim(*command, "--help").stdout


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys, her2sim.cli;"
        "heavy = {'numpy', 'scipy', 'polars', 'pydantic', 'matplotlib', 'llvmlite'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"
