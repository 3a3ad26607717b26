"""Starting the page: the folder is one server's own, and what cannot be served is told at once."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from her2sim.cli import main
from her2sim.errors import DataError
from her2sim.web.server import Served, address, claimed


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_folder_has_one_server(tmp_path: Path) -> None:
    """A second one is refused while the first has it, and served after it."""
    how = Served(tmp_path / "web", port=free_port())
    with claimed(how), pytest.raises(DataError, match="another page"):
        claimed(how)
    claimed(how).release()


def test_a_port_in_use_and_a_host_of_nobody_are_told(tmp_path: Path) -> None:
    """With the remedy, before any address is printed."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DataError, match="--port"):
            claimed(Served(tmp_path, port=port))
    with pytest.raises(DataError, match="--host"):
        claimed(Served(tmp_path / "b", host="no-such-host.invalid", port=free_port()))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file is no folder."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        claimed(Served(tmp_path / "file" / "web", port=free_port()))


@pytest.mark.parametrize("token", ["a;b", "short", "né-né-né-né", "a" * 200, "x y z x y z"])
def test_a_token_has_plain_letters(token: str) -> None:
    """It goes into a cookie and an address."""
    done = CliRunner().invoke(main, ["web", "--no-open", "--token", token])
    assert done.exit_code == 2
    assert "--token" in done.output


def test_an_address_for_others_is_one_that_they_can_open() -> None:
    """Not that of all interfaces."""
    assert "localhost:8090" in address(Served(Path()))
    assert "0.0.0.0" not in address(Served(Path(), host="0.0.0.0", token="secret-token"))
