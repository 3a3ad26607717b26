"""Components under other names, and components whose arguments depend on the drugs at hand.

A model of one drug says ``central``; beside another drug it is ``central_trastuzumab``. An equation
that sums over whatever antibodies are given cannot list its arguments once and for all.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from her2sim.engine.expression import Graph, Node
from her2sim.engine.model import Component, Part


def tag_of(drug: str) -> str:
    """A drug's id as a part of names: ``trastuzumab-emtansine`` becomes ``trastuzumab_emtansine``.

    >>> tag_of("trastuzumab-emtansine")
    'trastuzumab_emtansine'
    """
    return drug.replace("-", "_")


class Assembled:
    """A component whose arguments are what its function reads.

    ``function`` gets all of them in one mapping; it is run once on symbols to see what it reads.
    """

    def __init__(self, name: str, function: Callable[[Mapping[str, Any]], Part]) -> None:
        self.__name__ = name
        self.__doc__ = function.__doc__
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        names = names_read(function)
        self.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in names])
        self._function = function

    def __call__(self, **known: Any) -> Part:
        return self._function(known)


class _Asked(dict[str, Node]):
    """A mapping that has a symbol for every name, and remembers which were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._graph = Graph()

    def __missing__(self, name: str) -> Node:
        self[name] = self._graph.symbol(name)
        return self[name]


def names_read(function: Callable[[Mapping[str, Any]], Part]) -> tuple[str, ...]:
    """Names that the equations of a component read, in order."""
    asked = _Asked()
    function(asked)
    return tuple(asked)


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
    return Assembled(component.__name__, run)
