"""Epochs: linear blocks under parameters that a shared schedule changes at the same times for all.

Each PARAMETER row begins an epoch with its own modal numbers. Where patients have schedules of
their own, the changed parameters count as varying, and what depends on them is integrated step by
step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from her2sim.arrays import Array
from her2sim.engine.linear_blocks import LinearBlock, linear_blocks, modal_arrays
from her2sim.engine.model import Model
from her2sim.engine.schedule import Action, Schedule
from her2sim.engine.trajectories import Request

LARGEST_BYTES = 2**28


def patients_at_once(model: Model, schedule: Schedule) -> int:
    """Patients whose modal numbers fit into memory at once (256 MB)."""
    blocks = linear_blocks(model, frozenset())
    numbers = sum(sum(block.sizes.values()) for block in blocks)
    n_epochs = len(_changes(schedule)) + 1 if is_shared(schedule) else 1
    return max(1, LARGEST_BYTES // (8 * max(1, numbers) * n_epochs))


def is_shared(schedule: Schedule) -> bool:
    """Whether all patients have the same rows."""
    return bool(
        (schedule.begin == schedule.begin[0]).all() and (schedule.end == schedule.end[0]).all()
    )


def modal_numbers(model: Model, blocks: Sequence[LinearBlock], request: Request) -> Array:
    """Modal numbers of all blocks, shape (n_epochs, n_modal, n)."""
    found = [modal_of(model, blocks, known) for known in _epochs(blocks, model, request)]
    return np.ascontiguousarray(found)


def modal_of(model: Model, blocks: Sequence[LinearBlock], parameters: Array) -> Array:
    """Modal numbers of blocks under parameters of shape (n_parameters, n): (n_modal, n)."""
    arrays = [modal_arrays(block, model, parameters) for block in blocks]
    return np.concatenate(arrays) if arrays else np.empty((0, parameters.shape[1]))


def _epochs(blocks: Sequence[LinearBlock], model: Model, request: Request) -> Iterator[Array]:
    """Parameters of each epoch; only one if no block depends on what changes."""
    parameters = np.array(request.parameters, dtype=np.float64)
    yield parameters
    if blocks and is_shared(request.schedule):
        for target, value in _changes(request.schedule):
            parameters[target] = value
            yield parameters


def _changes(schedule: Schedule) -> list[tuple[int, float]]:
    """Parameter changes of the first patient, in order."""
    rows = slice(int(schedule.begin[0]), int(schedule.end[0]))
    is_change = schedule.action[rows] == Action.PARAMETER
    targets, values = schedule.target[rows][is_change], schedule.value[rows][is_change]
    return list(zip(targets.tolist(), values.tolist(), strict=True))
