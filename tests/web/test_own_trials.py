"""Trials of one's own: what the form begins with, what it reads, what two of them tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from her2sim.errors import UnknownNameError, plain_message
from her2sim.report.html import PageTable
from her2sim.trials.library import raw_trial, trial_names
from her2sim.trials.trial import Trial
from her2sim.web import state
from her2sim.web.beside import beside
from her2sim.web.jobs import Jobs
from her2sim.web.own_trials import drafted_trial, kept_trial, own_trial, trial_like
from her2sim.web.results import View
from her2sim.web.trial_schema import FileSchema, place_of, read_field, shown_field


@pytest.mark.parametrize("name", trial_names())
def test_every_published_trial_can_be_begun_from(name: str) -> None:
    """Its design holds as a file of one's own, and says nothing of what was published."""
    made = Trial.model_validate(trial_like(name))
    assert made.id == f"OWN {raw_trial(name)['id']}"
    assert (made.outcome, made.safety, made.landmarks, made.prognosis) == ((), (), (), ())
    assert all(row.hazard_ratio is None and row.note is None for row in made.comparison)
    assert [arm.id for arm in made.arm] == [arm["id"] for arm in raw_trial(name)["arm"]]
    assert all(arm.n is None for arm in made.arm)


@pytest.mark.parametrize("name", ["no-such", "../trial.toml", "trial.toml", ""])
def test_only_trials_of_the_library(name: str) -> None:
    """A path is none."""
    with pytest.raises(UnknownNameError):
        trial_like(name)


def test_a_draft_is_one_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one has in the form nobody else sees; what is no file is nothing."""
    jobs = Jobs(tmp_path)
    monkeypatch.setattr(state, "JOBS", jobs)
    assert drafted_trial("one") is None
    jobs.files.keep_draft("one", 'id = "A"\n')
    jobs.files.keep_draft("two/../one", 'id = "B"\n')
    assert drafted_trial("one") == {"id": "A"}
    assert drafted_trial("two/../one") == {"id": "B"}
    jobs.files.keep_draft("one", "x" * 3_000_000)
    assert drafted_trial("one") == {"id": "A"}
    jobs.files.keep_draft("one", "no toml")
    assert drafted_trial("one") is None
    jobs.files.drop_draft("one")
    jobs.files.drop_draft("one")
    assert jobs.files.draft("one") is None
    assert {p.suffix for p in (tmp_path / "drafts").iterdir()} == {".toml"}
    monkeypatch.setattr(state, "owner", lambda: "one")
    assert kept_trial("../drafts/x") is None
    name = jobs.files.keep('id = "A"\n', ".toml", "one")
    assert kept_trial(name) == {"id": "A"}
    monkeypatch.setattr(state, "owner", lambda: "two")
    assert kept_trial(name) is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("object", {"3+": 0.9, "2+": 0.1}),
        ("array", ["PFS", "ORR"]),
        ("number", 0.1234567891),
        ("number", 12),
        ("integer", 3),
        ("string", "three times"),
        ("boolean", True),
    ],
)
def test_a_field_reads_what_it_shows(kind: str, value: object) -> None:
    """Values go into a field and come back."""
    assert read_field(kind, value if kind == "boolean" else shown_field(value)) == value


def test_what_is_no_number_stays_for_the_check() -> None:
    """Text in a field of numbers is a fault of the file, never a number."""
    assert read_field("number", "ten") == "ten"
    assert read_field("object", "3+ = all") == {"3+": "all"}
    raw = own_trial()
    raw["scans"][0]["every_week"] = read_field("number", "ten")
    with pytest.raises(ValueError, match="every_week"):
        Trial.model_validate(raw)


def test_what_is_told_twice_or_not_at_all_is_a_fault() -> None:
    """An endpoint or a group twice, a title without a word."""
    raw = own_trial()
    raw["endpoints"] = read_field("array", "PFS, OS, PFS")
    raw["enrolled"]["her2"]["shares"] = read_field("object", "3+ = 1, 3+ = 1")
    raw["title"] = raw["arm"][0]["title"] = ""
    with pytest.raises(ValidationError) as fault:
        Trial.model_validate(raw)
    told = {".".join(map(str, row["loc"])): plain_message(row) for row in fault.value.errors()}
    assert told["endpoints.2"] == "PFS is told twice; leave one out"
    assert told["enrolled.her2.shares"] == "write a table"
    assert told["title"] == told["arm.0.title"] == "is empty"
    raw["arm"] = [{"id": "Über", "title": "x", "status": "assumed", "reason": "x"}]
    with pytest.raises(ValidationError) as fault:
        Trial.model_validate(raw)
    told = {".".join(map(str, row["loc"])): plain_message(row) for row in fault.value.errors()}
    assert told["arm.0.id"] == "use small letters a to z, digits and _"
    assert "arm" not in told  # that none is left only follows


@pytest.mark.parametrize(
    ("loc", "text", "place", "words"),
    [
        (("arm.1.regimen",), "no regimen", ("arm", 1, "regimen"), "arm 2, regimen"),
        (("design",), "accrual of -4 months: use 0 to 180", ("design", "accrual"),
         "times, time of enrolment"),
        (("enrolled", "her2", "shares", "3+ 0.9", "[key]"), "use 3+",
         ("enrolled", "her2", "shares", "3+ 0.9"),
         "patients, HER2 scores, share of each IHC score, 3+ 0.9"),
        (("scans", 0), "every_week: write a number", ("scans", 0, "every_week"),
         "pace of scans 1, weeks between two"),
        ((), "unused", (), ""),
    ],
)  # fmt: skip
def test_faults_have_a_place_in_the_words_of_the_form(
    loc: tuple[str | int, ...], text: str, place: tuple[str | int, ...], words: str
) -> None:
    """Checks of the whole file and of one field alike."""
    assert place_of(loc, text, own_trial()) == place
    assert FileSchema(Trial.model_json_schema()).words_of(place) == words


def test_arms_of_two_trials_stand_in_one_table() -> None:
    """Rows of both first; where one tells nothing, a dash."""
    heads = ("arm", "endpoint", "unit", "predicted", "range")
    first = [("a", "ORR", "%", "50", "40 to 60"), ("a", "PFS median", "month", "9", "7 to 11")]
    second = [("b", "PFS median", "month", "6", "")]
    views = [View("", (), (PageTable("Endpoints", heads, rows),), (), "", "", "")
             for rows in (first, second)]  # fmt: skip
    (same,) = beside(["first a", "second a"], [views[0], views[0]])
    assert same.headings == ("endpoint", "unit", "first a: a", "second a: a")
    (table,) = beside(["one", "two"], views)
    assert table.headings == ("endpoint", "unit", "one: a", "two: b")
    assert table.rows == (
        ("PFS median", "month", "9 (7 to 11)", "6"),
        ("ORR", "%", "50 (40 to 60)", "–"),
    )
