"""`her2sim trial` as a user meets it."""

from __future__ import annotations

import json
import shutil
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest

from her2sim.notice import NOTICE
from her2sim.trials.library import trial_names

EXAMPLE = Path(__file__).parents[2] / "examples" / "trial_own.toml"
SHIPPED = Path(__file__).parents[2] / "src" / "her2sim" / "trials" / "facts"


def test_list_names_all_trials(her2sim) -> None:
    done = her2sim("trial", "list")
    assert (done.returncode, done.stderr) == (0, "")
    for name in trial_names():
        assert name in done.stdout
    assert NOTICE.split(".")[0] in done.stdout


def test_the_schema_holds_for_the_example_and_for_all_trials(her2sim) -> None:
    schema = json.loads(her2sim("trial", "schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    for path in (EXAMPLE, *SHIPPED.glob("*.toml")):
        jsonschema.validate(tomllib.loads(path.read_text(encoding="utf-8")), schema)
    wrong = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    wrong["endpoints"] = ["IDFS"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


def test_json_has_the_promised_shape(her2sim) -> None:
    done = her2sim("trial", "run", "emilia", "--patients", "240", "--seed", "3", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["trial"], found["seed"], found["patients"]) == ("EMILIA", 3, 240)
    assert found["notice"] == NOTICE
    assert [(arm["id"], arm["n"]) for arm in found["arms"]] == [("tdm1", 120), ("lap_cape", 120)]
    endpoint = {
        "endpoint", "measure", "unit", "predicted", "low", "high", "published", "published_low",
        "published_high", "role",
    }  # fmt: skip
    for arm in found["arms"]:
        curve = arm["curves"]["PFS"]
        assert (curve["month"][0], curve["survival"][0]) == (0.0, 1.0)
        assert len({len(values) for values in curve.values()}) == 1
    for arm in found["arms"]:
        assert all(endpoint <= set(row) for row in arm["endpoints"])
        assert all(
            {"event", "grade", "predicted", "published", "role"} <= set(row)
            for row in arm["safety"]
        )
    ratio = {
        "endpoint", "arm", "versus", "hazard_ratio", "low", "high", "published", "published_low",
        "published_high", "role",
    }  # fmt: skip
    assert all(ratio <= set(row) for row in found["comparisons"])
    assert any("over lap_cape: at the data cut 0 months after" in note for note in found["notes"])
    asked = ("PFS", "median_month", None)
    rows = found["arms"][0]["endpoints"]
    (pfs,) = (r for r in rows if (r["endpoint"], r["measure"], r["subgroup"]) == asked)
    assert pfs["published"] == 9.6
    assert pfs["role"] == "anchor"
    assert 2 < pfs["predicted"] < 40


def test_the_same_seed_gives_the_same_text(her2sim) -> None:
    asked = ("trial", "run", "sakk22-99", "--per-arm", "100", "--seed", "9", "--json")
    first, second = her2sim(*asked), her2sim(*asked, "--workers", "2", "--chunk", "30")
    assert first.returncode == second.returncode == 0
    assert first.stdout == second.stdout


class _Page(HTMLParser):
    """What a page refers to, and its words."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_protocol_off_shows_both_in_one_file_that_needs_no_other(her2sim, tmp_path: Path) -> None:
    done = her2sim("trial", "run", "nala", "--per-arm", "300", "--seed", "4", "--protocol", "off",
                   "--html", "nala.html", "--json")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    on, off = found["arms"], found["protocol_off"]["arms"]
    for with_rules, without in zip(on, off, strict=True):
        drug, other = with_rules["treatment"][-1], without["treatment"][-1]
        assert drug["drug"] == other["drug"]
        assert other["dose_intensity"] >= drug["dose_intensity"]
        assert other["hold_day"] == 0 < drug["hold_day"]
        assert without["days_grade_2"] > with_rules["days_grade_2"]
        fell = [row for row in without["safety"] if row["event"] == "lvef_drop"]
        assert [row["predicted"] for row in fell] == [None]  # nobody measures it without rules
    page = _Page()
    page.feed((tmp_path / "nala.html").read_text(encoding="utf-8"))
    assert all(address.startswith("data:image/png;base64,") for address in page.addresses)
    text = " ".join(page.words)
    assert NOTICE in text
    assert "without rules" in text
    assert "not measured" in text
    assert "prediction" in text


def test_replicates_give_power(her2sim) -> None:
    done = her2sim("trial", "run", str(EXAMPLE), "--per-arm", "60", "--replicates", "5",
                   "--seed", "2", "--json")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    (power,) = json.loads(done.stdout)["power"]
    assert (power["replicates"], power["patients"]) == (5, 120)
    assert power["low"] <= power["power"] <= power["high"]


def test_outcomes_are_kept_in_a_folder(her2sim, tmp_path: Path) -> None:
    done = her2sim("trial", "run", "apt", "--per-arm", "50", "--seed", "1", "-o", "kept")
    assert done.returncode == 0
    names = {path.name for path in (tmp_path / "kept").iterdir()}
    table = "apt-th-rules.parquet"
    assert names == {table, f"{table}.manifest.json", "apt-columns.csv"}


def test_what_cannot_be_run_is_refused_in_one_message(her2sim, tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path / "trial.toml")
    text = (tmp_path / "trial.toml").read_text().replace('"PFS", "ORR"', '"DFS", "ORX"')
    (tmp_path / "trial.toml").write_text(text.replace('versus = "control"\n', ""))
    done = her2sim("trial", "run", "trial.toml")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for part in ("endpoints.0: DFS is of early disease", "endpoints.1: unknown endpoint 'ORX'",
                 "comparison.0.versus"):  # fmt: skip
        assert part in done.stderr
    for command, part in (
        (("trial", "run", "cleopatr"), "did you mean 'cleopatra'"),
        (("trial", "run", "apt", "--patients", "10", "--per-arm", "5"), "not both"),
        (("trial", "run", "apt", "--members", "1000"), "the ensemble has"),
        (("trial", "run", "apt", "--per-arm", "5", "--cluster", "tcp://127.0.0.1:1"), "nobody"),
        (("trial", "run", "nothere.toml"), "cannot be read"),
    ):
        done = her2sim(*command)
        assert done.returncode == 2, command
        assert done.stdout == ""
        assert part in done.stderr


def test_two_faults_of_a_call_are_told_together(her2sim) -> None:
    done = her2sim("population", "--regimen", "nosuch+trastuzumab", "--population", "nowhere")
    assert done.returncode == 2
    assert "2 faults" in done.stderr
    assert "unknown drug 'nosuch'" in done.stderr
    assert "unknown population 'nowhere'" in done.stderr
