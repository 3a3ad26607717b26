"""The server of the page: one process, bound to this machine unless told otherwise."""

from __future__ import annotations

import logging
import os
import secrets
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from her2sim.store.files import write_text
from her2sim.web.guard import LOOPBACK, Guard
from her2sim.web.jobs import EXAMPLES, Jobs
from her2sim.web.trial_questions import TrialQuestion

LOOK_SECONDS = 1.0
RECONNECT_SECONDS = 30.0


@dataclass(frozen=True)
class Served:
    """How the page is served: ``token`` is asked for unless it is None."""

    folder: Path
    host: str = "127.0.0.1"
    port: int = 8090
    token: str | None = None
    opens: bool = False


def state_folder() -> Path:
    """Where jobs and results are kept unless told otherwise."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "her2sim" / "web"


def secret_of(folder: Path) -> str:
    """The secret that signs cookies; made once, so that a restarted server knows its users."""
    path = folder / "secret"
    if not path.is_file():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_text(path, secrets.token_hex(32))
        path.chmod(0o600)
    return path.read_text().strip()


def address(how: Served) -> str:
    """Where a browser finds the page."""
    host = "localhost" if how.host in LOOPBACK else how.host
    token = f"?token={how.token}" if how.token else ""
    return f"http://{host}:{how.port}/{token}"


def serve(how: Served) -> None:
    """Serve the page until it is stopped."""
    from nicegui import app, ui

    from her2sim.web import state
    from her2sim.web.pages import register

    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    state.JOBS = Jobs(how.folder)
    app.add_static_files("/static", str(files("her2sim.web").joinpath("static")))
    register()
    hosts = LOOPBACK if how.host in LOOPBACK else None
    app.add_middleware(Guard, hosts=hosts, token=how.token)
    app.on_startup(_first_view)
    app.timer(LOOK_SECONDS, state.JOBS.tend)
    ui.run(
        host=how.host, port=how.port, show=how.opens, reload=False, title="her2sim",
        language="en-GB",
        storage_secret=secret_of(how.folder), reconnect_timeout=RECONNECT_SECONDS,
        show_welcome_message=False, uvicorn_logging_level="warning",
    )  # fmt: skip


async def _first_view() -> None:
    """What the page opens on is worked out before somebody asks; the patient too."""
    from her2sim.web import state
    from her2sim.web.patient_question import PatientQuestion

    state.jobs().ask(EXAMPLES, TrialQuestion())
    await state.CHAINS.warm(PatientQuestion())
