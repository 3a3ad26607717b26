"""The process of a job: it works out the question of a folder and leaves the result there."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

from her2sim.errors import Her2SimError
from her2sim.store.files import write_text
from her2sim.web.question import without_folder
from her2sim.web.questions import question_of
from her2sim.web.results import keep_answer

TELL_SECONDS = 0.2


class _Teller:
    """Writes how far a job has come, now and then."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.told = folder, 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self.told < TELL_SECONDS and done < total:
            return
        self.told = now
        write_text(self.folder / "progress.json", json.dumps({"done": done, "total": total}))


def work(folder: Path, uploads: Path) -> None:
    """Work out the question of a folder; its end is told in ``end.json``."""
    (folder / "end.json").unlink(missing_ok=True)
    asked = json.loads((folder / "question.json").read_text())
    told = {"state": "done", "message": ""}
    try:
        question = question_of(asked["kind"], asked["fields"])
        keep_answer(question, question.answer(uploads, _Teller(folder)), folder)
        for name, path in question.attached(uploads).items():
            shutil.copyfile(path, folder / name)
    except Her2SimError as error:
        told = {"state": "failed", "message": without_folder(str(error), uploads)}
    except Exception as error:
        told = {"state": "failed", "message": f"a fault of the program ({type(error).__name__})"}
        raise
    finally:
        write_text(folder / "end.json", json.dumps({**told, "ended": time.time()}))


if __name__ == "__main__":
    work(Path(sys.argv[1]), Path(sys.argv[2]))
