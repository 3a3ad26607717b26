"""What all views share: the jobs, and who looks."""

from __future__ import annotations

from her2sim.web.chain_workers import ChainWorkers
from her2sim.web.jobs import Jobs

JOBS: Jobs | None = None
CHAINS = ChainWorkers()


def jobs() -> Jobs:
    """The jobs of this server."""
    assert JOBS is not None
    return JOBS


def owner() -> str:
    """The user who looks, by the cookie of the browser."""
    from nicegui import app

    return str(app.storage.browser["id"])
