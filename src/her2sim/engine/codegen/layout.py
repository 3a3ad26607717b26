"""Where the generated code keeps things: the frame of a call and the slots of a workspace."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from llvmlite import ir

from her2sim.engine.codegen.emitter import F64, I64, POINTER, Value
from her2sim.engine.codegen.lowering import Lowered
from her2sim.engine.linear_blocks import LinearBlock, states_of
from her2sim.engine.model import Model

_KINDS: dict[str, tuple[Any, ir.Type]] = {
    "count": (ctypes.c_int64, I64),
    "number": (ctypes.c_double, F64),
    "array": (ctypes.c_void_p, POINTER),
}

FIELDS = (
    ("first", "count"),
    ("last", "count"),
    ("n_patients", "count"),
    ("n_grid", "count"),
    ("n_readings", "count"),
    ("n_cycles", "count"),
    ("n_epochs", "count"),
    ("max_steps", "count"),
    ("relative", "number"),
    ("absolute", "number"),
    ("level", "number"),
    ("parameters", "array"),
    ("scale", "array"),
    ("modal", "array"),
    ("begin", "array"),
    ("end", "array"),
    ("event_time", "array"),
    ("action", "array"),
    ("target", "array"),
    ("value", "array"),
    ("grid_time", "array"),
    ("watch_level", "array"),
    ("crossing", "array"),
    ("states", "array"),
    ("time", "array"),
    ("status", "array"),
    ("steps", "array"),
    ("readings", "array"),
    ("cycles", "array"),
    ("grid", "array"),
)
"""Fields of the frame, in order; all are eight bytes."""


class Frame(ctypes.Structure):
    """What one call of the compiled code gets: ranges, tolerances and array addresses."""

    _fields_ = [(name, _KINDS[kind][0]) for name, kind in FIELDS]


_STRUCT = ir.LiteralStructType([_KINDS[kind][1] for _, kind in FIELDS])
_POSITIONS = {name: i for i, (name, _) in enumerate(FIELDS)}


def frame_field(builder: ir.IRBuilder, frame: Value, name: str) -> Value:
    """Load a field of the frame."""
    position = _POSITIONS[name]
    indices = [ir.Constant(ir.IntType(32), 0), ir.Constant(ir.IntType(32), position)]
    pointer = builder.gep(frame, indices, inbounds=True, source_etype=_STRUCT)
    return builder.load(pointer, typ=_STRUCT.elements[position])


LANE_COUNTERS = ("patient", "event", "last_event", "grid", "row", "epoch")
"""Whole numbers kept for each lane."""

GLOBAL_COUNTERS = ("next", "active")
"""Whole numbers kept once: the next patient to take, and a bit for every busy lane."""


@dataclass(frozen=True)
class Layout:
    """Slots of the workspace of a model: one number a lane in each."""

    model: Model
    lowered: Lowered
    blocks: tuple[LinearBlock, ...]
    lanes: int

    @cached_property
    def solved(self) -> tuple[int, ...]:
        """Positions of the states that are integrated step by step: those of no block."""
        exact = states_of(self.blocks)
        return tuple(i for i in range(len(self.model.states)) if i not in exact)

    @cached_property
    def cores(self) -> tuple[int, ...]:
        """Amounts of all linear blocks, by position."""
        return tuple(s for block in self.blocks for s in block.core)

    @property
    def is_ordered(self) -> bool:
        """Whether more in the body at the start of a step means more at any time in it.

        So it is where linear blocks are all there is: flows between compartments are not negative.
        """
        return not self.solved and bool(self.model.analytes)

    @cached_property
    def fading(self) -> tuple[tuple[int, ...], ...]:
        """Amounts that fade together, by position, where that saves steps of the solver."""
        groups = [tuple(self.model.states.index(s) for s in part) for part in self.model.fading]
        return tuple(group for group in groups if set(group) & set(self.solved))

    @cached_property
    def watched(self) -> tuple[int, ...]:
        """States whose first crossing of a level is looked for, by position."""
        return tuple(self.model.states.index(name) for name in self.model.watched)

    @property
    def n_modal(self) -> int:
        """Numbers kept of all blocks."""
        return self.modal_start(len(self.blocks))

    def modal_start(self, number: int) -> int:
        """Where the numbers of a block begin among those of all blocks."""
        return sum(sum(block.sizes.values()) for block in self.blocks[:number])

    @cached_property
    def slots(self) -> dict[str, int]:
        """Number of the (first) slot of each thing kept."""
        sizes = {
            "t": 1,
            "h": 1,
            "stop": 1,
            "steps": 1,
            "next_grid": 1,
            "scale": len(self.model.states),
            "y": len(self.model.states),
            "slope": len(self.model.states),
            "infusion": len(self.model.states),
            "aside": len(self.model.states),
            "parameter": len(self.model.parameters),
            "constant": len(self.lowered.constants),
            "modal": self.n_modal,
            "largest": len(self.fading),
            "watch_level": len(self.watched),
            "crossing": len(self.watched),
            "peak": len(self.model.analytes),
            "above": len(self.model.analytes),
            "auc_before": len(self.model.analytes),
            "searched": 2 * len(self.cores) + 1 if self.is_ordered else 0,
            "output": len(self.model.outputs),
        }
        places, total = {}, 0
        for name, size in sizes.items():
            places[name], total = total, total + size
        places["total"] = total
        return places

    def counter(self, name: str) -> int:
        """Position of the first lane's element of a counter."""
        if name in LANE_COUNTERS:
            return LANE_COUNTERS.index(name) * self.lanes
        return len(LANE_COUNTERS) * self.lanes + GLOBAL_COUNTERS.index(name)

    @property
    def n_counters(self) -> int:
        """How many whole numbers are kept."""
        return len(LANE_COUNTERS) * self.lanes + len(GLOBAL_COUNTERS)

    @cached_property
    def analyte_outputs(self) -> list[int]:
        """Output that is the concentration of each analyte."""
        return [self.model.outputs.index(a.concentration) for a in self.model.analytes]

    @cached_property
    def analyte_aucs(self) -> list[int]:
        """State that is the AUC of each analyte."""
        return [self.model.states.index(a.auc) for a in self.model.analytes]
