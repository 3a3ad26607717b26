"""Generated code of linear blocks: their states at any time after the start of a step, exactly."""

from __future__ import annotations

from collections.abc import Sequence

from her2sim.engine.codegen import elementary
from her2sim.engine.codegen.emitter import Value
from her2sim.engine.codegen.equations import EquationCode
from her2sim.engine.codegen.layout import Layout


class LinearCode:
    """The linear blocks of a model from given states on, with constant infusions."""

    def __init__(
        self, code: EquationCode, states: Sequence[Value], infusion: Sequence[Value]
    ) -> None:
        layout = code.layout
        self.blocks = [
            _BlockCode(code, layout, number, states, infusion)
            for number in range(len(layout.blocks))
        ]

    def states_at(self, day: Value) -> dict[int, Value]:
        """States of all blocks some days after the start, by position."""
        found: dict[int, Value] = {}
        for block in self.blocks:
            found |= block.states_at(day)
        return found


class _BlockCode:
    def __init__(
        self,
        code: EquationCode,
        layout: Layout,
        number: int,
        states: Sequence[Value],
        infusion: Sequence[Value],
    ) -> None:
        self.code, self.e = code, code.emitter
        self.block, self.first = layout.blocks[number], layout.modal_start(number)
        self.states = states
        infused = [layout.model.index("states", name) for name in layout.model.infused]
        self.infused = {s: infusion[s] for s in infused}
        core = self.block.core
        self.start = [self._sum("inverse", i, [states[s] for s in core]) for i in range(len(core))]
        zero = self.e.constant(0.0)
        rates = [self.infused.get(s, zero) for s in core]
        self.source = [self._sum("inverse", i, rates) for i in range(len(core))]

    def _number(self, name: str, position: int) -> Value:
        offset = self.first
        for size_name, size in self.block.sizes.items():
            if size_name == name:
                return self.code.load("modal", offset + position)
            offset += size
        raise KeyError(name)

    def _sum(self, name: str, row: int, values: Sequence[Value]) -> Value:
        """Product of a row of a matrix with some values, left to right."""
        e, total = self.e, None
        for column, value in enumerate(values):
            factor = self._number(name, row * len(self.block.core) + column)
            total = e.b.fmul(factor, value) if total is None else e.fma(factor, value, total)
        return total

    def states_at(self, day: Value) -> dict[int, Value]:
        e, b = self.e, self.e.b
        levels, areas = [], []
        for i, (start, source) in enumerate(zip(self.start, self.source, strict=True)):
            decay = elementary.exp(e, b.fmul(self._number("rate", i), day))
            per_rate = self._number("per_rate", i)
            grown = b.fmul(b.fsub(decay, e.constant(1.0)), per_rate)
            levels.append(e.fma(source, grown, b.fmul(start, decay)))
            summed = b.fmul(b.fsub(grown, day), per_rate)
            areas.append(e.fma(source, summed, b.fmul(start, grown)))
        found = {s: self._sum("mode", k, levels) for k, s in enumerate(self.block.core)}
        for k, s in enumerate(self.block.integrals):
            gained = b.fadd(self.states[s], self._sum("gain", k, areas))
            found[s] = e.fma(self.infused[s], day, gained) if s in self.infused else gained
        return found
