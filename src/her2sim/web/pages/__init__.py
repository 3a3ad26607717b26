"""The views."""

from __future__ import annotations


def register() -> None:
    """Make all views known to the server."""
    from her2sim.web.pages import (
        compare,
        design,
        dropped,
        files,
        home,
        jobs_page,
        learn,
        missing,
        patient,
        questions_pages,
    )

    views = (
        dropped,
        home,
        compare,
        design,
        patient,
        questions_pages,
        jobs_page,
        learn,
        files,
        missing,
    )
    for page in views:
        page.register()
