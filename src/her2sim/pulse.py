"""How far the work at hand has come, told to whoever watches it; nobody has to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Watcher = Callable[[float], None]

_WATCHER: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


def beat(share: float) -> None:
    """Tell how much of the work is done, from 0 to 1."""
    watcher = _WATCHER.get()
    if watcher is not None:
        watcher(share)


@contextmanager
def watched(watcher: Watcher | None) -> Iterator[None]:
    """What is done inside is told to a watcher."""
    token = _WATCHER.set(watcher)
    try:
        yield
    finally:
        _WATCHER.reset(token)
