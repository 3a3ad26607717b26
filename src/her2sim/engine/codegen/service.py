"""Generated code that serves one lane when it has reached a stop.

It executes the schedule rows of that time; when the rows of a patient are done (or the patient
failed) it stores the results and puts the next patient of the range into the lane.
"""

from __future__ import annotations

from collections.abc import Callable

from llvmlite import ir

from her2sim.engine.codegen.emitter import (
    F64,
    I1,
    I32,
    I64,
    POINTER,
    LaneEmitter,
    Value,
    while_loop,
)
from her2sim.engine.codegen.equations import EquationCode
from her2sim.engine.codegen.layout import LANE_COUNTERS, Layout, frame_field
from her2sim.engine.schedule import Action
from her2sim.engine.trajectories import METRICS, Reductions, Status

AT_STOP, FAILED, IDLE = 0, 1, 2
"""Why a lane is served: its patient reached a stop or failed, or it has no patient yet."""

FIRST_STEP_DAY = 0.01
INFINITY = float("inf")


def emit_service(module: ir.Module, layout: Layout, reductions: Reductions) -> ir.Function:
    """Add the function ``service(frame, workspace, counters, lane, reason)`` to a module."""
    kind = ir.FunctionType(ir.VoidType(), [POINTER, POINTER, POINTER, I64, I32])
    function = ir.Function(module, kind, "service")
    function.attributes.add("noinline")
    function.linkage = "internal"
    _Service(function, layout, reductions).emit()
    return function


