"""Files that users dropped, and what they left in the form: each is its user's alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from her2sim.errors import DataError
from her2sim.store.files import write_text
from her2sim.web.question import UPLOAD_PATTERN

LARGEST_BYTES = 2_000_000
MOST_FILES = 500
"""Files of all users that are kept, and as many drafts."""


class KeptFiles:
    """Files below a folder.

    Parameters
    ----------
    folder : where they lie
    needed : tells which of them may not go
    """

    def __init__(self, folder: Path, needed: Callable[[], set[Path]]) -> None:
        self.uploads, self._drafts = folder / "uploads", folder / "drafts"
        self._needed, self._lock = needed, Lock()

    def keep(self, text: str, ending: str, owner: str) -> str:
        """Keep a text that a user dropped; returns its name, which follows from text and user.

        Raises
        ------
        DataError
            If it is too long, or too many others are needed.
        """
        raw = text.encode()
        if len(raw) > LARGEST_BYTES:
            raise DataError(f"a file of more than {LARGEST_BYTES / 1e6:g} MB; give a shorter one")
        name = _name_of(raw, owner)
        path = self.uploads / f"{name}{ending}"
        with self._lock:
            self.uploads.mkdir(mode=0o700, exist_ok=True)
            if not path.is_file():
                self._make_room()
            write_text(path, text)
        return name

    def read(self, owner: str, name: str, ending: str) -> str | None:
        """What a user dropped; None if it is not kept, or somebody else dropped it."""
        if re.fullmatch(UPLOAD_PATTERN, name) is None:
            return None
        try:
            raw = (self.uploads / f"{name}{ending}").read_bytes()
        except OSError:
            return None
        return raw.decode() if _name_of(raw, owner) == name else None

    def _make_room(self) -> None:
        """Remove files that nobody needs, the oldest first, where there are too many."""
        kept = _oldest_first(self.uploads)
        if len(kept) < MOST_FILES:
            return
        needed = self._needed()
        for path in [path for path in kept if path not in needed][: len(kept) // 2 + 1]:
            path.unlink(missing_ok=True)
        if len(list(self.uploads.iterdir())) >= MOST_FILES:
            raise DataError("too many files are kept on this server; delete jobs with files first")

    def keep_draft(self, owner: str, text: str) -> None:
        """Keep what a user has in the form; one a user, none longer than a file may be."""
        if len(text.encode()) > LARGEST_BYTES:
            return
        self._drafts.mkdir(mode=0o700, exist_ok=True)
        write_text(self._draft(owner), text)
        for path in _oldest_first(self._drafts)[:-MOST_FILES]:
            path.unlink(missing_ok=True)

    def draft(self, owner: str) -> str | None:
        """What a user left in the form."""
        try:
            return self._draft(owner).read_text(encoding="utf-8")
        except OSError:
            return None

    def drop_draft(self, owner: str) -> None:
        """Forget what a user left in the form."""
        self._draft(owner).unlink(missing_ok=True)

    def _draft(self, owner: str) -> Path:
        return self._drafts / f"{_name_of(b'', owner)}.toml"


def _name_of(raw: bytes, owner: str) -> str:
    """The name under which a file of a user is kept; nobody can tell it from the file alone."""
    user = hashlib.blake2b(owner.encode()).digest()
    return hashlib.blake2b(raw, digest_size=16, key=user).hexdigest()


def _oldest_first(folder: Path) -> list[Path]:
    return sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
