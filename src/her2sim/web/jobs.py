"""Jobs: folders on disk with a question, its state and its result, which outlive the page.

A job waits until a place is free, runs as a process of its own (:mod:`her2sim.web.worker`), and its
result stays until it is deleted. What ran when the server ended is found again: a process that
still runs goes on, one that is gone is started anew.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import Any, Literal

from her2sim import __version__
from her2sim.errors import DataError
from her2sim.store.files import write_text
from her2sim.web.kept_files import KeptFiles
from her2sim.web.question import Question
from her2sim.web.questions import question_of

State = Literal["waiting", "running", "done", "failed", "cancelled"]
OVER: tuple[State, ...] = ("done", "failed", "cancelled")
JOB_ID = re.compile(r"[A-Za-z0-9_-]{22}")
EXAMPLES = "examples"
"""Owner of what the page shows of its own accord; everybody may read it."""
MOST_WAITING = 20
"""Jobs of one user that wait or run at once."""
MOST_IN_LINE = 300
"""Jobs of all users that wait or run at once."""
MOST_KEPT = 200
"""Jobs of one user that are kept."""
MOST_TRIES = 3
_QUESTION, _STATE, _PROGRESS = "question.json", "state.json", "progress.json"
END = "end.json"
PROCESSES = Path("/proc")
"""Where Linux tells of processes."""


@dataclass(frozen=True)
class Job:
    """A job as its folder tells it; times in seconds since 1970."""

    id: str
    owner: str
    question: Question
    folder: Path
    state: State
    created: float
    started: float | None = None
    ended: float | None = None
    pid: int | None = None
    tries: int = 0
    message: str = ""
    version: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in OVER

    def progress(self) -> tuple[int, int]:
        """What is done, and what is to be done in all; (0, 0) if nothing is known."""
        try:
            told = json.loads((self.folder / _PROGRESS).read_text())
            return int(told["done"]), int(told["total"])
        except (OSError, ValueError, KeyError):
            return 0, 0

    def seconds_left(self, now: float | None = None) -> float | None:
        """How long it will still take, by its pace so far; None if nothing is known."""
        done, total = self.progress()
        if self.started is None or not 0 < done < total:
            return None
        return ((now or time.time()) - self.started) * (total - done) / done


class Jobs:
    """All jobs below a folder; ``places`` run at once, the others wait in line."""

    def __init__(self, folder: Path, places: int | None = None) -> None:
        self.folder, self.places = folder, places or max(1, os.cpu_count() or 1)
        self.files = KeptFiles(folder, self._needed)
        self._lock = RLock()
        self._line: list[str] = []
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "jobs").mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = [job for job in map(self._read, os.listdir(folder / "jobs")) if job is not None]
        self._owners = {job.id: job.owner for job in kept}
        self._open = {job.id for job in kept if not job.is_over}

    def ask(self, owner: str, question: Question) -> Job:
        """Put a question in line; one that this user asked already is not asked again.

        One that was cancelled or has failed stays so, until it is started again.

        Raises
        ------
        DataError
            If a file of the question is not one of the user, or too many jobs of the user wait, or
            are kept.
        """
        self._require_files(owner, question)
        with self._lock:
            own = list(self.of(owner))
            for job in own:
                if job.question == question:
                    if owner == EXAMPLES and job.version != __version__:
                        self.delete(job.id, owner)
                        break
                    return job
            if sum(not job.is_over for job in own) >= MOST_WAITING:
                raise DataError(f"{MOST_WAITING} of your jobs wait already; let some end first")
            if len(self._open) >= MOST_IN_LINE:
                raise DataError("too many jobs wait on this server; come back in a while")
            if len(own) >= MOST_KEPT:
                raise DataError(f"{MOST_KEPT} results are kept already; delete some first")
            job_id = secrets.token_urlsafe(16)
            folder = self.folder / "jobs" / job_id
            folder.mkdir(mode=0o700)
            told = {
                "owner": owner, "kind": question.kind, "created": time.time(),
                "version": __version__,
                "fields": question.model_dump(mode="json", exclude_defaults=True),
            }  # fmt: skip
            write_text(folder / _QUESTION, json.dumps(told))
            self._write(job_id, {"state": "waiting"})
            self._owners[job_id] = owner
        self.tend()
        return self.find(job_id, owner)

    def find(self, job_id: str, owner: str) -> Job:
        """A job of a user, or an example of the page.

        Raises
        ------
        DataError
            If there is none, or it is of somebody else: nobody can tell which.
        """
        job = self._read(job_id) if JOB_ID.fullmatch(job_id) else None
        if job is None or job.owner not in (owner, EXAMPLES):
            raise DataError("there is no such job; it may have been deleted")
        return job

    def of(self, owner: str) -> Iterator[Job]:
        """Jobs of a user, the newest first."""
        names = [name for name, of in list(self._owners.items()) if of == owner]
        own = [job for job in map(self._read, names) if job is not None]
        yield from sorted(own, key=lambda job: -job.created)

    def cancel(self, job_id: str, owner: str) -> None:
        """Stop a job; what it was about can be asked again."""
        with self._lock:
            job = self._own(job_id, owner)
            if job.is_over:
                return
            self._write(job_id, {**_told(job), "state": "cancelled", "ended": time.time()})
            _kill(job)
        self.tend()

    def delete(self, job_id: str, owner: str) -> None:
        """Stop a job and remove its result."""
        self.cancel(job_id, owner)
        job = self._own(job_id, owner)
        with self._lock:
            self._owners.pop(job_id, None)
            shutil.rmtree(job.folder, ignore_errors=True)
            dropped = job.question.attached(self.uploads).values()
            for path in set(dropped) - self._needed():
                path.unlink(missing_ok=True)

    def _own(self, job_id: str, owner: str) -> Job:
        """A job that a user may change: an example is not."""
        job = self.find(job_id, owner)
        if job.owner != owner:
            raise DataError("this is an example of the page: it stays")
        return job

    def again(self, job_id: str, owner: str) -> Job:
        """The same job, put in line again after it was cancelled or failed."""
        with self._lock:
            job = self._own(job_id, owner)
            if job.state in ("failed", "cancelled"):
                (job.folder / _PROGRESS).unlink(missing_ok=True)
                self._write(job_id, {"state": "waiting"})
        self.tend()
        return self.find(job_id, owner)

    def _require_files(self, owner: str, question: Question) -> None:
        """Refuse a question about a file that the user did not drop."""
        for shown, path in question.attached(self.uploads).items():
            owners = (owner, EXAMPLES)
            if all(self.files.read(one, path.stem, path.suffix) is None for one in owners):
                raise DataError(
                    f"{shown}: not kept here, or dropped in another browser, whose files nobody "
                    "else sees; drop it again"
                )

    def _needed(self) -> set[Path]:
        """Uploads that jobs need."""
        kept = [job for job in map(self._read, list(self._owners)) if job is not None]
        return {path for job in kept for path in job.question.attached(self.uploads).values()}

    @property
    def uploads(self) -> Path:
        """Where files lie that users dropped."""
        return self.files.uploads

    def tend(self) -> None:
        """Look after all jobs: note what ended, start what waits while there is a place."""
        with self._lock:
            for name in [n for n, child in self._children.items() if child.poll() is not None]:
                del self._children[name]
            found = [(name, self._read(name)) for name in self._open]
            self._open -= {name for name, job in found if job is None or job.is_over}
            jobs = sorted((job for _, job in found if job), key=lambda job: job.created)
            running = [job for job in jobs if job.state == "running" and self._still_runs(job)]
            line = []
            for job in (self._read(job.id) for job in jobs):
                if job is None or job.state != "waiting":
                    continue
                if self._has_place(job, running):
                    self._start(job)
                    running.append(job)
                else:
                    line.append(job.id)
            self._line = line

    def _has_place(self, job: Job, running: list[Job]) -> bool:
        """Whether a job can begin: work of minutes leaves a place for what takes seconds."""
        if len(running) >= self.places:
            return False
        n_long = sum(one.question.is_long for one in running)
        return not job.question.is_long or n_long < max(1, self.places - 1)

    def before(self, job: Job) -> int:
        """How many jobs wait before this one, as the line was looked at last."""
        return self._line.index(job.id) if job.id in self._line else len(self._line)

    def _still_runs(self, job: Job) -> bool:
        """Whether a job runs; one whose process is gone waits again, or has failed."""
        if job.pid is not None and _is_alive(job):
            return True
        now = self._read(job.id)
        if now is None or now.is_over:
            return False
        if job.tries >= MOST_TRIES:
            told = {"state": "failed", "ended": time.time(), "message": "its process ended early"}
        else:
            told = {"state": "waiting"}
        self._write(job.id, {**_told(job), "pid": None, **told})
        return False

    def _start(self, job: Job) -> None:
        before = self._children.pop(job.id, None)
        if before is not None:  # it told its end already, and is about to go
            before.wait()
        (job.folder / END).unlink(missing_ok=True)
        log = (job.folder / "log.txt").open("wb")
        command = [sys.executable, "-m", "her2sim.web.worker", str(job.folder), str(self.uploads)]
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True, cwd=job.folder,
        )  # fmt: skip
        log.close()
        self._children[job.id] = child
        told = {"state": "running", "pid": child.pid, "tries": job.tries + 1}
        self._write(job.id, {**_told(job), **told, "started": time.time()})

    def _read(self, job_id: str) -> Job | None:
        folder = self.folder / "jobs" / job_id
        try:
            asked = json.loads((folder / _QUESTION).read_text())
            state = json.loads((folder / _STATE).read_text())
            question = question_of(asked["kind"], asked["fields"])
        except (OSError, ValueError, KeyError):
            return None  # being deleted, or of another version
        job = Job(
            job_id, asked["owner"], question, folder, "waiting", asked["created"],
            version=asked.get("version", ""),
        )  # fmt: skip
        job = replace(job, **state)
        if job.state == "running" and (end := _end(folder)) is not None:
            return replace(job, **end)
        return job

    def _write(self, job_id: str, told: dict[str, Any]) -> None:
        if told["state"] not in OVER:
            self._open.add(job_id)
        write_text(self.folder / "jobs" / job_id / _STATE, json.dumps(told))


def _end(folder: Path) -> dict[str, Any] | None:
    """What the worker wrote when it ended."""
    try:
        found: dict[str, Any] = json.loads((folder / END).read_text())
    except (OSError, ValueError):
        return None
    return found


def _told(job: Job) -> dict[str, Any]:
    """What the state file of a job holds."""
    names = ("state", "started", "ended", "pid", "tries", "message")
    return {name: getattr(job, name) for name in names}


def _is_alive(job: Job) -> bool:
    """Whether the process of a job runs: it has the job's folder among its arguments."""
    if job.pid is None:
        return False
    if not PROCESSES.is_dir():  # no such folder on macOS: the number alone has to tell
        try:
            os.kill(job.pid, 0)
        except OSError:
            return False
        return True
    try:
        arguments = (PROCESSES / str(job.pid) / "cmdline").read_bytes()
    except OSError:
        return False
    return str(job.folder).encode() in arguments


def _kill(job: Job) -> None:
    if job.pid is not None and _is_alive(job):
        try:
            os.killpg(job.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return