class _Service:
    def __init__(self, function: ir.Function, layout: Layout, reductions: Reductions) -> None:
        self.frame, workspace, self.counters, self.lane, self.reason = function.args
        self.layout, self.model, self.reductions = layout, layout.model, reductions
        self.b = ir.IRBuilder(function.append_basic_block("entry"))
        self.emitter = LaneEmitter(self.b, layout.lanes, self.lane)
        self.code = EquationCode(self.emitter, layout, workspace)
        self.blocks = {n: function.append_basic_block(n) for n in ("rows", "done", "next", "wait")}

    # Access to counters and arrays.

    def _counter_at(self, name: str) -> Value:
        index: Value = I64(self.layout.counter(name))
        if name in LANE_COUNTERS:
            index = self.b.add(index, self.lane)
        return self.b.gep(self.counters, [index], inbounds=True, source_etype=I64)

    def counter(self, name: str) -> Value:
        return self.b.load(self._counter_at(name), typ=I64)

    def set_counter(self, name: str, value: Value) -> None:
        self.b.store(value, self._counter_at(name))

    def field(self, name: str) -> Value:
        return frame_field(self.b, self.frame, name)

    def read(self, array: str, index: Value, kind: ir.Type = F64) -> Value:
        pointer = self.b.gep(self.field(array), [index], inbounds=True, source_etype=kind)
        return self.b.load(pointer, typ=kind)

    def write(self, array: str, index: Value, value: Value) -> None:
        base = self.field(array)
        self.b.store(value, self.b.gep(base, [index], inbounds=True, source_etype=value.type))

    def row_major(self, *pairs: tuple[Value, Value]) -> Value:
        """Index of an element: ``((first, size), (second, size), ...)``."""
        index: Value = I64(0)
        for position, size in pairs:
            index = self.b.add(self.b.mul(index, size), position)
        return index

    # The function.

    def emit(self) -> None:
        patient_done, failed = self.blocks["done"], self.b.append_basic_block("failed")
        reason = self.b.switch(self.reason, self.blocks["rows"])
        reason.add_case(I32(FAILED), failed)
        reason.add_case(I32(IDLE), self.blocks["next"])
        self.b.position_at_end(failed)
        self._store_patient(self._failure_status())
        self.b.branch(self.blocks["next"])
        self._emit_rows()
        self.b.position_at_end(patient_done)
        self._store_patient(I32(Status.FINISHED))
        self.b.branch(self.blocks["next"])
        self.b.position_at_end(self.blocks["next"])
        self._emit_next_patient()
        self.b.position_at_end(self.blocks["wait"])
        self._emit_wait()

    def _failure_status(self) -> Value:
        steps, limit = self.code.load("steps"), self.b.sitofp(self.field("max_steps"), F64)
        too_many = self.b.fcmp_ordered(">=", steps, limit)
        broken = ir.Constant(I1, 0)
        for value in (*self.code.load_states("slope"), *self.code.load_states()):
            size = self.emitter.fabs(value)
            finite = self.b.fcmp_ordered("<", size, self.emitter.constant(INFINITY))
            broken = self.b.or_(broken, self.b.not_(finite))
        small = self.b.select(too_many, I32(Status.TOO_MANY_STEPS), I32(Status.STEP_TOO_SMALL))
        return self.b.select(broken, I32(Status.NOT_FINITE), small)

    def _store_patient(self, status: Value) -> None:
        patient, n = self.counter("patient"), self.field("n_patients")
        for i, value in enumerate(self.code.load_states()):
            self.write("states", self.b.add(self.b.mul(I64(i), n), patient), value)
        for i in range(len(self.layout.watched)):
            place = self.b.add(self.b.mul(I64(i), n), patient)
            self.write("crossing", place, self.code.load("crossing", i))
        self.write("time", patient, self.code.load("t"))
        self.write("steps", patient, self.b.fptosi(self.code.load("steps"), I64))
        self.write("status", patient, status)

    def _emit_next_patient(self) -> None:
        patient = self.counter("next")
        take, stop = self.b.append_basic_block("take"), self.b.append_basic_block("no_more")
        more = self.b.icmp_signed("<", patient, self.field("last"))
        self.b.cbranch(more, take, stop)
        self.b.position_at_end(stop)
        bit = self.b.shl(I64(1), self.lane)
        self.set_counter("active", self.b.and_(self.counter("active"), self.b.not_(bit)))
        self.b.ret_void()
        self.b.position_at_end(take)
        self.set_counter("next", self.b.add(patient, I64(1)))
        self._load_patient(patient)
        self.b.branch(self.blocks["rows"])

    def _load_patient(self, patient: Value) -> None:
        code, zero, n = self.code, ir.Constant(F64, 0.0), self.field("n_patients")
        begin = self.read("begin", patient, I64)
        self.set_counter("patient", patient)
        self.set_counter("event", begin)
        self.set_counter("last_event", self.read("end", patient, I64))
        for i in range(len(self.model.parameters)):
            value = self.read("parameters", self.b.add(self.b.mul(I64(i), n), patient))
            code.store(value, "parameter", i)
        code.store_constants()
        self.set_counter("epoch", I64(0))
        self._load_modal(patient)
        states = [
            self.read("states", self.b.add(self.b.mul(I64(i), n), patient))
            for i in range(len(self.model.states))
        ]
        code.store_states(states)
        code.store_states([zero] * len(states), "infusion")
        code.store_states([zero] * len(states), "aside")
        for i in range(len(self.model.states)):
            value = self.read("scale", self.b.add(self.b.mul(I64(i), n), patient))
            code.store(value, "scale", i)
        for i in range(len(self.layout.watched)):
            level = self.read("watch_level", self.b.add(self.b.mul(I64(i), n), patient))
            code.store(level, "watch_level", i)
            code.store(ir.Constant(F64, INFINITY), "crossing", i)
        code.store(self.emitter.minimum(self.read("event_time", begin), zero), "t")
        code.store(ir.Constant(F64, FIRST_STEP_DAY), "h")
        code.store(zero, "steps")
        self._forget_largest()
        self.set_counter("grid", I64(0))
        code.store(self._grid_time(I64(0)), "next_grid")
        self._read_grid_at_start(patient)
        self._start_cycle()

    def _load_modal(self, patient: Value) -> None:
        """Load the numbers of linear blocks, as they are in this epoch of the parameters."""
        b, n, n_modal = self.b, self.field("n_patients"), self.layout.n_modal
        first = b.mul(b.mul(self.counter("epoch"), I64(n_modal)), n)
        for i in range(n_modal):
            place = b.add(b.add(first, b.mul(I64(i), n)), patient)
            self.code.store(self.read("modal", place), "modal", i)

    def _grid_time(self, position: Value) -> Value:
        """Time at a grid position; the array ends with infinity."""
        return self.read("grid_time", position)

    def _read_grid_at_start(self, patient: Value) -> None:
        """Store outputs at grid times up to the start, and where the next ones go."""
        b, n_outputs = self.b, len(self.model.outputs)
        self.code.load_fixed()
        start = self.code.load("t")
        outputs = self.code.outputs(self.code.load_states())
        first_row = b.mul(b.mul(patient, self.field("n_grid")), I64(n_outputs))
        self.set_counter("row", first_row)

        def pending() -> Value:
            return b.fcmp_ordered("<=", self.code.load("next_grid"), start)

        with while_loop(b, "grid_at_start", pending):
            row = self.counter("row")
            for o, value in enumerate(outputs):
                self.write("grid", b.add(row, I64(o)), value)
            self.set_counter("row", b.add(row, I64(n_outputs)))
            after = b.add(self.counter("grid"), I64(1))
            self.set_counter("grid", after)
            self.code.store(self._grid_time(after), "next_grid")

    # Rows of the schedule.

    def _emit_rows(self) -> None:
        b = self.b
        b.position_at_end(self.blocks["rows"])
        event = self.counter("event")
        ahead, execute = b.append_basic_block("ahead"), b.append_basic_block("execute")
        is_left = b.icmp_signed("<", event, self.counter("last_event"))
        b.cbranch(is_left, ahead, self.blocks["done"])
        b.position_at_end(ahead)
        time = self.read("event_time", event)
        b.cbranch(b.fcmp_ordered("<=", time, self.code.load("t")), execute, self.blocks["wait"])
        b.position_at_end(execute)
        target = b.sext(self.read("target", event, I32), I64)
        value = self.read("value", event)
        self.set_counter("event", b.add(event, I64(1)))
        switch = b.switch(self.read("action", event, I32), self.blocks["rows"])
        actions: dict[Action, Callable[[Value, Value], None]] = {
            Action.BOLUS: self._bolus,
            Action.INFUSION: self._infusion,
            Action.RESET: self._reset,
            Action.PARAMETER: self._parameter,
            Action.READING: self._reading,
            Action.CLOCK: self._clock,
            Action.SET_ASIDE: self._set_aside,
            Action.ADD_BACK: self._add_back,
            Action.CYCLE: self._cycle,
        }
        for action, emit in actions.items():
            block = b.append_basic_block(action.name.lower())
            switch.add_case(I32(action), block)
            b.position_at_end(block)
            emit(target, value)
            b.branch(self.blocks["rows"])

    def _indexed(self, name: str, target: Value) -> Value:
        first = self.layout.slots[name] * self.layout.lanes
        offset = self.b.mul(target, I64(self.layout.lanes))
        index = self.b.add(self.b.add(I64(first), offset), self.lane)
        return self.b.gep(self.code.workspace, [index], inbounds=True, source_etype=F64)

    def _forget_largest(self) -> None:
        """From here on, what is next to nothing is judged by a new dose."""
        for group in range(len(self.layout.fading)):
            self.code.store(ir.Constant(F64, 0.0), "largest", group)

    def _bolus(self, target: Value, value: Value) -> None:
        place = self._indexed("y", target)
        amount = self._scaled(value, target)
        self.b.store(self.b.fadd(self.b.load(place, typ=F64), amount), place)
        self._forget_largest()

    def _infusion(self, target: Value, value: Value) -> None:
        self.b.store(self._scaled(value, target), self._indexed("infusion", target))
        self._forget_largest()

    def _scaled(self, value: Value, target: Value) -> Value:
        return self.b.fmul(value, self.b.load(self._indexed("scale", target), typ=F64))

    def _reset(self, _target: Value, _value: Value) -> None:
        zeros = [ir.Constant(F64, 0.0)] * len(self.model.states)
        self.code.store_states(zeros)
        self.code.store_states(zeros, "infusion")

    def _parameter(self, target: Value, value: Value) -> None:
        self.b.store(value, self._indexed("parameter", target))
        self.code.store_constants()
        self._forget_searched()
        if self.layout.blocks:
            following = self.b.add(self.counter("epoch"), I64(1))
            last = self.b.sub(self.field("n_epochs"), I64(1))
            is_over = self.b.icmp_signed(">", following, last)
            self.set_counter("epoch", self.b.select(is_over, last, following))
            self._load_modal(self.counter("patient"))

    def _reading(self, target: Value, _value: Value) -> None:
        self.code.load_fixed()
        n_outputs = I64(len(self.model.outputs))
        place = (self.counter("patient"), I64(1)), (target, self.field("n_readings"))
        for o, output in enumerate(self.code.outputs(self.code.load_states())):
            self.write("readings", self.row_major(*place, (I64(o), n_outputs)), output)

    def _clock(self, _target: Value, value: Value) -> None:
        self.code.store(value, "t")

    def _set_aside(self, target: Value, value: Value) -> None:
        self.code.store_states(self.code.load_states(), "aside")
        self._reset(target, value)

    def _add_back(self, _target: Value, _value: Value) -> None:
        aside = self.code.load_states("aside")
        states = self.code.load_states()
        self.code.store_states([self.b.fadd(y, a) for y, a in zip(states, aside, strict=True)])

    def _cycle(self, target: Value, _value: Value) -> None:
        self.code.load_fixed()
        states = self.code.load_states()
        n_analytes = I64(len(self.model.analytes))
        place = (self.counter("patient"), I64(1)), (target, self.field("n_cycles"))
        for k, trough in enumerate(self.code.concentrations(states)):
            area = self.b.fsub(states[self.layout.analyte_aucs[k]], self.code.load("auc_before", k))
            metrics = [trough, self.code.load("peak", k), area]
            if self.reductions == Reductions.TIME_ABOVE:
                metrics.append(self.code.load("above", k))
            for m, value in enumerate(metrics):
                index = self.row_major(*place, (I64(k), n_analytes), (I64(m), I64(len(METRICS))))
                self.write("cycles", index, value)
        self._start_cycle()

    def _start_cycle(self) -> None:
        self.code.load_fixed()
        states = self.code.load_states()
        for k, concentration in enumerate(self.code.concentrations(states)):
            self.code.store(concentration, "peak", k)
            self.code.store(ir.Constant(F64, 0.0), "above", k)
            self.code.store(states[self.layout.analyte_aucs[k]], "auc_before", k)
        self._forget_searched()

    def _forget_searched(self) -> None:
        """No step of this cycle, under these parameters, was searched for a peak: below zero."""
        if self.layout.is_ordered:
            self.code.store(ir.Constant(F64, -1.0), "searched", 2 * len(self.layout.cores))

    # Back to integrating.

    def _emit_wait(self) -> None:
        self.code.store(self.read("event_time", self.counter("event")), "stop")
        self.code.load_fixed()
        states = self.code.load_states()
        self.code.store_states(self.code.rates(states, self.code.load_states("infusion")), "slope")
        if self.reductions == Reductions.NONE:
            self.b.ret_void()
            return
        for k, concentration in enumerate(self.code.concentrations(states)):
            peak = self.emitter.maximum(self.code.load("peak", k), concentration)
            self.code.store(peak, "peak", k)
        self.b.ret_void()
