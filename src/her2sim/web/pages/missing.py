"""What is shown where nothing is."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse

from her2sim.notice import NOTICE
from her2sim.report.html import render
from her2sim.web.layout import LINKS


def register() -> None:
    """Make the view known."""
    from nicegui import app

    @app.exception_handler(404)
    async def missing(_: Request, error: Exception) -> HTMLResponse:
        why = str(getattr(error, "detail", ""))
        text = "" if why == "Not Found" else f"{why[:1].upper()}{why[1:]}."
        page = render("missing", links=LINKS, active="", why=text, text=NOTICE)
        return HTMLResponse(page, status_code=404)
