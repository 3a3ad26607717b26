"""One family of errors, and the collector that reports all faults of an input at once."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Callable, Iterable, Mapping
from typing import Any

SHOWN_FAULTS = 20
SHOWN_NAMES = 16


class Her2SimError(Exception):
    """Root of every error that her2sim raises on purpose.

    ``parts`` are the messages of several faults that have nothing to do with each other.
    """

    parts: tuple[str, ...] = ()


class DataError(Her2SimError, ValueError):
    """A file, table or option cannot be used as it is."""


class DoseError(Her2SimError, ValueError):
    """A dose or regimen is impossible or not supported."""


class UnitError(Her2SimError, ValueError):
    """A unit is unknown, or two quantities do not fit together."""


class UnknownNameError(Her2SimError, KeyError):
    """A name that her2sim does not know (drug, model, regimen, population, column, ...)."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class UnknownDrugError(UnknownNameError):
    """A drug that her2sim does not know."""


class ModelError(Her2SimError, ValueError):
    """Components that do not compose into a model."""


class SolverError(Her2SimError, RuntimeError):
    """The integration of one or more patients failed."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean X?"`` or, without a near match, the list of what is known.

    >>> did_you_mean("trastuzumb", ["trastuzumab", "pertuzumab"])
    "; did you mean 'trastuzumab'?"
    """
    choices = sorted(set(known))
    folded = {choice.casefold(): choice for choice in choices}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {folded[near[0]]!r}?"
    more = len(choices) - SHOWN_NAMES
    shown = choices if more <= 1 else [*choices[:SHOWN_NAMES], f"and {more} more"]
    return "; known: " + ", ".join(shown)


class Faults:
    """Collects faults of one input, so that one message can show them all.

    Only the first 20 texts are kept; the rest are counted, so a file with a million faulty
    rows costs neither memory nor patience.
    """

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.n_faults = 0
        self.shown: list[str] = []

    def add(self, text: str) -> None:
        """Note one fault."""
        self.add_many([text], 1)

    def add_many(self, texts: Iterable[str], count: int) -> None:
        """Note ``count`` faults; ``texts`` are taken only as far as they will be shown."""
        self.n_faults += count
        for text in texts:
            if len(self.shown) >= SHOWN_FAULTS:
                break
            self.shown.append(text)

    def room(self) -> int:
        """How many more texts would be shown."""
        return SHOWN_FAULTS - len(self.shown)

    def message(self) -> str:
        """The whole message, one fault a line."""
        if self.n_faults == 1 and self.shown:
            return f"{self.subject}: {self.shown[0]}"
        lines = [f"{self.subject}: {self.n_faults} faults", *(f"  {text}" for text in self.shown)]
        hidden = self.n_faults - len(self.shown)
        if hidden:
            lines.append(f"  ... and {hidden} more")
        return "\n".join(lines)

    def raise_if_any(self, error: type[Her2SimError] = DataError) -> None:
        """Raise ``error`` with the whole message if a fault was noted."""
        if self.n_faults:
            raise error(self.message())


def all_of(*makers: Callable[[], Any]) -> list[Any]:
    """Results of some calls; what any of them refuses is told in one message.

    Raises
    ------
    Her2SimError
        The only fault as it is, or a DataError with all of them.
    """
    found: list[Any] = []
    refused: list[Her2SimError] = []
    for make in makers:
        try:
            found.append(make())
        except Her2SimError as error:
            refused.append(error)
    if len(refused) == 1:
        raise refused[0]
    parts = [part for refusal in refused for part in refusal.parts or (str(refusal),)]
    faults = Faults("what was asked")
    faults.add_many(parts, len(parts))
    try:
        faults.raise_if_any()
    except DataError as error:
        error.parts = tuple(parts)
        raise
    return found


REASONS = {
    errno.ENOENT: "there is no such file or folder",
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
    errno.EROFS: "the place is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would be larger than is allowed",
    errno.EISDIR: "it is a folder",
    errno.ENOTDIR: "a part of the path is no folder",
    errno.EEXIST: "a file of that name is there",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ELOOP: "links lead in a circle",
}
"""Why a file cannot be read or written, in words of ours."""


def reason(error: OSError) -> str:
    """Why a file cannot be read or written."""
    return REASONS.get(error.errno or 0) or error.strerror or str(error)


PLAIN = {
    "extra_forbidden": "is unknown; leave it out",
    "missing": "is missing",
    "literal_error": "use {expected}",
    "enum": "use {expected}",
    "greater_than": "has to be above {gt:.10g}",
    "greater_than_equal": "has to be {ge:.10g} or more",
    "less_than": "has to be below {lt:.10g}",
    "less_than_equal": "has to be {le:.10g} or less",
    "string_too_short": "is empty",
    "too_short": "needs {min_length} or more",
    "too_long": "has more than {max_length}",
    "string_pattern_mismatch": "use letters a to z, figures, spaces, _ . + - (64 at most, none of "
    "these signs first)",
    "string_type": "write a text",
    "finite_number": "write a finite number",
    "dict_type": "write a table",
    "model_type": "write a table",
    "model_attributes_type": "write a table",
    **dict.fromkeys(("tuple_type", "list_type", "iterable_type"), "write a list"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "write true or false"),
    **dict.fromkeys(("float_type", "float_parsing"), "write a number"),
    **dict.fromkeys(
        ("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "write a whole number"
    ),
    **dict.fromkeys(
        ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
        "write a day as in 2026-03-31",
    ),
    **dict.fromkeys(("path_type", "is_instance_of"), "give another kind of value"),
}
"""What is wrong with a value, by the kind of fault that the checking library tells."""


PATTERNS = {"^[a-z0-9_]+$": "use small letters a to z, digits and _"}
"""What names of a pattern may hold."""


def plain_message(fault: Mapping[str, Any]) -> str:
    """What is wrong with a value, in words of ours."""
    context = fault.get("ctx") or {}
    text = PATTERNS.get(context.get("pattern", ""), PLAIN.get(fault["type"]))
    if text is None:
        return str(fault["msg"]).removeprefix("Value error, ")
    return text.format_map({**context, "expected": context.get("expected", "another value")})
