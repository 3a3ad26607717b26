"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from her2sim.errors import DataError, reason

FIGURES = (".png", ".pdf", ".svg")
"""Endings of figures."""


def require_target(path: Path) -> None:
    """Refuse a path that no file can be written to, before the work whose result it is for.

    Raises
    ------
    DataError
        If its folder does not exist or takes no files, or it is a folder itself.
    """
    if not path.parent.is_dir():
        raise DataError(f"{path}: the folder {path.parent} does not exist; make it first")
    if path.is_dir():
        raise DataError(f"{path}: is a folder; name a file")
    if not _is_replaced(path):
        if not os.access(path, os.W_OK):
            raise DataError(f"{path}: cannot be written (no permission); name another place")
        return
    try:  # whether the folder takes a file: rights alone do not tell
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({reason(error)}); name another place"
        ) from None


def require_figure(path: Path) -> None:
    """Refuse a figure that could not be written, before it is drawn.

    Raises
    ------
    DataError
        If its ending is no kind of figure, or no file can be written there.
    """
    if path.suffix.lower() not in FIGURES:
        raise DataError(f"{path}: no such kind of figure; end the name in .png, .pdf or .svg")
    require_target(path)


def _is_replaced(path: Path) -> bool:
    """Whether a file takes the place of what is there; a device or a pipe is written to."""
    return path.is_file() or not path.exists()


@contextmanager
def plainly(path: Path) -> Iterator[None]:
    """What fails in writing a file is told in words of ours, whichever library wrote it.

    Raises
    ------
    DataError
        If the disk is full, the folder is gone, or the like.
    """
    try:
        yield
    except Exception as error:
        is_of_table = type(error).__module__.partition(".")[0] == "polars"
        if not isinstance(error, OSError) and not is_of_table:
            raise
        number = re.search(r"os error (\d+)", str(error))
        known = OSError(int(number[1]), "") if number else error
        why = reason(known) if isinstance(known, OSError) else "the place takes no more"
        raise DataError(f"{path}: cannot be written ({why})") from None


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path; on success it takes the place of ``path``.

    A link is followed: what it leads to is replaced. A device or a pipe is written to.

    Raises
    ------
    DataError
        If the folder does not exist or cannot be written to, or the disk is full.
    """
    require_target(path)
    target = path.resolve() if path.is_symlink() else path
    is_replaced = _is_replaced(target)
    folder = target.parent if is_replaced else None
    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix=f".{path.stem}-", suffix=path.suffix)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({reason(error)})") from None
    os.close(handle)
    partial = Path(name)
    try:
        with plainly(path):
            yield partial
            if is_replaced:
                umask = os.umask(0)
                os.umask(umask)
                partial.chmod(0o666 & ~umask)
                partial.replace(target)
            else:
                target.write_bytes(partial.read_bytes())
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with written_whole(path) as partial:
        partial.write_text(text, encoding="utf-8")
