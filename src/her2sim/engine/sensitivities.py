"""Forward sensitivities: a model beside how its states and outputs move with its parameters.

The derivatives are those of the traced equations. Each direction that is asked for adds a copy of
the states; they are integrated together, with the error control of the solver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from her2sim.engine.expression import Node, copy_into, directional_derivative
from her2sim.engine.model import Model

Direction = tuple[str, tuple[str, ...]]
"""A name, and the parameters that move with it, each by its logarithm."""


def slope_name(name: str, direction: str) -> str:
    """The name of the derivative of a state or output in a direction."""
    return f"d_{name}_by_{direction}"


@cache
def with_sensitivities(
    model: Model, directions: tuple[Direction, ...], outputs: tuple[str, ...]
) -> Model:
    """A model with derivatives by the logarithms of some parameters.

    Parameters
    ----------
    model : the model; what its schedules give does not depend on the parameters
    directions : parameters that move together. A direction without parameters is of something
        outside the equations, as the share of a dose that is absorbed
    outputs : those whose derivatives are wanted

    Returns
    -------
    Model
        With the states, then their derivatives direction by direction; and the outputs, then the
        derivatives of those that were asked for. Derivatives start at zero where the states do.
    """
    graph = model.rate_nodes[0].graph
    states, rates = list(model.states), list(model.rate_nodes)
    names, infused = list(model.outputs), list(model.infused)
    nodes = [copy_into(node, graph) for node in model.output_nodes]
    for direction, parameters in directions:
        moves: dict[str, Node] = {
            state: graph.symbol(slope_name(state, direction)) for state in model.states
        }
        moves |= {parameter: graph.symbol(parameter) for parameter in parameters}
        states += [slope_name(state, direction) for state in model.states]
        infused += [slope_name(state, direction) for state in model.infused]
        rates += [directional_derivative(node, moves) for node in model.rate_nodes]
        for output in outputs:
            place = model.index("outputs", output)
            names.append(slope_name(output, direction))
            nodes.append(directional_derivative(nodes[place], moves))
    return replace(
        model, name=f"{model.name} with sensitivities", states=tuple(states), outputs=tuple(names),
        rate_nodes=tuple(rates), output_nodes=tuple(nodes), infused=tuple(infused), analytes=(),
        fading=(), watched=(), coarse=(),
    )  # fmt: skip


def places(model: Model, output: str, directions: Sequence[str]) -> list[int]:
    """Where an output and its derivatives stand among the outputs of a model."""
    names = [output, *(slope_name(output, one) for one in directions)]
    return [model.index("outputs", name) for name in names]


@cache
def only(model: Model, outputs: tuple[str, ...]) -> Model:
    """A model of some outputs: states on which none of them depends are left out."""
    nodes = [model.output_nodes[model.index("outputs", name)] for name in outputs]
    needed, before = {s for node in nodes for s in node.symbols}, set[str]()
    while needed != before:
        before = set(needed)
        for state, rate in zip(model.states, model.rate_nodes, strict=True):
            needed |= rate.symbols if state in needed else set()
    kept = [k for k, state in enumerate(model.states) if state in needed]
    states = tuple(model.states[k] for k in kept)
    fading = (tuple(s for s in part if s in needed) for part in model.fading)
    return replace(
        model, name=f"{model.name}: {', '.join(outputs)}", states=states, outputs=outputs,
        rate_nodes=tuple(model.rate_nodes[k] for k in kept), output_nodes=tuple(nodes),
        infused=tuple(s for s in model.infused if s in needed), analytes=(),
        fading=tuple(part for part in fading if part), watched=(), coarse=(),
    )  # fmt: skip
