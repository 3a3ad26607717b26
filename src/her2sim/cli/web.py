"""`her2sim web`: the page."""

from __future__ import annotations

from pathlib import Path

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import Whole
from her2sim.errors import DataError


@command()
@click.option("--port", type=Whole(1024, 65535), default=8090, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="address to listen on")
@click.option("--token", help="that a browser has to show; made and printed for other addresses")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="where jobs are kept"
)
@click.option("--open/--no-open", "opens", default=True, help="open a browser  [default: open]")
def web(port: int, host: str, token: str | None, folder: Path | None, opens: bool) -> None:
    """Open the page: one patient, trials, drugs and records in a browser.

    It listens on this machine only unless --host says otherwise; then a token is asked for.
    """
    import re
    import secrets
    from importlib.util import find_spec

    if find_spec("nicegui") is None:
        raise DataError('the page needs more packages: pip install "her2sim[web]"')
    from her2sim.web.guard import LOOPBACK
    from her2sim.web.server import Served, address, claimed, serve, state_folder

    if token is not None and re.fullmatch(r"[A-Za-z0-9_-]{8,100}", token) is None:
        raise DataError("--token: 8 to 100 letters, digits, - or _")
    if token is None and host not in LOOPBACK:
        token = secrets.token_urlsafe(16)
    how = Served(folder or state_folder(), host, port, token, opens)
    with claimed(how):
        click.echo(f"her2sim: {address(how)}  (stop with Ctrl-C; jobs are kept in {how.folder})")
        serve(how)
