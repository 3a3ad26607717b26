"""Components under other names, and components whose arguments depend on the drugs at hand.

A model of one drug says ``central``; beside another drug it is ``central_trastuzumab``. An equation
that sums over whatever antibodies are given cannot list its arguments once and for all.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from her2sim.engine.model import Component, Part


def tag_of(drug: str) -> str:
    """A drug's id as a part of names: ``trastuzumab-emtansine`` becomes ``trastuzumab_emtansine``.

    >>> tag_of("trastuzumab-emtansine")
    'trastuzumab_emtansine'
    """
    return drug.replace("-", "_")


class Assembled:
    """A component with arguments that are named when it is made.

    ``function`` gets all of them in one mapping.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], function: Callable[[Mapping[str, Any]], Part]
    ) -> None:
        self.__name__ = name
        self.__doc__ = function.__doc__
        names = dict.fromkeys(arguments)
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        self.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in names])
        self._function = function

    def __call__(self, **known: Any) -> Part:
        return self._function(known)


def renamed(component: Component, names: Mapping[str, str]) -> Component:
    """The same component with other names of states, parameters and outputs."""
    own = tuple(inspect.signature(component).parameters)

    def run(known: Mapping[str, Any]) -> Part:
        part = component(**{name: known[names.get(name, name)] for name in own})
        return Part(
            {names.get(n, n): value for n, value in part.rates.items()},
            {names.get(n, n): value for n, value in part.outputs.items()},
        )

    run.__doc__ = component.__doc__
    return Assembled(component.__name__, [names.get(name, name) for name in own], run)
