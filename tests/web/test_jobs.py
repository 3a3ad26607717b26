"""Jobs: they outlive the page and the server, wait in line, and belong to one user."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from her2sim.errors import DataError
from her2sim.web.jobs import EXAMPLES, MOST_WAITING, Job, Jobs
from her2sim.web.levels_question import LevelsQuestion
from her2sim.web.patient_question import PatientQuestion
from her2sim.web.questions import DrugQuestion, RecordQuestion
from her2sim.web.results import files_of, read_view
from her2sim.web.trial_questions import GridQuestion, TrialQuestion
from tests.conftest import ROOT

QUICK = DrugQuestion(patients=100)
LONG = TrialQuestion(name="cleopatra", per_arm=5000)
PATIENCE_SECONDS = 90.0


def until(jobs: Jobs, job: Job, holds: Callable[[Job], bool]) -> Job:
    """The job when something holds of it."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        jobs.tend()
        now = jobs.find(job.id, job.owner)
        if holds(now):
            return now
        time.sleep(0.05)
    raise AssertionError(f"still {now.state}: {(now.folder / 'log.txt').read_text()[-500:]}")


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    """Jobs of a fresh server with one place; nothing is left running."""
    made = Jobs(tmp_path / "state", places=1)
    yield made
    made.places = 0
    for name, owner in list(made._owners.items()):
        if owner != EXAMPLES:
            made.cancel(name, owner)
    for child in made._children.values():
        child.kill()
        child.wait()


def test_a_job_leaves_its_files(jobs: Jobs) -> None:
    """Table, figure, reports and sources of an answer, and what the page shows of it."""
    done = until(jobs, jobs.ask("a", QUICK), lambda job: job.is_over)
    assert done.state == "done", done.message
    assert set(files_of(done.folder)) == {
        "report.html", "report.docx", "table.csv", "table.parquet", "figure.svg", "figure.png",
        "answer.json", "sources.csv",
    }  # fmt: skip
    view = read_view(done.folder)
    assert "trastuzumab" in view.heading
    assert view.command == QUICK.command()
    assert view.tables
    assert json.loads((done.folder / "answer.json").read_text())["notice"]
    assert done.progress() == (100, 100)


def test_a_question_that_was_asked_is_not_asked_again(jobs: Jobs) -> None:
    """The same question of the same user is the same job; of another user it is another."""
    first, again, other = (jobs.ask(who, QUICK) for who in ("a", "a", "b"))
    assert first.id == again.id != other.id


def test_jobs_wait_in_line(jobs: Jobs) -> None:
    """One place: the second waits until the first has ended."""
    first, second = jobs.ask("a", LONG), jobs.ask("b", QUICK)
    assert until(jobs, first, lambda job: job.state == "running")
    assert jobs.find(second.id, "b").state == "waiting"
    jobs.cancel(first.id, "a")
    assert until(jobs, second, lambda job: job.is_over).state == "done"
    assert jobs.find(first.id, "a").state == "cancelled"


def test_a_job_survives_a_restarted_server(jobs: Jobs) -> None:
    """A process that runs is found again by the next server, and its result is kept."""
    job = jobs.ask("a", TrialQuestion(name="emilia", per_arm=300))
    running = until(jobs, job, lambda job: job.state == "running")
    fresh = Jobs(jobs.folder, places=1)
    assert [one.id for one in fresh.of("a")] == [job.id]
    done = until(fresh, job, lambda job: job.is_over)
    assert done.state == "done"
    assert done.pid == running.pid
    assert done.tries == 1


def test_a_killed_job_starts_anew_and_ends_the_same(jobs: Jobs) -> None:
    """Its process is gone without an end: it waits again, and the answer is that of any run."""
    job = jobs.ask("a", TrialQuestion(name="emilia", per_arm=100))
    running = until(jobs, job, lambda job: job.state == "running")
    assert running.pid is not None
    os.killpg(running.pid, signal.SIGKILL)
    done = until(jobs, job, lambda job: job.is_over)
    assert done.state == "done"
    assert done.tries == 2
    other = until(jobs, jobs.ask("b", job.question), lambda job: job.is_over)
    table = (done.folder / "table.csv").read_bytes()
    assert table == (other.folder / "table.csv").read_bytes()


