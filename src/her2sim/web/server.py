"""The server of the page: one process, bound to this machine unless told otherwise."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from filelock import FileLock, Timeout

from her2sim.errors import DataError, reason
from her2sim.store.files import write_text
from her2sim.web.guard import LOOPBACK, Guard
from her2sim.web.jobs import EXAMPLES, Jobs
from her2sim.web.trial_questions import TrialQuestion

EVERY = ("0.0.0.0", "::")
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


def claimed(how: Served) -> FileLock:
    """The folder for this server alone, as a lock that is held; the port is free.

    Raises
    ------
    DataError
        If the folder cannot be written, or another server has it or the port.
    """
    try:
        how.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(how.folder / "server.lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise DataError(
            f"{how.folder}: another page is served from it; stop that one, or give --folder"
        ) from None
    except OSError as error:
        raise DataError(f"{how.folder}: cannot be written ({reason(error)})") from None
    try:
        kind = socket.getaddrinfo(how.host, how.port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((how.host, how.port))
    except OSError as error:
        raise DataError(
            f"{how.host}:{how.port}: cannot be listened on ({reason(error)}); give another --port "
            "or --host"
        ) from None
    return lock


def address(how: Served) -> str:
    """Where a browser finds the page; of all addresses the name of this machine."""
    host = "localhost" if how.host in LOOPBACK else how.host
    host = socket.gethostname() if host in EVERY else host
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
