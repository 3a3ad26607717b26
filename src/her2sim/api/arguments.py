"""Arguments of public functions: checked and brought to their kinds before anything runs."""

from __future__ import annotations

import datetime
import functools
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, ParamSpec, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, validate_call

from her2sim.arrays import Progress
from her2sim.errors import DataError, Faults, did_you_mean, plain_message

P = ParamSpec("P")
R = TypeVar("R")
LONGEST_SHOWN = 60

Count = Annotated[int, Field(ge=1)]
Weeks = Annotated[float, Field(ge=1, le=1040, allow_inf_nan=False)]


def _listed(value: object) -> object:
    """A list of anything that can be gone through, but of text."""
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else value


Numbers = Annotated[Sequence[float], BeforeValidator(_listed)]
"""Numbers in a list, a tuple, an array or a column."""


def _iso_day(value: object) -> object:
    """A day as it is, or one that is written out."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return datetime.date.fromisoformat(value)
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    raise ValueError("give a date such as 2019-06-01")


Day = Annotated[datetime.date, BeforeValidator(_iso_day)]
"""A day, or its text."""
Told = Progress | None
"""Progress that is wanted, or not."""


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """A function whose arguments have to be what its annotations say.

    Raises
    ------
    DataError
        With every argument that is not, and what was given.
    """
    known = ConfigDict(arbitrary_types_allowed=True)
    check = validate_call(config=known)(_arguments_of(function))

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            given, named = check(*args, **kwargs)
        except ValidationError as error:
            raise DataError(_refusal(function, error)) from None
        return function(*given, **named)

    return wrapped


def _arguments_of(function: Callable[P, R]) -> Callable[..., Any]:
    """A function of the same arguments that hands them back."""

    @functools.wraps(function)
    def handed(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return args, kwargs

    told = function.__annotations__.items()
    handed.__annotations__ = {name: kind for name, kind in told if name != "return"}
    return handed


def _refusal(function: Callable[..., Any], error: ValidationError) -> str:
    """Each argument that does not fit, by name, with what was given."""
    names = list(inspect.signature(function).parameters)
    by_name: dict[str, list[tuple[str, str, Any]]] = {}
    for fault in error.errors():
        place = fault["loc"][0]
        name = names[place] if isinstance(place, int) and place < len(names) else str(place)
        by_name.setdefault(name, []).append((fault["type"], plain_message(fault), fault["input"]))
    faults = Faults(f"her2sim.{function.__name__}")
    for name, found in by_name.items():
        kind, message, value = found[0]
        if kind == "unexpected_keyword_argument":
            faults.add(f"{name}: there is no such argument{did_you_mean(name, names)}")
        elif len(found) > 1:
            told = inspect.signature(function).parameters[name].annotation
            faults.add(f"{name}: give {told}, found {_shown(value)}")
        else:
            faults.add(f"{name}: {message}, found {_shown(value)}")
    return faults.message()


def _shown(value: object) -> str:
    """A value in a few characters; of anything larger its kind."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"a {type(value).__name__}"
