"""Emission of a model's equations on slots of the workspace, for all lanes or for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from her2sim.engine.codegen import elementary
from her2sim.engine.codegen.emitter import Emitter, Value
from her2sim.engine.codegen.layout import Layout
from her2sim.engine.expression import Node, evaluate


def emit_nodes(e: Emitter, nodes: Sequence[Node], symbols: Mapping[str, Value]) -> list[Value]:
    """Emit the values of nodes."""
    operations: dict[str, Callable[..., Value]] = {
        "add": e.b.fadd,
        "sub": e.b.fsub,
        "mul": e.b.fmul,
        "div": e.b.fdiv,
        "neg": e.b.fneg,
        "fma": e.fma,
        "sqrt": e.sqrt,
        "max": e.larger,
        "pick": e.pick,
        "exp": lambda x: elementary.exp(e, x),
        "log": lambda x: elementary.log(e, x),
        "pow": lambda x, y: elementary.power(e, x, y),
    }
    return evaluate(nodes, symbols, operations, e.constant)


class EquationCode:
    """The equations of a model, emitted with a given emitter on a given workspace."""

    def __init__(self, emitter: Emitter, layout: Layout, workspace: Value) -> None:
        self.emitter, self.layout, self.workspace = emitter, layout, workspace
        self.n_states = len(layout.model.states)
        self.fixed: dict[str, Value] = {}

    def load(self, name: str, offset: int = 0) -> Value:
        return self.emitter.load(self.workspace, self.layout.slots[name] + offset)

    def store(self, value: Value, name: str, offset: int = 0) -> None:
        self.emitter.store(value, self.workspace, self.layout.slots[name] + offset)

    def load_states(self, name: str = "y") -> list[Value]:
        return [self.load(name, i) for i in range(self.n_states)]

    def store_states(self, values: Sequence[Value], name: str = "y") -> None:
        for i, value in enumerate(values):
            self.store(value, name, i)

    def load_fixed(self) -> None:
        """Load parameters and the constants made of them."""
        model, lowered = self.layout.model, self.layout.lowered
        for i, name in enumerate(model.parameters):
            self.fixed[name] = self.load("parameter", i)
        for i, name in enumerate(lowered.constant_names):
            self.fixed[name] = self.load("constant", i)

    def store_constants(self) -> None:
        """Compute what depends on parameters alone, and keep it."""
        model, lowered = self.layout.model, self.layout.lowered
        symbols = {n: self.load("parameter", i) for i, n in enumerate(model.parameters)}
        for i, value in enumerate(emit_nodes(self.emitter, lowered.constants, symbols)):
            self.store(value, "constant", i)

    def _symbols(self, states: Sequence[Value]) -> dict[str, Value]:
        return self.fixed | dict(zip(self.layout.model.states, states, strict=True))

    def rates(self, states: Sequence[Value], infusion: Sequence[Value]) -> list[Value]:
        """Rates of change, infusions included."""
        model = self.layout.model
        rates = emit_nodes(self.emitter, self.layout.lowered.rates, self._symbols(states))
        return [
            self.emitter.b.fadd(rate, infusion[i]) if name in model.infused else rate
            for i, (name, rate) in enumerate(zip(model.states, rates, strict=True))
        ]

    def rates_and_slopes(
        self, states: Sequence[Value], infusion: Sequence[Value]
    ) -> tuple[list[Value], dict[tuple[int, int], Value], dict[int, Value]]:
        """Rates of change, their derivatives, and how exact states change them (stiff models)."""
        lowered, model = self.layout.lowered, self.layout.model
        names = [f"d {s}" for s in model.states]
        rates = self.rates(states, infusion)
        symbols = self._symbols(states) | dict(zip(names, rates, strict=True))
        nodes = (*lowered.jacobian.values(), *lowered.drifts.values())
        found = emit_nodes(self.emitter, nodes, symbols)
        n = len(lowered.jacobian)
        jacobian = dict(zip(lowered.jacobian, found[:n], strict=True))
        return rates, jacobian, dict(zip(lowered.drifts, found[n:], strict=True))

    def outputs(self, states: Sequence[Value]) -> list[Value]:
        return emit_nodes(self.emitter, self.layout.lowered.outputs, self._symbols(states))

    def concentrations(self, states: Sequence[Value]) -> list[Value]:
        """Concentration of each analyte."""
        outputs = self.outputs(states)
        return [outputs[i] for i in self.layout.analyte_outputs]

    def concentration_slopes(self, states: Sequence[Value], slopes: Sequence[Value]) -> list[Value]:
        """Time derivative of the concentration of each analyte."""
        symbols = self._symbols(states)
        names = [f"d {s}" for s in self.layout.model.states]
        symbols |= dict(zip(names, slopes, strict=True))
        return emit_nodes(self.emitter, self.layout.lowered.concentration_slopes, symbols)
