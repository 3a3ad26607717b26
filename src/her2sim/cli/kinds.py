"""Kinds of options and arguments: what may be written, and what is said of anything else."""

from __future__ import annotations

import datetime
import errno
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from her2sim.errors import DataError, did_you_mean, reason
from her2sim.store.files import require_figure, require_target

Examiner = Callable[[Any, Mapping[str, Any]], object]
"""Looks at a value, knowing those of the other options; raises what is wrong with it."""

LONGEST_TEXT = 1000


class Whole(click.IntRange):
    """A whole number, between two ends."""

    examine: Examiner | None = None

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of a text.

        Raises
        ------
        click.BadParameter
            If it is none, or outside the ends.
        """
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(f"write a whole number{_ends(self.min, self.max)}", param, ctx)


class Number(click.FloatRange):
    """A finite number, between two ends."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number of a text.

        Raises
        ------
        click.BadParameter
            If it is none, not finite, or outside the ends.
        """
        try:
            found = float(super().convert(value, param, ctx))
        except click.BadParameter:
            found = math.nan
        if not math.isfinite(found):
            ends = _ends(self.min, self.max, is_open=self.min_open)
            self.fail(f"write a number{ends}", param, ctx)
        return found


def _ends(low: float | None, high: float | None, *, is_open: bool = False) -> str:
    """Between what a number has to be, in words."""
    lowest = "" if low is None else f" above {low:g}" if is_open else f" of {low:g} or more"
    if high is None:
        return lowest
    if low is None or is_open:
        return f"{lowest}{',' if lowest else ''} {high:.10g} at most"
    return f" from {low:.10g} to {high:.10g}"


class OneOf(click.Choice[Any]):
    """One of some words (or numbers)."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The choice that a text names.

        Raises
        ------
        click.BadParameter
            If it is none of them.
        """
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            known = [str(choice) for choice in self.choices]
            self.fail(f"use {', '.join(known[:-1])} or {known[-1]}", param, ctx)


class Day(click.ParamType[datetime.date]):
    """A day, as in 2026-03-31."""

    name = "date"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime.date:
        """The day of a text.

        Raises
        ------
        click.BadParameter
            If it is none, or outside 1900 to 2200.
        """
        if isinstance(value, datetime.date):
            return value
        try:
            found = datetime.date.fromisoformat(value if len(value) == len("2026-03-31") else "")
        except ValueError:
            self.fail("write a day that there is, as in 2026-03-31", param, ctx)
        if not 1900 <= found.year <= 2200:
            self.fail("write a day from 1900 to 2200", param, ctx)
        return found


class Text(click.ParamType[Any]):
    """A text that her2sim knows how to read: the name of a drug, a regimen, a population."""

    name = "text"

    def __init__(self, examine: Examiner | None = None) -> None:
        self.examine = examine

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it is.

        Raises
        ------
        click.BadParameter
            If it is empty or too long.
        """
        text = str(value)
        if not text.strip():
            self.fail("is empty; write something or leave the option out", param, ctx)
        if len(text) > LONGEST_TEXT:
            self.fail(f"has {len(text)} letters; {LONGEST_TEXT} at most", param, ctx)
        return text

    def _possible(
        self, text: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """A path that the system can have."""
        try:
            os.stat(text)
        except OSError as error:
            if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
                self.fail(reason(error), param, ctx)
        except ValueError:
            self.fail("has a sign that no path can have", param, ctx)
        return Path(text)


def _is_there(path: Any, told: Mapping[str, Any]) -> None:
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder")


class Input(Text):
    """Path of a file that is read."""

    name = "path"

    def __init__(self, examine: Examiner | None = None) -> None:
        super().__init__(examine or _is_there)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path of a text.

        Raises
        ------
        click.BadParameter
            If it is empty or too long.
        """
        return self._possible(super().convert(value, param, ctx), param, ctx)


class Output(Text):
    """Path of a file, a figure or a folder that is written."""

    name = "path"

    def __init__(self, kind: str = "file") -> None:
        super().__init__()
        self.kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path of a text.

        Raises
        ------
        click.BadParameter
            If it is empty, too long, or cannot be written to.
        """
        path = self._possible(super().convert(value, param, ctx), param, ctx)
        try:
            if self.kind == "figure":
                require_figure(path)
            elif self.kind == "file":
                require_target(path)
        except DataError as error:
            self.fail(str(error).removeprefix(f"{path}: "), param, ctx)
        return path


class Matching(Text):
    """A text of a form, brought to its value."""

    def __init__(self, pattern: str, make: Callable[[re.Match[str]], Any], remedy: str) -> None:
        super().__init__()
        self.pattern, self.make, self.remedy = pattern, make, remedy

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value of a text.

        Raises
        ------
        click.BadParameter
            If it has another form.
        """
        found = re.fullmatch(self.pattern, super().convert(value, param, ctx))
        if found is None:
            self.fail(self.remedy, param, ctx)
        return self.make(found)


def numbers(low: float, high: float, remedy: str) -> Matching:
    """Numbers separated by commas, each between two ends."""

    def listed(found: re.Match[str]) -> list[float]:
        wanted = [float(text) for text in found[0].split(",")]
        if not all(low <= number <= high for number in wanted):
            raise click.BadParameter(remedy)
        return wanted

    number = r"\s*\d+(?:\.\d+)?\s*"
    return Matching(rf"{number}(?:,{number})*", listed, remedy)


def near(name: str, known: Sequence[str]) -> str:
    """What was perhaps meant by the name of an option or a command; nothing if no name is near."""
    text = did_you_mean(name, known)
    return text if text.startswith("; did you mean") else ""
