"""Components, plain functions over named symbols, composed by name into a traced model.

A component takes states, parameters and outputs of other components as arguments (their names
decide which) and returns a :class:`Part`: rates of change and outputs, by name. Rates of the same
state from several components add up. The same function runs on expression nodes (tracing), on
units (checking) and on numbers (the reference solver).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from her2sim.engine.expression import Graph, Node
from her2sim.errors import ModelError, UnitError, did_you_mean
from her2sim.units import DIMENSIONLESS, Unit, parse_unit

Kind = Literal["state", "parameter", "output"]
TIME_UNIT = "day"


_EVERYONE = slice(None)


@dataclass(frozen=True)
class Symbol:
    """An entry of a symbol register: what a name in an equation means."""

    name: str
    kind: Kind
    unit: str
    meaning: str


@dataclass(frozen=True)
class Part:
    """What a component returns: rates of change of states, and outputs, by name."""

    rates: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)


Component = Callable[..., Part]


@dataclass(frozen=True)
class Analyte:
    """A measured quantity: the output that is its concentration and the state that is its AUC."""

    name: str
    concentration: str
    auc: str


@dataclass(frozen=True, eq=False)
class Model:
    """A traced model, ready for a solver.

    ``states``, ``parameters`` and ``outputs`` fix the order of all arrays. ``rate_nodes`` and
    ``output_nodes`` are expressions in states and parameters; infusions into the states named by
    ``infused`` are added by the solver. Each part of ``fading`` names amounts that become exactly
    zero together once they are next to nothing (see the kernel). ``watched`` names states whose
    first crossing of a level is looked for. A stiff model has rate constants so far apart that an
    implicit method is quicker; its numbers are those of the explicit one to the tolerance.
    ``coarse`` names amounts whose absolute tolerance is larger (:mod:`.codegen.kernel`).
    """

    name: str
    components: tuple[Component, ...]
    symbols: Mapping[str, Symbol]
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    outputs: tuple[str, ...]
    analytes: tuple[Analyte, ...]
    rate_nodes: tuple[Node, ...]
    output_nodes: tuple[Node, ...]
    infused: tuple[str, ...]
    fading: tuple[tuple[str, ...], ...] = ()
    watched: tuple[str, ...] = ()
    is_stiff: bool = False
    coarse: tuple[str, ...] = ()

    def rates(self, values: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
        """Run the plain equations on numbers or arrays: rates of all states, and all outputs."""
        rates, outputs = _run(self.components, dict(values))
        return [rates[s] for s in self.states], [outputs[o] for o in self.outputs]

    def outputs_of(
        self, states: NDArray[np.float64], parameters: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Outputs for states of shape (n_states, n) and parameters (n_parameters, n)."""
        values = dict(zip(self.parameters, parameters, strict=True))
        values |= dict(zip(self.states, states, strict=True))
        outputs = self.rates(values)[1]
        shape = np.broadcast_shapes(*(np.shape(o) for o in outputs))
        return np.array([np.broadcast_to(o, shape) for o in outputs])

    def output_of(
        self,
        name: str,
        states: NDArray[np.float64],
        parameters: NDArray[np.float64],
        who: NDArray[np.int64] | slice = _EVERYONE,
    ) -> NDArray[np.float64]:
        """One output for some of the patients, from the components and rows that it takes.

        Shapes are as for :meth:`outputs_of`; ``who`` are positions of patients.
        """
        components, read_parameters, read_states = _giving(self, name)
        values = {self.parameters[k]: parameters[k][who] for k in read_parameters}
        values |= {self.states[k]: states[k][who] for k in read_states}
        found: NDArray[np.float64] = _run(components, values)[1][name]
        return found

    def index(self, kind: Literal["states", "parameters", "outputs"], name: str) -> int:
        """Position of a name in ``states``, ``parameters`` or ``outputs``."""
        names: tuple[str, ...] = getattr(self, kind)
        if name not in names:
            raise ModelError(
                f"model {self.name} has no {kind[:-1]} {name!r}" + did_you_mean(name, names)
            )
        return names.index(name)

    def equations(self) -> list[str]:
        """The traced equations as readable lines, outputs first."""
        lines = [f"{o} = {n}" for o, n in zip(self.outputs, self.output_nodes, strict=True)]
        lines += [f"d {s}/dt = {n}" for s, n in zip(self.states, self.rate_nodes, strict=True)]
        return lines


@functools.cache
def _giving(
    model: Model, output: str
) -> tuple[tuple[Component, ...], tuple[int, ...], tuple[int, ...]]:
    """Components that an output takes, and rows of the parameters and states that they read."""
    model.index("outputs", output)
    symbols = {name: name for name in (*model.states, *model.parameters)}
    gives = {name: c for c in model.components for name in _outputs_named(model, c)}
    found: dict[Component, None] = {}
    waiting = [output]
    while waiting:
        component = gives[waiting.pop()]
        if component not in found:
            found[component] = None
            waiting += [a for a in _arguments(component) if a not in symbols]
    read = {argument for component in found for argument in _arguments(component)}
    parameters, states = (
        tuple(k for k, name in enumerate(names) if name in read)
        for names in (model.parameters, model.states)
    )
    return tuple(found), parameters, states


