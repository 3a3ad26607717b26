"""Generated code of the whole integration loop: adaptive Tsit5 over lanes of patients.

Every lane has its own time, step and schedule pointer; lanes march in lock step and each takes
the next patient of the range when its own is done. Nothing a lane computes depends on the others,
so a patient's numbers are the same for any number of lanes, order or neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from llvmlite import ir

from her2sim.engine.codegen import tableau
from her2sim.engine.codegen.crossing import CrossingCode
from her2sim.engine.codegen.emitter import (
    F64,
    I1,
    I32,
    I64,
    POINTER,
    Emitter,
    Value,
    stack_room,
    while_loop,
)
from her2sim.engine.codegen.equations import EquationCode
from her2sim.engine.codegen.layout import GLOBAL_COUNTERS, Layout, frame_field
from her2sim.engine.codegen.linear import LinearCode
from her2sim.engine.codegen.lowering import lower
from her2sim.engine.codegen.reduction import ReductionCode
from her2sim.engine.codegen.rosenbrock import emit_stiff_stages
from her2sim.engine.codegen.service import IDLE, emit_service
from her2sim.engine.codegen.step_curve import Curve, Step
from her2sim.engine.linear_blocks import linear_blocks, states_of
from her2sim.engine.model import Model
from her2sim.engine.trajectories import Reductions

ENTRY_POINT = "integrate"
FASTEST_GROWTH, FASTEST_SHRINKAGE = 5.0, 0.2
GROWTH_AFTER_STOP = 16.0  # a step cut short by a stop says little of the next
STRETCH = 1.0001  # a step this close to the stop goes to the stop
SMALLEST_STEP = 1e-14  # relative to the time reached
COARSE = 1e4  # times the absolute tolerance, for amounts of which so little says nothing
GONE = 1e-100  # amounts of linear blocks: numbers below 2e-308 would be slow to reckon with
NEXT_TO_NOTHING = 1e-9  # of the largest amount since the last dose, beside the tolerance


def kernel_ir(
    model: Model, lanes: int, reductions: Reductions, varying: frozenset[str] = frozenset()
) -> str:
    """Return the LLVM IR of the integration loop of a model as text.

    ``varying`` names the parameters that may change on the way.
    """
    module = ir.Module(name=model.name)
    blocks = linear_blocks(model, varying)
    layout = Layout(model, lower(model, states_of(blocks)), blocks, lanes)
    service = emit_service(module, layout, reductions)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER]), ENTRY_POINT)
    _Kernel(function, service, layout, reductions).emit()
    return str(module)


class _Kernel:
    def __init__(
        self, function: ir.Function, service: ir.Function, layout: Layout, reductions: Reductions
    ) -> None:
        self.frame, self.service, self.layout = function.args[0], service, layout
        self.b = ir.IRBuilder(function.append_basic_block("entry"))
        self.emitter = Emitter(self.b, layout.lanes)
        workspace = self.emitter.scratch(layout.slots["total"])
        self.counters = stack_room(self.b, I64, layout.n_counters)
        self.code = EquationCode(self.emitter, layout, workspace)
        self.reduction_code = None
        if reductions != Reductions.NONE:
            self.reduction_code = ReductionCode(self.code, reductions == Reductions.TIME_ABOVE)
        self.crossing_code = CrossingCode(self.code) if layout.watched else None

    def global_counter(self, name: str) -> Value:
        assert name in GLOBAL_COUNTERS
        index = [I64(self.layout.counter(name))]
        return self.b.gep(self.counters, index, inbounds=True, source_etype=I64)

    def emit(self) -> None:
        self._emit_start()
        active_at = self.global_counter("active")

        def is_busy() -> Value:
            return self.b.icmp_unsigned("!=", self.b.load(active_at, typ=I64), I64(0))

        with while_loop(self.b, "steps", is_busy):
            active = self.emitter.mask(self.b.trunc(self.b.load(active_at, typ=I64), I32))
            self._emit_step(active)
        self.b.ret_void()

    def _emit_start(self) -> None:
        """Give every lane its first patient."""
        e = self.emitter
        for number in range(self.layout.slots["total"]):
            e.store(e.constant(0.0), self.code.workspace, number)
        self.b.store(frame_field(self.b, self.frame, "first"), self.global_counter("next"))
        all_lanes = (1 << self.layout.lanes) - 1
        self.b.store(I64(all_lanes), self.global_counter("active"))
        self.relative = e.splat(frame_field(self.b, self.frame, "relative"))
        self.absolute = e.splat(frame_field(self.b, self.frame, "absolute"))
        self.coarse = self.b.fmul(self.absolute, e.constant(COARSE))
        self.level = e.splat(frame_field(self.b, self.frame, "level"))
        limit = self.b.sitofp(frame_field(self.b, self.frame, "max_steps"), F64)
        self.max_steps = e.splat(limit)
        self.grid = frame_field(self.b, self.frame, "grid")
        self.grid_time = frame_field(self.b, self.frame, "grid_time")
        self.left_at = stack_room(self.b, I32)
        with self._each_lane("first", I32(all_lanes)) as lane:
            self._serve(lane, I32(IDLE))

    @contextmanager
    def _each_lane(self, name: str, lanes: Value) -> Iterator[Value]:
        """Loop over the lanes in a set of bits, lowest first."""
        self.b.store(lanes, self.left_at)

        def some_left() -> Value:
            return self.b.icmp_unsigned("!=", self.b.load(self.left_at, typ=I32), I32(0))

        with while_loop(self.b, name, some_left):
            left = self.b.load(self.left_at, typ=I32)
            self.b.store(self.b.and_(left, self.b.sub(left, I32(1))), self.left_at)
            yield self.b.zext(self.b.cttz(left, I1(1)), I64)

    def _serve(self, lane: Value, reason: Value) -> None:
        args = [self.frame, self.code.workspace, self.counters, lane, reason]
        self.b.call(self.service, args)

    def _emit_step(self, active: Value) -> None:
        b, e, code = self.b, self.emitter, self.code
        code.load_fixed()
        time, proposed, stop = code.load("t"), code.load("h"), code.load("stop")
        remaining = b.fsub(stop, time)
        if self.layout.solved:
            to_stop = b.fcmp_ordered(">=", b.fmul(proposed, e.constant(STRETCH)), remaining)
        else:
            to_stop = e.mask(I32(-1))  # linear blocks alone: one step to the stop
        size = b.select(to_stop, remaining, proposed)
        reached = b.select(to_stop, stop, b.fadd(time, size))
        states, infusion = code.load_states(), code.load_states("infusion")
        linear = LinearCode(code, states, infusion)
        new_states, stages, errors, increments = self._emit_method(size, states, infusion, linear)
        for i in self.layout.cores:
            is_gone = b.fcmp_ordered("<", e.fabs(new_states[i]), e.constant(GONE))
            new_states[i] = b.select(is_gone, e.constant(0.0), new_states[i])
        error = self._squared_error(states, new_states, errors)
        is_small = b.fcmp_ordered("<=", error, e.constant(1.0))
        is_accepted = b.and_(is_small, active)
        step = Step(
            time, size, reached, states, new_states, stages, is_accepted, linear, infusion,
            increments,
        )  # fmt: skip

        if self.reduction_code is not None:
            self.reduction_code.emit(step, self.level)
        if self.crossing_code is not None:
            self.crossing_code.emit(step)
        self._emit_grid(step)

        grown = b.fmul(size, self._growth(error))
        after_stop = e.minimum(proposed, b.fmul(size, e.constant(GROWTH_AFTER_STOP)))
        kept = b.select(b.and_(is_small, to_stop), e.maximum(grown, after_stop), grown)
        code.store(b.select(active, kept, proposed), "h")
        code.store(b.select(is_accepted, reached, time), "t")
        moves = is_accepted if self.layout.solved else active
        for i, (old, new) in enumerate(zip(states, new_states, strict=True)):
            code.store(b.select(moves, new, old), "y", i)
            code.store(b.select(is_accepted, stages[-1][i], stages[0][i]), "slope", i)
        for number, group in enumerate(self.layout.fading):
            self._emit_fading(step, number, group)
        steps = code.load("steps")
        steps = b.select(active, b.fadd(steps, e.constant(1.0)), steps)
        code.store(steps, "steps")

        failed = self._failed(active, is_accepted, time, size, steps)
        self._serve_due(b.or_(b.and_(is_accepted, to_stop), failed), failed)

    def _growth(self, error: Value) -> Value:
        """Size of the next step over this one, by its squared error."""
        b, e = self.b, self.emitter
        factor = e.minimum(e.step_factor(error), e.constant(FASTEST_GROWTH))
        factor = e.maximum(factor, e.constant(FASTEST_SHRINKAGE))
        is_number = b.fcmp_ordered("ord", error, error)  # else the step went where nothing is
        return b.select(is_number, factor, e.constant(FASTEST_SHRINKAGE))

    def _serve_due(self, due: Value, failed: Value) -> None:
        """Serve the lanes that are at a stop, or have failed."""
        b, e = self.b, self.emitter
        due_bits = e.bits(due)
        with b.if_then(b.icmp_unsigned("!=", due_bits, I32(0)), likely=False):
            failed_bits = b.zext(e.bits(failed), I64)
            with self._each_lane("serve", due_bits) as lane:
                has_failed = b.and_(b.lshr(failed_bits, lane), I64(1))
                self._serve(lane, b.trunc(has_failed, I32))

    def _emit_method(
        self, size: Value, states: list[Value], infusion: list[Value], linear: LinearCode
    ) -> tuple[list[Value], list[list[Value]], dict[int, Value], Mapping[int, list[Value]] | None]:
        """States at the end of a step, rates at its stages, errors, and increments if stiff."""
        b, e, code, solved = self.b, self.emitter, self.code, self.layout.solved
        if not self.layout.model.is_stiff:
            point, stages = self._emit_stages(size, states, infusion, linear)
            weighed = {
                i: e.combination(tableau.ERROR, [stage[i] for stage in stages]) for i in solved
            }
            return point, stages, {i: b.fmul(size, value) for i, value in weighed.items()}, None
        stiff = emit_stiff_stages(code, size, states, infusion, linear)
        is_reduced = self.reduction_code is not None
        last = code.rates(stiff.point, infusion) if is_reduced else stiff.start_slopes
        errors = {i: stiff.error(i) for i in solved}
        return stiff.point, [stiff.start_slopes, last], errors, stiff.increments

    def _emit_stages(
        self, size: Value, states: list[Value], infusion: list[Value], linear: LinearCode
    ) -> tuple[list[Value], list[list[Value]]]:
        """States at the end of the step, and the rates at its stages."""
        e, code, solved = self.emitter, self.code, self.layout.solved
        stages = [code.load_states("slope")]
        end = linear.states_at(size)
        if not solved:
            point = [end[i] for i in range(code.n_states)]
            return point, [*stages, code.rates(point, infusion)]
        for weights, node in zip(tableau.STAGES, tableau.NODES, strict=True):
            day = self.b.fmul(size, e.constant(node))
            found = dict(end) if node == 1.0 else linear.states_at(day)
            for i in solved:
                increment = e.combination(weights, [stage[i] for stage in stages])
                found[i] = e.fma(size, increment, states[i])
            point = [found[i] for i in range(code.n_states)]
            stages.append(code.rates(point, infusion))
        return point, stages

    def _squared_error(
        self, states: list[Value], new_states: list[Value], errors: Mapping[int, Value]
    ) -> Value:
        """Square of the largest error estimate over its tolerance; NaN where a number is broken."""
        b, e = self.b, self.emitter
        total = e.constant(0.0)
        for block in self.layout.blocks:
            for i in block.core:
                total = e.maximum_or_nan(b.fmul(new_states[i], e.constant(0.0)), total)
        for i in self.layout.solved:
            larger = e.maximum(e.fabs(states[i]), e.fabs(new_states[i]))
            is_coarse = self.layout.model.states[i] in self.layout.model.coarse
            least = self.coarse if is_coarse else self.absolute
            ratio = b.fdiv(errors[i], e.fma(self.relative, larger, least))
            total = e.maximum_or_nan(b.fmul(ratio, ratio), total)
        return total

    def _emit_fading(self, step: Step, number: int, group: tuple[int, ...]) -> None:
        """Set amounts to zero that are next to nothing, so that they cost no steps any more.

        Below the absolute tolerance an amount is the solver's noise, so that counts as nothing.
        """
        b, e, code = self.b, self.emitter, self.code
        total, rate = e.constant(0.0), e.constant(0.0)
        for i in group:
            total = b.fadd(total, e.fabs(step.new_states[i]))
            rate = b.fadd(rate, e.fabs(step.infusion[i]))
        before = code.load("largest", number)
        largest = e.maximum(before, total)
        code.store(b.select(step.is_accepted, largest, before), "largest", number)
        limit = e.fma(largest, e.constant(NEXT_TO_NOTHING), self.absolute)
        is_little = b.fcmp_ordered("<", total, limit)
        is_off = b.fcmp_ordered("==", rate, e.constant(0.0))
        is_gone = b.and_(b.and_(is_little, is_off), step.is_accepted)
        with b.if_then(e.any(is_gone), likely=False):
            for i in group:
                code.store(b.select(is_gone, e.constant(0.0), code.load("y", i)), "y", i)
            slopes = code.rates(code.load_states(), step.infusion)
            for i, slope in enumerate(slopes):
                code.store(b.select(is_gone, slope, code.load("slope", i)), "slope", i)

    def _failed(
        self, active: Value, is_accepted: Value, time: Value, size: Value, steps: Value
    ) -> Value:
        b, e = self.b, self.emitter
        smallest = b.fmul(b.fadd(e.fabs(time), e.constant(1.0)), e.constant(SMALLEST_STEP))
        stuck = b.and_(b.fcmp_unordered("<=", size, smallest), b.not_(is_accepted))
        too_many = b.fcmp_ordered(">=", steps, self.max_steps)
        return b.and_(active, b.or_(stuck, too_many))

    def _emit_grid(self, step: Step) -> None:
        """Store outputs at all grid times that the step has passed."""
        b, e, code = self.b, self.emitter, self.code

        def passed() -> Value:
            is_due = b.fcmp_ordered("<=", code.load("next_grid"), step.reached)
            return b.and_(is_due, step.is_accepted)

        with b.if_then(e.any(passed()), likely=True):
            curve = Curve(step, code)
            with while_loop(b, "grid", lambda: e.any(passed())):
                fraction = b.fdiv(b.fsub(code.load("next_grid"), step.time), step.size)
                for o, value in enumerate(code.outputs(curve.states_at(fraction))):
                    code.store(value, "output", o)
                self._store_grid_lanes(e.bits(passed()))

    def _store_grid_lanes(self, lanes: Value) -> None:
        b, n_outputs = self.b, len(self.layout.model.outputs)
        with self._each_lane("grid_lanes", lanes) as lane:
            row_at, position_at = self._lane_counter("row", lane), self._lane_counter("grid", lane)
            row = b.load(row_at, typ=I64)
            for o in range(n_outputs):
                value = b.load(self._element("output", o, lane), typ=F64)
                place = b.gep(self.grid, [b.add(row, I64(o))], inbounds=True, source_etype=F64)
                b.store(value, place)
            b.store(b.add(row, I64(n_outputs)), row_at)
            position = b.add(b.load(position_at, typ=I64), I64(1))
            b.store(position, position_at)
            following = b.gep(self.grid_time, [position], inbounds=True, source_etype=F64)
            b.store(b.load(following, typ=F64), self._element("next_grid", 0, lane))

    def _lane_counter(self, name: str, lane: Value) -> Value:
        index = self.b.add(I64(self.layout.counter(name)), lane)
        return self.b.gep(self.counters, [index], inbounds=True, source_etype=I64)

    def _element(self, name: str, offset: int, lane: Value) -> Value:
        first = (self.layout.slots[name] + offset) * self.layout.lanes
        index = self.b.add(I64(first), lane)
        return self.b.gep(self.code.workspace, [index], inbounds=True, source_etype=F64)
