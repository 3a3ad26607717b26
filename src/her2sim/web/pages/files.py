"""Files of a result."""

from __future__ import annotations

from fastapi import HTTPException, Request
from fastapi.responses import FileResponse, Response

from her2sim.errors import DataError
from her2sim.web import state
from her2sim.web.results import FILES


def register() -> None:
    """Make the address of files known."""
    from nicegui import app

    @app.get("/file/{job_id}/{name}")
    def file(request: Request, job_id: str, name: str) -> Response:
        owner = str(request.session.get("id", ""))
        try:
            job = state.jobs().find(job_id, owner)
        except DataError as error:
            raise HTTPException(404, str(error)) from None
        path = job.folder / name
        if name not in FILES or not path.is_file():
            raise HTTPException(404, "there is no such file")
        kind = job.question.kind
        return FileResponse(path, media_type=FILES[name], filename=f"her2sim-{kind}-{name}")
