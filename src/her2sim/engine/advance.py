"""The engine's verb: advance patients through their schedules with compiled code."""

from __future__ import annotations

import ctypes
import functools
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from her2sim.arrays import Array
from her2sim.engine.codegen.cache import compiled_object
from her2sim.engine.codegen.identity import kernel_identity
from her2sim.engine.codegen.kernel import kernel_ir
from her2sim.engine.codegen.layout import Frame
from her2sim.engine.codegen.machine import LoadedCode, compile_object, this_machine
from her2sim.engine.epochs import is_shared, modal_numbers, patients_at_once
from her2sim.engine.linear_blocks import linear_blocks
from her2sim.engine.model import Model
from her2sim.engine.schedule import Action, Schedule, check_schedule
from her2sim.engine.trajectories import (
    Reductions,
    Request,
    Tolerance,
    Trajectories,
    blank_unreached,
    check_request,
    empty_results,
    joined,
)
from her2sim.errors import DataError

SMALLEST_SHARE = 256  # patients; fewer are not worth a thread


@dataclass(frozen=True, eq=False)
class Kernel:
    """The compiled integration loop of a model (``varying``: see :func:`compile_kernel`)."""

    model: Model
    lanes: int
    reductions: Reductions
    code: LoadedCode
    varying: frozenset[str] = frozenset()

    def __call__(self, frame: Frame) -> None:
        """Run the loop; the GIL is released while it runs."""
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.code.address)(ctypes.addressof(frame))


def compile_kernel(
    model: Model,
    reductions: Reductions = Reductions.CYCLES,
    lanes: int | None = None,
    use_cache: bool = True,
    varying: frozenset[str] = frozenset(),
) -> Kernel:
    """Compile the integration loop of a model, or load it from the object cache.

    ``varying`` names the parameters that change for each patient apart; states whose equations are
    linear and do not depend on them are propagated exactly. ``lanes`` is how many patients march
    together (1, 2, 4, 8, 16 or 32); the default is what suits the CPU and the model. Results do not
    depend on it.
    """
    machine = this_machine()
    width = machine.lanes_for(len(model.states)) if lanes is None else lanes
    if width not in (1, 2, 4, 8, 16, 32):
        raise DataError(f"{width} lanes: use 1, 2, 4, 8, 16 or 32")

    def source() -> str:
        return kernel_ir(model, width, reductions, varying)

    if use_cache:
        identity = kernel_identity(model, width, reductions, varying)
        code = compiled_object(identity, source, machine)
    else:
        code = compile_object(source(), machine)
    return Kernel(model, width, reductions, LoadedCode(code, machine), varying)


_COMPILING = threading.Lock()
"""llvmlite writes code by tables that it fills on first use: one thread at a time."""


@functools.lru_cache(maxsize=64)
def _kernel_of(model: Model, reductions: Reductions, varying: frozenset[str]) -> Kernel:
    return compile_kernel(model, reductions, varying=varying)


def kernel_of(model: Model, reductions: Reductions, varying: frozenset[str]) -> Kernel:
    """The kernel of a model on this machine; compiled once a process, whichever thread asks."""
    with _COMPILING:
        return _kernel_of(model, reductions, varying)