def _outputs_named(model: Model, component: Component) -> tuple[str, ...]:
    """Names of the outputs of a component, by running it on units."""
    units = {name: parse_unit(model.symbols[name].unit) for name in _arguments(component)}
    return tuple(component(**units).outputs)


def _run(components: Sequence[Component], known: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Run components in the order in which their arguments become known."""
    rates: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    waiting = list(components)
    while waiting:
        ready = [c for c in waiting if all(a in known for a in _arguments(c))]
        if not ready:
            raise ModelError(_unresolved(waiting, known))
        for component in ready:
            part = component(**{a: known[a] for a in _arguments(component)})
            for name, value in part.rates.items():
                rates[name] = rates[name] + value if name in rates else value
            for name, value in part.outputs.items():
                if name in outputs:
                    raise ModelError(f"two components give the output {name!r}; keep one")
                outputs[name] = known[name] = value
        waiting = [c for c in waiting if c not in ready]
    return rates, outputs


@functools.cache
def _arguments(component: Component) -> tuple[str, ...]:
    return tuple(inspect.signature(component).parameters)


def _unresolved(waiting: Sequence[Component], known: Mapping[str, Any]) -> str:
    needs = [
        f"{c.__name__} needs {', '.join(a for a in _arguments(c) if a not in known)}"
        for c in waiting
    ]
    return "components do not fit together: " + "; ".join(needs)


def compose(
    name: str,
    components: Sequence[Component],
    symbols: Mapping[str, Symbol],
    analytes: Sequence[Analyte] = (),
    infused: Sequence[str] | None = None,
    fading: Sequence[Sequence[str]] = (),
    watched: Sequence[str] = (),
    is_stiff: bool = False,
    coarse: Sequence[str] = (),
) -> Model:
    """Compose components into one model: resolve names, check units, trace.

    ``infused`` names the states that infusions can go into; any state if it is not given.
    ``fading`` names amounts that become zero together once they are next to nothing. ``watched``
    names states whose first crossing of a level is looked for; ``is_stiff`` picks the method,
    and ``coarse`` names amounts with a larger absolute tolerance.

    Raises
    ------
    ModelError
        A name is not in the register, or a component waits for what no other gives.
    UnitError
        An equation adds unlike quantities, or gives a rate or output in another unit than the
        register says.
    """
    used = _register_entries(components, symbols)
    check_units(name, components, used)
    graph = Graph()
    inputs = {n: graph.symbol(n) for n, s in used.items() if s.kind != "output"}
    rates, outputs = _run(components, dict(inputs))
    states = tuple(n for n, s in used.items() if s.kind == "state")
    missing = [s for s in (*states, *rates, *watched) if s not in rates or s not in states]
    if missing:
        raise ModelError(f"model {name}: no rate of change, or no register entry, for {missing}")
    return Model(
        name=name,
        components=tuple(components),
        symbols=used,
        states=states,
        parameters=tuple(n for n, s in used.items() if s.kind == "parameter"),
        outputs=tuple(outputs),
        analytes=tuple(analytes),
        rate_nodes=tuple(graph.lift(rates[s]) for s in states),
        output_nodes=tuple(graph.lift(outputs[o]) for o in outputs),
        infused=states if infused is None else tuple(infused),
        fading=tuple(tuple(part) for part in fading),
        watched=tuple(watched),
        is_stiff=is_stiff,
        coarse=tuple(coarse),
    )


def _register_entries(
    components: Sequence[Component], symbols: Mapping[str, Symbol]
) -> dict[str, Symbol]:
    """The register entries that the components use, in order of first use."""
    entries: dict[str, Symbol] = {}
    for component in components:
        for argument in _arguments(component):
            if argument not in symbols:
                raise ModelError(
                    f"component {component.__name__}: {argument!r} is not in the symbol register"
                    + did_you_mean(argument, symbols)
                )
            entries[argument] = symbols[argument]
    units = {n: parse_unit(s.unit) for n, s in symbols.items()}
    rates, outputs = _run(components, {n: units[n] for n in entries if entries[n].kind != "output"})
    for found in (*rates, *outputs):
        if found not in symbols:
            raise ModelError(
                f"{found!r} is not in the symbol register" + did_you_mean(found, symbols)
            )
        entries.setdefault(found, symbols[found])
    return entries


def check_units(name: str, components: Sequence[Component], symbols: Mapping[str, Symbol]) -> None:
    """Run the equations on units instead of numbers and compare with the register."""
    units = {n: parse_unit(s.unit) for n, s in symbols.items()}
    known = {n: u for n, u in units.items() if symbols[n].kind != "output"}
    rates, outputs = _run(components, known)
    time = parse_unit(TIME_UNIT)
    found = {f"d {s}/dt": (rate * time, s) for s, rate in rates.items()}
    found |= {o: (unit, o) for o, unit in outputs.items()}
    for label, (told, symbol) in found.items():
        unit = told if isinstance(told, Unit) else DIMENSIONLESS
        if not unit.equals(units[symbol]):
            raise UnitError(
                f"model {name}: {label} comes out as {unit}, "
                f"but {symbol} is {symbols[symbol].unit} {units[symbol]}"
            )