def test_a_job_of_somebody_else_is_not_there(jobs: Jobs) -> None:
    """Neither to see, nor to cancel or delete; a wrong id says the same."""
    job = jobs.ask("a", QUICK)
    for call in (jobs.find, jobs.cancel, jobs.delete, jobs.again):
        for name in (job.id, "x" * 22, "../" * 7 + "x", ""):
            with pytest.raises(DataError, match="no such job"):
                call(name, "b")
    assert jobs.find(job.id, "a").owner == "a"


def test_what_was_dropped_goes_with_its_last_job(jobs: Jobs) -> None:
    """A record stays while a job of its user needs it, and is deleted with the last one."""
    text = (ROOT / "examples" / "record_clean.csv").read_text()
    name = jobs.files.keep(text, ".csv", "a")
    path = jobs.uploads / f"{name}.csv"
    first = jobs.ask("a", RecordQuestion(upload=name))
    second = jobs.ask("a", RecordQuestion(upload=name, region="eu"))
    jobs.delete(first.id, "a")
    assert path.is_file()
    jobs.delete(second.id, "a")
    assert not path.exists()


def test_an_example_of_another_version_is_made_anew(jobs: Jobs) -> None:
    """What a page opens with is of the version that serves it; results of users stay."""
    for owner, is_new in ((EXAMPLES, True), ("somebody", False)):
        job = jobs.ask(owner, QUICK)
        asked = job.folder / "question.json"
        asked.write_text(json.dumps(json.loads(asked.read_text()) | {"version": "0.0.1"}))
        assert (jobs.ask(owner, QUICK).id != job.id) == is_new


def test_examples_are_everybodys_and_stay(jobs: Jobs) -> None:
    """What the page shows of its own accord can be read, not deleted."""
    job = jobs.ask(EXAMPLES, QUICK)
    assert jobs.find(job.id, "a").id == job.id
    for call in (jobs.cancel, jobs.delete):
        with pytest.raises(DataError, match="example"):
            call(job.id, "a")
    assert not list(jobs.of("a"))


def test_a_failed_job_says_why_and_can_be_tried_again(jobs: Jobs) -> None:
    """What cannot be fitted is told in plain words; nothing is half there; opening asks not."""
    asked = LevelsQuestion(drug="lapatinib")
    job = until(jobs, jobs.ask("a", asked), lambda job: job.is_over)
    assert job.state == "failed"
    assert "no residual error is published" in job.message
    assert not files_of(job.folder)
    assert jobs.ask("a", asked).id == job.id
    assert not jobs.again(job.id, "a").is_over


def test_what_was_cancelled_stays_cancelled(jobs: Jobs) -> None:
    """Opening its view again starts no work; a press does."""
    asked = PatientQuestion(weeks=156, seed=9)
    job = jobs.ask("a", asked)
    jobs.cancel(job.id, "a")
    again = jobs.ask("a", asked)
    assert (again.id, again.state) == (job.id, "cancelled")
    assert len(list(jobs.of("a"))) == 1
    assert jobs.again(job.id, "a").state in ("waiting", "running")


def test_a_file_is_that_of_who_dropped_it(jobs: Jobs) -> None:
    """Nobody else can ask about it, nor tell its name from what it holds; examples are for all."""
    text = (ROOT / "examples" / "record_clean.csv").read_text()
    name = jobs.files.keep(text, ".csv", "a")
    assert jobs.files.keep(text, ".csv", "b") != name
    assert jobs.files.read("a", name, ".csv") == text
    for stranger, told in (("b", name), ("a", "0" * 32), ("a", "../secret"), ("a", "")):
        assert jobs.files.read(stranger, told, ".csv") is None
    with pytest.raises(DataError, match=r"record\.csv: not kept here"):
        jobs.ask("b", RecordQuestion(upload=name))
    with pytest.raises(DataError, match="drop it again"):
        jobs.ask("a", RecordQuestion(upload="0" * 32))
    shown = jobs.files.keep(text, ".csv", EXAMPLES)
    assert jobs.ask("b", RecordQuestion(upload=shown)).owner == "b"