def advance(
    model: Model,
    request: Request,
    tolerance: Tolerance | None = None,
    threads: int | None = None,
    kernel: Kernel | None = None,
    modal: Array | None = None,
) -> Trajectories:
    """Integrate all patients of a request to the end of their schedules.

    A patient that fails has a status; the others finish. Bits do not depend on threads, lanes,
    order or neighbours.

    Parameters
    ----------
    model, request : what to integrate
    tolerance : default ``Tolerance()`` (relative 1e-7)
    threads : default all cores that this process may use
    kernel : compiled loop to use instead of the default one
    modal : numbers of the linear blocks of the kernel, shape (1, n_modal, n), if they are known
        (:func:`her2sim.engine.epochs.modal_of`)

    Raises
    ------
    DataError
        If shapes, numbers or the order of the schedule are wrong.
    """
    check_request(model, request)
    infused = [model.index("states", name) for name in model.infused]
    check_schedule(request.schedule, len(model.states), len(model.parameters), infused)
    results = empty_results(model, request)
    n = request.n_patients
    if n == 0:
        return results
    at_once = patients_at_once(model, request.schedule)
    if n > at_once:
        cuts = [slice(a, min(a + at_once, n)) for a in range(0, n, at_once)]
        return joined(
            advance(
                model, request.part(cut.start, cut.stop), tolerance, threads, kernel,
                None if modal is None else modal[:, :, cut],
            )
            for cut in cuts
        )  # fmt: skip
    changed = varied_parameters(model, request.schedule)
    varying = frozenset[str]() if is_shared(request.schedule) else changed
    run = kernel or kernel_of(model, request.reductions, varying)
    _check_kernel(run, request, varying)
    if modal is None:
        modal = modal_numbers(model, linear_blocks(model, run.varying), request)
    arrays = _arrays(request, results) | {"modal": np.ascontiguousarray(modal)}
    n_threads = max(1, min(threads or available_cores(), n // SMALLEST_SHARE))
    edges = np.linspace(0, n, n_threads + 1).astype(int)
    frames = [
        _frame(request, results, arrays, tolerance or Tolerance(), int(a), int(b))
        for a, b in zip(edges, edges[1:], strict=False)
    ]
    if n_threads == 1:
        run(frames[0])
    else:
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(run, frames))
    blank_unreached(request, results)
    return results


def _check_kernel(run: Kernel, request: Request, varying: frozenset[str]) -> None:
    """Refuse a compiled loop that was made for less than is asked."""
    if not varying <= run.varying:
        raise DataError(
            f"this kernel keeps {', '.join(sorted(varying - run.varying))} constant; the schedule "
            "does not"
        )
    if run.reductions < request.reductions:
        raise DataError(
            f"this kernel was compiled for {run.reductions.name}; "
            f"the request needs {request.reductions.name}"
        )


def varied_parameters(model: Model, schedule: Schedule) -> frozenset[str]:
    """Parameters that rows of a schedule change."""
    changed = np.unique(schedule.target[schedule.action == Action.PARAMETER])
    return frozenset(model.parameters[i] for i in changed)


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _arrays(request: Request, results: Trajectories) -> dict[str, Any]:
    """Contiguous arrays behind the pointers of the frame."""
    schedule: Schedule = request.schedule
    ones = np.ones_like(results.states)
    scale = ones if request.scale is None else request.scale
    levels = request.watch_level
    never = np.full_like(results.crossing_day, np.inf)
    real, whole, short = np.float64, np.int64, np.int32
    inputs = {
        "parameters": (request.parameters, real),
        "scale": (scale, real),
        "watch_level": (never if levels is None else levels, real),
        "begin": (schedule.begin, whole),
        "end": (schedule.end, whole),
        "event_time": (schedule.time_day, real),
        "action": (schedule.action, short),
        "target": (schedule.target, short),
        "value": (schedule.value, real),
        "grid_time": (np.append(request.grid_day, np.inf), real),
    }
    arrays = {name: np.ascontiguousarray(a, dtype=kind) for name, (a, kind) in inputs.items()}
    outputs = {
        "crossing": results.crossing_day,
        "states": results.states,
        "time": results.time_day,
        "status": results.status,
        "steps": results.n_steps,
        "readings": results.readings,
        "cycles": results.cycles,
        "grid": results.grid,
    }
    return arrays | outputs


def _frame(
    request: Request,
    results: Trajectories,
    arrays: dict[str, Any],
    tolerance: Tolerance,
    first: int,
    last: int,
) -> Frame:
    frame = Frame(
        first=first,
        last=last,
        n_patients=request.n_patients,
        n_grid=request.grid_day.size,
        n_readings=request.schedule.n_readings,
        n_cycles=request.schedule.n_cycles,
        n_epochs=arrays["modal"].shape[0],
        max_steps=tolerance.max_steps,
        relative=tolerance.relative,
        absolute=tolerance.absolute,
        level=0.0 if request.level is None else request.level,
    )
    for name, array in arrays.items():
        setattr(frame, name, array.ctypes.data)
    return frame
