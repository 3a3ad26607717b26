"""From the HER2 test to a course and a check, as a user meets them on the command line."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest

from her2sim.notice import NOTICE
from tests.conftest import ROOT

EXAMPLES = ROOT / "examples"
PATIENT = str(EXAMPLES / "patient_mbc.toml")
READINGS = "day,test,value,unit\n"


def test_status_in_words_and_in_json(her2sim) -> None:
    told = ("status", "--ihc", "2+", "--ratio", "2.6", "--copies", "6.1")
    done = her2sim(*told)
    assert done.returncode == 0
    assert done.stdout.startswith("HER2 positive\n")
    assert re.search(r"ISH group +. 1 ", done.stdout)
    assert NOTICE in done.stdout
    found = json.loads(her2sim(*told, "--json").stdout)
    assert set(found) >= {
        "status", "category", "ish_group", "next_step", "discordant", "rule_id", "source", "notice",
    }  # fmt: skip
    assert (found["status"], found["ish_group"], found["next_step"]) == ("positive", 1, None)
    found = json.loads(her2sim("status", "--ihc", "2+", "--json").stdout)
    assert (found["status"], found["next_step"]) == ("equivocal", "reflex_ish")


def test_eligible(her2sim) -> None:
    found = json.loads(her2sim("eligible", PATIENT, "--json").stdout)
    labelled = {r["regimen"] for r in found["regimens"] if r["label"] == "labelled"}
    assert "pertuzumab-trastuzumab-docetaxel" in labelled
    assert "tucatinib-trastuzumab-capecitabine" not in labelled
    assert all(r["reasons"] for r in found["regimens"] if r["label"] == "not labelled")
    text = her2sim("eligible", PATIENT).stdout
    assert "not labelled" in text
    assert NOTICE in text


def test_eligible_on_a_day(her2sim) -> None:
    def labelled(day: str) -> set[str]:
        found = json.loads(her2sim("eligible", PATIENT, "--date", day, "--json").stdout)
        assert found["date"] == day
        return {r["regimen"] for r in found["regimens"] if r["label"] == "labelled"}

    assert labelled("2012-06-07") == {"trastuzumab-paclitaxel"}
    assert labelled("2012-06-08") == {"trastuzumab-paclitaxel", "pertuzumab-trastuzumab-docetaxel"}
    for day, why in (("2019", "write a day that there is"), ("2099-01-01", "is not known")):
        refused = her2sim("eligible", PATIENT, "--date", day)
        assert refused.returncode != 0
        assert why in refused.stderr


def test_check_by_exit_code(her2sim) -> None:
    clean = her2sim("check", str(EXAMPLES / "record_clean.csv"))
    assert (clean.returncode, clean.stderr) == (0, "")
    assert "0 departures" in clean.stdout
    found = her2sim("check", str(EXAMPLES / "record_departures.csv"), "--json")
    assert found.returncode == 1
    report = json.loads(found.stdout)
    assert len({d["code"] for d in report["departures"]}) == 15
    assert set(report["departures"][0]) == {
        "row", "patient", "date", "code", "found", "expected", "rule_id", "region", "source",
        "rule_status",
    }  # fmt: skip


def test_plan_in_tables_and_in_json(her2sim) -> None:
    told = ("plan", PATIENT, "--regimen", "thp", "--start", "2026-12-01")
    text = her2sim(*told)
    assert text.returncode == 0, text.stderr
    for part in ("cardiovascular risk low", "ESC 2022", "7 months", "0 (2026-12-01)", NOTICE):
        assert part in text.stdout
    found = json.loads(her2sim(*told, "--json").stdout)
    assert found["cardiac_risk"]["level"] == "low"
    assert found["doses"][0]["date"] == "2026-12-01"
    assert {"test", "days", "dates", "asked_by", "source"} <= set(found["tests"][0])
    assert found["notice"] == NOTICE


def test_a_plan_says_what_is_labelled_as_a_course_does(her2sim) -> None:
    labelled = her2sim("plan", PATIENT, "--regimen", "thp", "--weeks", "6").stdout
    assert "pertuzumab-trastuzumab-docetaxel: labelled (US, " in labelled
    done = her2sim("plan", PATIENT, "--regimen", "tucatinib-trastuzumab-capecitabine")
    assert "capecitabine: not labelled (US): at least 1 anti-HER2 regimens" in done.stdout
    written = her2sim("plan", PATIENT, "--regimen", "trastuzumab+docetaxel", "--weeks", "6")
    assert "trastuzumab + docetaxel: not a named regimen" in written.stdout


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, str]:
    """The README's course, as JSON and as a page."""
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("course")
    done = subprocess.run(
        [
            sys.executable, "-m", "her2sim", "course", PATIENT, "--regimen", "thp", "--weeks", "78",
            "--readings", str(EXAMPLES / "readings_mbc.csv"), "--then", "trastuzumab-deruxtecan",
            "--at", "progression", "--seed", "1", "--json", "--html", str(folder / "course.html"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    return json.loads(done.stdout), (folder / "course.html").read_text(encoding="utf-8")


def test_a_course_follows_the_readings(course) -> None:
    found, _ = course
    decided = sorted((d["day"], d["drug"], d["decision"]) for d in found["decisions"])
    assert decided == [
        (day, drug, decision)
        for day, decisions in ((168, ("hold",)), (196, ("reload", "resume")))
        for drug in ("pertuzumab", "trastuzumab")
        for decision in decisions
    ]
    assert found["decisions"][0]["reading"] == 64 - 47
    drugs = {d["drug"]: d for d in found["drugs"]}
    for name in ("trastuzumab", "pertuzumab"):  # a hold of one holds the other
        assert drugs[name]["days_on_hold"] == 28
        whys = [(d["day"], d["why"]) for d in drugs[name]["doses"] if d["why"] != "maintenance"]
        assert whys == [(0, "loading"), (196, "reload")]
    assert drugs["docetaxel"]["days_on_hold"] == 0
    assert len(drugs["docetaxel"]["doses"]) == 6
    assert drugs["trastuzumab-deruxtecan"]["doses"][0]["day"] == 330
    assert max(d["day"] for d in drugs["trastuzumab"]["doses"]) < 330
    assert drugs["trastuzumab"]["given_mg"] == pytest.approx(68 * (2 * 8 + 13 * 6))
    # mg per day from the first dose to the last and 21 days, over 15 planned cycles
    planned = 68 * (8 + 14 * 6) / (15 * 21)
    given = 68 * (2 * 8 + 13 * 6) / (322 + 21)
    assert drugs["trastuzumab"]["dose_intensity"] == pytest.approx(given / planned)
    assert [line["labelled"] for line in found["lines"]] == [True, True]
    assert found["notice"] == NOTICE


def test_levels_of_a_course_fall_in_the_hold(course) -> None:
    drug = next(d for d in course[0]["drugs"] if d["drug"] == "trastuzumab")
    levels = dict(zip(drug["levels"]["time_day"], drug["levels"]["median"], strict=True))
    assert levels[196.0] < 0.5 * levels[168.0]  # four weeks without a dose
    for low, middle, high in zip(
        drug["levels"]["p5"], drug["levels"]["median"], drug["levels"]["p95"], strict=True
    ):
        assert low <= middle <= high


def test_the_page_of_a_course_stands_alone(course) -> None:
    _, page = course
    assert page.count("<svg") == 2  # for a screen, and for a telephone
    assert NOTICE in page
    assert "trastuzumab-us-lvef" in page
    assert "src=" not in page
    assert "<link" not in page


def test_a_stop_says_that_the_hold_lasted_too_long(her2sim, tmp_path: Path) -> None:
    """The US label stops trastuzumab when the LVEF has not come back after eight weeks."""
    (tmp_path / "r.csv").write_text(
        READINGS + "0,lvef,60,%\n84,lvef,42,%\n112,lvef,43,%\n140,lvef,43,%\n"
    )
    done = her2sim("course", PATIENT, "--regimen", "trastuzumab", "--readings", "r.csv",
                   "--weeks", "30", "--seed", "1", "--json")  # fmt: skip
    first, last = json.loads(done.stdout)["decisions"]
    assert (first["day"], first["decision"]) == (84, "hold")
    assert (last["day"], last["decision"], last["reading"]) == (140, "stop", 60 - 43)
    assert last["condition"] == "on hold for 56 days without lvef >= lln and lvef_drop <= 15"


@pytest.mark.parametrize(("first_line", "mg_per_kg"), [("trastuzumab", 6), ("trastuzumab*3", 8)])
def test_a_drug_that_goes_on_is_loaded_only_after_a_gap(
    her2sim, first_line: str, mg_per_kg: int
) -> None:
    """The second line starts in week 12: on time, or six weeks after the last of three doses."""
    done = her2sim("course", PATIENT, "--regimen", first_line, "--then", "trastuzumab + tucatinib",
                   "--at", "week:12", "--weeks", "30", "--seed", "1", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = (d for d in json.loads(done.stdout)["drugs"] if d["drug"] == "trastuzumab")
    assert second["doses"][0]["day"] == 84
    assert second["doses"][0]["dose_mg"] == pytest.approx(mg_per_kg * 68)
    before, after = (
        dict(zip(d["levels"]["time_day"], d["levels"]["median"], strict=True))
        for d in (first, second)
    )
    assert after[84.0] == pytest.approx(before[84.0])  # what is left from the first line
    assert before[84.0] > 1
    assert after[105.0] > before[105.0]


def test_a_hold_without_further_readings_is_said(her2sim, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(READINGS + "0,lvef,60,%\n84,lvef,42,%\n")
    done = her2sim("course", PATIENT, "--regimen", "trastuzumab", "--readings", "r.csv",
                   "--weeks", "18", "--seed", "1")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "trastuzumab was on hold from day 84 to the end of the line" in done.stdout


def test_shortage_in_tables_and_in_json(her2sim, tmp_path: Path) -> None:
    told = ("shortage", "trastuzumab", "--population", "ebc", "--weeks", "12-18", "--patients",
            "50", "--seed", "1")  # fmt: skip
    text = her2sim(*told, "--figure", "s.png")
    assert text.returncode == 0, text.stderr
    assert "missing from week 12 to 18, policy delay" in text.stdout
    assert (tmp_path / "s.png").stat().st_size > 10_000
    found = json.loads(her2sim(*told, "--json").stdout)
    assert [c["course"] for c in found["courses"]] == ["as planned", "in the shortage"]
    assert found["courses"][1]["visits_without"]["median"] == 6
    assert found["notice"] == NOTICE


def rows_of(name: str) -> list[dict[str, object]]:
    """Rows of an example with its numbers as numbers and empty cells left out."""
    numbers = {"day", "value", "dose_mg", "grade"}
    lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
    return [
        {k: float(v) if k in numbers else v for k, v in row.items() if v}
        for row in csv.DictReader(lines)
    ]


def test_examples_follow_the_schemas_and_faults_do_not(her2sim) -> None:
    validators = {}
    for name in ("patient", "readings", "record"):
        schema = json.loads(her2sim("schema", name).stdout)
        jsonschema.Draft202012Validator.check_schema(schema)
        validators[name] = jsonschema.Draft202012Validator(schema)
    for path in EXAMPLES.glob("patient_*.toml"):
        patient = tomllib.loads(path.read_text(encoding="utf-8"))
        validators["patient"].validate(patient)
        assert not validators["patient"].is_valid(patient | {"history": ["untreated"]})
        assert not validators["patient"].is_valid(patient | {"body": {"weight_kg": 700}})
    for row in rows_of("readings_mbc.csv"):
        validators["readings"].validate(row)
        assert not validators["readings"].is_valid(row | {"unit": "x"})
    for row in [*rows_of("record_clean.csv"), *rows_of("record_departures.csv")]:
        validators["record"].validate(row)
        assert not validators["record"].is_valid(row | {"type": "visit"})


def test_a_course_without_readings_is_simulated(her2sim, tmp_path: Path) -> None:
    told = ("course", PATIENT, "--regimen", "thp", "--weeks", "78", "--seed", "10", "--then",
            "T-DXd", "--at", "progression")  # fmt: skip
    done = her2sim(*told, "--json", "--html", "c.html")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    bands = {band["test"]: band for band in found["body"]}
    assert list(bands) == [
        "occupancy_iv", "occupancy_ii", "progression", "lvef", "neutrophils", "payload",
        "platelets",
    ]  # fmt: skip
    tumour = bands["progression"]
    assert tumour["time_day"][-1] == 78 * 7
    assert tumour["p5"][-1] < tumour["median"][-1] < tumour["p95"][-1]
    first, second = found["lines"]
    assert first["end_day"] == second["start_day"]
    stops = [d for d in found["decisions"] if d["rule"] == "treatment-until-progression"]
    assert {d["day"] for d in stops if d["drug"] == "trastuzumab"} == {first["end_day"]}
    assert {r["test"] for r in found["readings"]} >= {"lvef", "neutrophils", "progression"}
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert "sum of diameters" in page
    assert "Dashed: the one that was simulated" in page
    again = her2sim(*told, "--json")
    assert json.loads(again.stdout)["body"] == found["body"]


def test_a_population_with_its_rules_and_without(her2sim, tmp_path: Path) -> None:
    told = ("population", "--regimen", "T-DM1", "--patients", "300", "--seed", "2", "--weeks", "52")
    text = her2sim(*told, "--figure", "p.png")
    assert text.returncode == 0, text.stderr
    assert "objective response" in text.stdout
    assert "trastuzumab-emtansine-us-transaminase-g3" in text.stdout
    assert (tmp_path / "p.png").stat().st_size > 10_000
    on, off = (
        json.loads(her2sim(*told, "--json", "--protocol", rules).stdout) for rules in ("on", "off")
    )

    def figure(report: dict, name: str) -> float:
        return next(o["value"] for o in report["outcomes"] if o["name"] == name)

    intensity = "trastuzumab-emtansine: relative dose intensity"
    assert figure(on, intensity) < figure(off, intensity) <= 1.0 + 1e-9
    assert figure(off, "trastuzumab-emtansine: days on hold") == 0
    assert off["rules_that_acted"] == []
    spread = json.loads(her2sim(*told, "--json", "--members", "10").stdout)
    response = next(o for o in spread["outcomes"] if o["name"] == "objective response")
    assert response["low"] < response["high"]
    assert on["notice"] == NOTICE


def test_a_population_told_to_be_early_is_cured_or_relapses(her2sim) -> None:
    told = ("population", "--regimen", "trastuzumab", "--patients", "30", "--seed", "2", "--weeks",
            "24", "--setting", "early")  # fmt: skip
    done = her2sim(*told)
    assert done.returncode == 0, done.stderr
    assert "cured (no hidden spread is left)" in done.stdout
    assert "without invasive disease at 5 years" in done.stdout
    assert "objective response" not in done.stdout
    assert "no model yet" not in done.stdout


def test_early_disease_is_explained_without_a_size(her2sim) -> None:
    early = str(EXAMPLES / "patient_ebc.toml")
    told = ("explain", early, "--regimen", "trastuzumab", "--seed", "4")
    done = her2sim(*told, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [one["size_percent"] for one in found["patients"]] == [None, None]
    assert all("earlier_lines" not in one["traits"] for one in found["patients"])
    text = her2sim(*told).stdout
    assert "size" not in text
    assert "diameters" not in text
