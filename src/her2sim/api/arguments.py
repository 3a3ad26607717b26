"""Arguments of public functions: checked and brought to their kinds before anything runs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated, Any, ParamSpec, TypeVar

from pydantic import ConfigDict, Field, ValidationError, validate_call

from her2sim.arrays import Progress
from her2sim.errors import DataError, Faults
from her2sim.facts import note_faults

P = ParamSpec("P")
R = TypeVar("R")

Count = Annotated[int, Field(ge=1)]
Weeks = Annotated[float, Field(ge=1, le=1040, allow_inf_nan=False)]
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
            faults = Faults(f"her2sim.{function.__name__}")
            note_faults(faults, error)
            raise DataError(faults.message()) from None
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
