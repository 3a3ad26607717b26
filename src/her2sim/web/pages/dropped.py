"""Files that are dropped on a view: where, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import Request

from her2sim.errors import DataError, Her2SimError
from her2sim.web import state
from her2sim.web.layout import put
from her2sim.web.question import Question, without_folder
from her2sim.web.questions import RecordQuestion
from her2sim.web.trial_questions import OwnTrialQuestion

LARGEST_TRIAL, LONGEST_LINE = 100_000, 2_000


def _record_from(text: str, owner: str) -> Question:
    """A dropped record, read by the same reader as on the command line."""
    from her2sim.formats.record_csv import read_record

    _read_by(read_record, "record.csv", text)
    return RecordQuestion(upload=state.jobs().files.keep(text, ".csv", owner))


def _trial_from(text: str, owner: str) -> Question:
    """A dropped trial file, read by the same reader as on the command line."""
    from her2sim.trials.library import load_trial

    longest = max((len(line) for line in text.splitlines()), default=0)
    if len(text) > LARGEST_TRIAL or longest > LONGEST_LINE:  # keys of many parts take very long
        raise DataError(
            f"a trial file has at most {LARGEST_TRIAL:,} characters, and {LONGEST_LINE:,} in a line"
        )
    _read_by(lambda path: load_trial(str(path)), "trial.toml", text)
    return OwnTrialQuestion(upload=state.jobs().files.keep(text, ".toml", owner))


def _read_by(reader: Callable[[Path], object], name: str, text: str) -> None:
    """Read a text as a file of that name; its faults do not say where it lay."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        try:
            reader(path)
        except Her2SimError as error:
            text = without_folder(str(error), path.parent).replace(f"{name}:", "your file:")
            raise DataError(text) from None


UPLOADS: Mapping[str, tuple[str, Callable[[str, str], Question]]] = {
    "record": (".csv", _record_from),
    "trial": (".toml", _trial_from),
}
"""What can be dropped: the ending of its name, and what reads it."""
SEND = """(e) => { const f = e.target.files[0]; if (!f) return;
fetch('/upload/KIND', {method: 'POST', body: f}).then(r => r.json()).then(d => emit(d))
.catch(() => emit({fault: 'the file could not be sent; it may be too large'}));
e.target.value = ''; }"""


def drop(kind: str) -> None:
    """Where a file is dropped or chosen; its faults stand below, all of them."""
    from nicegui import ui

    ending = UPLOADS[kind][0]
    with ui.element("div").classes("field drop"):
        with ui.element("label").props(f"for=field-drop-{kind}"):
            put("text", text=f"Drop a file ({ending}) here, or choose one")
        field = ui.element("input").props(f"type=file id=field-drop-{kind} accept={ending}")
    place = ui.element("div").props("role=status")

    def sent(event: Any) -> None:
        told = event.args if isinstance(event.args, dict) else {}
        link = str(told.get("link", ""))
        if link.startswith("/") and not link.startswith("//"):
            ui.navigate.to(link)
            return
        place.clear()
        with place:
            put("alert", text=str(told.get("fault", "the file could not be read")))

    field.on("change", sent, js_handler=SEND.replace("KIND", kind))


def register() -> None:
    """Make the address of uploads known."""
    from fastapi.responses import JSONResponse
    from nicegui import app, run

    @app.post("/upload/{kind}")
    async def upload(request: Request, kind: str) -> JSONResponse:
        if kind not in UPLOADS:
            return JSONResponse({"fault": "there is no such kind of file"}, 404)
        try:
            text = (await request.body()).decode("utf-8-sig")
            owner = str(request.session["id"])
            question = await run.io_bound(UPLOADS[kind][1], text, owner)
        except UnicodeDecodeError:
            return JSONResponse({"fault": "not a text file in UTF-8"}, 400)
        except Her2SimError as error:
            return JSONResponse({"fault": str(error)}, 400)
        if question is None:  # the server ends
            return JSONResponse({"fault": "the server is about to stop"}, 503)
        return JSONResponse({"link": question.link()})
