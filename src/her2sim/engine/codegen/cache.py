"""Compiled objects on disk, safe to load.

The cache holds machine code, so a folder is used only if it belongs to the user, nobody else can
write to it and it is not a link; each file starts with the SHA-256 of what follows. Anything
doubtful is compiled anew, never loaded. The key covers what decides the code (the equations and the
generator, see :mod:`her2sim.engine.codegen.identity`), CPU, features and LLVM version, so another
machine or version simply misses, and nothing is generated to find that it is there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from her2sim.engine.codegen.machine import Machine, compile_object

FOLDER_VARIABLE = "HER2SIM_CACHE_DIR"
_MAGIC = b"her2sim object 1\n"


def cache_folder() -> Path:
    """The user's folder for compiled code; ``HER2SIM_CACHE_DIR`` names another."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "her2sim" / "objects"


def compiled_object(identity: str, source: Callable[[], str], machine: Machine) -> bytes:
    """Return object code, from the cache if it is there and sound.

    Parameters
    ----------
    identity : text that decides the code
    source : gives the LLVM IR, if it has to be compiled
    """
    folder = _safe_folder(cache_folder())
    if folder is None:
        return compile_object(source(), machine)
    path = folder / f"{machine.key(identity)}.o"
    code = _read(path)
    if code is None:
        code = compile_object(source(), machine)
        _write(path, code)
    return code


def _safe_folder(folder: Path) -> Path | None:
    """The folder if machine code may be loaded from it (made if missing), else None."""
    if not folder.is_absolute():
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    if not stat.S_ISDIR(found.st_mode):
        return None
    if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o022):
        return None
    return folder


def _read(path: Path) -> bytes | None:
    try:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags), "rb") as file:
            found = os.fstat(file.fileno())
            if hasattr(os, "getuid") and found.st_uid != os.getuid():
                return None
            content = file.read()
    except OSError:
        return None
    head, digest, code = (
        content[: len(_MAGIC)],
        content[len(_MAGIC) :][:32],
        content[len(_MAGIC) + 32 :],
    )
    is_sound = head == _MAGIC and hashlib.sha256(code).digest() == digest
    return code if is_sound else None


def _write(path: Path, code: bytes) -> None:
    """Write atomically; a cache that cannot be written is no reason to stop."""
    with contextlib.suppress(OSError):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_MAGIC + hashlib.sha256(code).digest() + code)
            os.replace(name, path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(name)
