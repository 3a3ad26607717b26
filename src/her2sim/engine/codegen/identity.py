"""What decides the generated code of a model, as text: equal texts have equal code."""

from __future__ import annotations

import functools
import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable

from her2sim.engine.expression import Node
from her2sim.engine.model import Model
from her2sim.engine.trajectories import Reductions


def kernel_identity(
    model: Model, lanes: int, reductions: Reductions, varying: frozenset[str]
) -> str:
    """Equations, names, lanes, reductions and the generator itself.

    Nodes are written once each, in the order in which the outputs and rates need them, numbers in
    all their digits.
    """
    places: dict[int, int] = {}
    lines: list[str] = []

    def place(node: Node) -> int:
        if node.index not in places:
            arguments = " ".join(str(place(argument)) for argument in node.args)
            places[node.index] = len(places)
            lines.append(f"{node.op} {node.name} {node.value.hex()} {arguments}")
        return places[node.index]

    roots = [place(node) for node in (*model.output_nodes, *model.rate_nodes)]
    names = (
        model.states, model.parameters, model.outputs, model.analytes, model.infused, model.fading,
        model.watched, model.is_stiff, model.coarse, sorted(varying), lanes, reductions.name, roots,
    )  # fmt: skip
    return "\n".join((generator_hash(), *lines, *map(repr, names)))


@functools.cache
def generator_hash() -> str:
    """Hash of the code of the engine: another version of it generates anew."""
    found = hashlib.sha256()
    for file in sorted(_sources(files("her2sim.engine")), key=str):
        found.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()


def _sources(folder: Traversable) -> list[Traversable]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _sources(entry)
        elif entry.name.endswith(".py"):
            found.append(entry)
    return found
