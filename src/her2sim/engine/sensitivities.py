"""Forward sensitivities: a model beside how its states and an output move with its parameters.

The derivatives are those of the traced equations. Each parameter that is asked for adds a copy of
the states; they are integrated together, with the error control of the solver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from her2sim.engine.expression import Node, copy_into, directional_derivative
from her2sim.engine.model import Model


def slope_name(name: str, parameter: str) -> str:
    """The name of the derivative of a state or output by the logarithm of a parameter."""
    return f"d_{name}_by_{parameter}"


@cache
def with_sensitivities(
    model: Model, parameters: tuple[str, ...], outputs: tuple[str, ...]
) -> Model:
    """A model with derivatives by the logarithms of some parameters.

    Parameters
    ----------
    model : states, in which doses do not depend on the parameters
    parameters : by whose logarithms
    outputs : those whose derivatives are wanted

    Returns
    -------
    Model
        With the states, then their derivatives parameter by parameter; and the outputs, then the
        derivatives of those that were asked for. Start derivatives at zero.
    """
    graph = model.rate_nodes[0].graph
    states, rates = list(model.states), list(model.rate_nodes)
    names = list(model.outputs)
    nodes = [copy_into(node, graph) for node in model.output_nodes]
    for parameter in parameters:
        directions: dict[str, Node] = {
            state: graph.symbol(slope_name(state, parameter)) for state in model.states
        }
        directions[parameter] = graph.symbol(parameter)
        states += [slope_name(state, parameter) for state in model.states]
        rates += [directional_derivative(node, directions) for node in model.rate_nodes]
        for output in outputs:
            place = model.index("outputs", output)
            names.append(slope_name(output, parameter))
            nodes.append(directional_derivative(nodes[place], directions))
    return replace(
        model, name=f"{model.name} with sensitivities", states=tuple(states), outputs=tuple(names),
        rate_nodes=tuple(rates), output_nodes=tuple(nodes), analytes=(), fading=(), watched=(),
        coarse=(),
    )  # fmt: skip


def places(model: Model, output: str, parameters: Sequence[str]) -> list[int]:
    """Where an output and its derivatives stand among the outputs of a model."""
    names = [output, *(slope_name(output, one) for one in parameters)]
    return [model.index("outputs", name) for name in names]
