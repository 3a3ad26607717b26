"""Many tasks on some cores, with results in the order of the tasks."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from her2sim.errors import SolverError

Task = TypeVar("Task")
Result = TypeVar("Result")
AHEAD = 2
"""Tasks handed out ahead of the one that is waited for, for each core."""


def in_order(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Iterator[Result]:
    """Results of a function over tasks, in their order; with one worker in this process.

    Few results are held at a time, so that memory does not grow with the number of tasks.

    Raises
    ------
    SolverError
        If the processes ended before their tasks did.
    """
    if workers == 1 or len(tasks) == 1:
        yield from map(function, tasks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(tasks)), mp_context=context) as pool:
        waiting: deque[Future[Result]] = deque()
        left = iter(tasks)
        try:
            for task in left:
                waiting.append(pool.submit(function, task))
                if len(waiting) >= workers * (1 + AHEAD):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise SolverError(
                f"{workers} processes were started and ended at once: in a script, call her2sim "
                'below `if __name__ == "__main__":`; or the machine ran out of memory: use fewer '
                "workers"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)
