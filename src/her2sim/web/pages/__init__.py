"""The views."""

from __future__ import annotations


def register() -> None:
    """Make all views known to the server."""
    from her2sim.web.pages import (
        compare,
        design,
        files,
        home,
        jobs_page,
        learn,
        patient,
        questions_pages,
    )

    for page in (home, compare, design, patient, questions_pages, jobs_page, learn, files):
        page.register()