def test_long_work_leaves_a_place(jobs: Jobs) -> None:
    """Of two places one stays for what takes seconds, however many grids wait."""
    jobs.places = 2
    for seed in range(1, 4):
        jobs.ask("a", GridQuestion(seed=seed, pool=1000))
    quick = jobs.ask("b", QUICK)
    assert [job.state for job in jobs.of("a")].count("running") == 1
    assert quick.state == "running"
    waiting = [job for job in jobs.of("a") if job.state == "waiting"]
    assert sorted(jobs.before(job) for job in waiting) == [0, 1]


def test_deleting_removes_the_folder(jobs: Jobs) -> None:
    """Nothing of it is left."""
    job = until(jobs, jobs.ask("a", QUICK), lambda job: job.is_over)
    jobs.delete(job.id, "a")
    assert not job.folder.exists()
    assert not list(jobs.of("a"))


def test_nobody_fills_the_line(jobs: Jobs) -> None:
    """So many jobs of one user at once, and no more; others are not held up by the refusal."""
    for seed in range(1, MOST_WAITING + 1):
        jobs.ask("a", PatientQuestion(seed=seed))
    with pytest.raises(DataError, match="wait already"):
        jobs.ask("a", PatientQuestion(seed=50))
    assert jobs.ask("b", QUICK).state in ("waiting", "running")


def test_files_that_nobody_asked_about_make_room(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk does not fill up: the oldest go, those of jobs stay, and then it is refused."""
    monkeypatch.setattr("her2sim.web.kept_files.MOST_FILES", 4)
    needed = jobs.files.keep("needed", ".csv", "a")
    jobs.ask("a", RecordQuestion(upload=needed))
    for number in range(10):
        jobs.files.keep(f"other {number}", ".csv", "a")
        assert len(list(jobs.uploads.iterdir())) <= 4
        assert (jobs.uploads / f"{needed}.csv").is_file()
    for number in range(3):
        jobs.ask("a", RecordQuestion(upload=jobs.files.keep(f"kept {number}", ".csv", "a")))
    with pytest.raises(DataError, match="too many files"):
        jobs.files.keep("one more", ".csv", "a")
    assert jobs.files.keep("needed", ".csv", "a") == needed
    for number in range(6):
        jobs.files.keep_draft(f"user {number}", "id = 1\n")
    assert len(list((jobs.folder / "drafts").iterdir())) == 4
    assert jobs.files.draft("user 5") is not None


def test_uploads_are_named_by_what_they_hold(jobs: Jobs) -> None:
    """No name of a user reaches the disk; too large a file is refused."""
    name = jobs.files.keep("patient,date\n", ".csv", "a")
    assert name == jobs.files.keep("patient,date\n", ".csv", "a")
    assert [path.name for path in jobs.uploads.iterdir()] == [f"{name}.csv"]
    with pytest.raises(DataError, match="MB"):
        jobs.files.keep("x" * 2_000_001, ".csv", "a")


def test_jobs_run_where_processes_are_told_by_number_only(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without /proc, as on macOS, a job that runs is not taken for one that is gone."""
    monkeypatch.setattr("her2sim.web.jobs.PROCESSES", tmp_path / "nowhere")
    done = until(jobs, jobs.ask("a", QUICK), lambda job: job.is_over)
    assert done.state == "done"
    assert done.tries == 1
    long = until(jobs, jobs.ask("a", LONG), lambda job: job.state == "running")
    jobs.cancel(long.id, "a")
    assert jobs.find(long.id, "a").state == "cancelled"
