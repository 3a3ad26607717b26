"""Trials of one's own as they are edited: the one that the form opens with, a draft, a published
one to begin from.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from her2sim.web import state

PUBLISHED = ("outcome", "prognosis", "safety", "landmarks", "nct", "aliases", "notes")
"""Parts of a trial file that tell what was published: a trial that nobody has run has none."""
PUBLISHED_OF_ROWS = {"comparison": ("hazard_ratio", "low", "high", "role", "note"), "arm": ("n",)}
LONGEST_ID = 64


def own_trial() -> dict[str, Any]:
    """The trial that the form opens with."""
    return tomllib.loads(files("her2sim.web").joinpath("trial.toml").read_text(encoding="utf-8"))


def kept_trial(upload: str) -> dict[str, Any] | None:
    """A trial that this user ran before, by the name under which it is kept; None without one."""
    text = state.jobs().files.read(state.owner(), upload, ".toml")
    return None if text is None else tomllib.loads(text)


def drafted_trial(owner: str) -> dict[str, Any] | None:
    """What a user left in the form; None if there is nothing."""
    text = state.jobs().files.draft(owner)
    try:
        return None if text is None else tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def trial_like(name: str) -> dict[str, Any]:
    """The design of a trial of the library without what it published.

    Raises
    ------
    UnknownNameError
        If there is no such trial.
    """
    from her2sim.trials.library import raw_trial

    raw = {part: told for part, told in raw_trial(name).items() if part not in PUBLISHED}
    for part, names in PUBLISHED_OF_ROWS.items():
        raw[part] = [
            {key: value for key, value in row.items() if key not in names}
            for row in raw.get(part, ())
        ]
    raw["id"] = f"OWN {raw['id']}"[:LONGEST_ID]
    needed = {key.split(":")[0] for key in _source_keys(raw)}
    raw["sources"] = {key: told for key, told in raw.get("sources", {}).items() if key in needed}
    return {part: told for part, told in raw.items() if told != []}


def _source_keys(told: object) -> Iterator[str]:
    """Keys of sources in a file as it was read."""
    if isinstance(told, Mapping):
        source = told.get("source")
        if isinstance(source, str):
            yield source
        told = list(told.values())
    if isinstance(told, list):
        for part in told:
            yield from _source_keys(part)
