"""Many tasks on some cores, with results in the order of the tasks."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from her2sim.errors import SolverError

Task = TypeVar("Task")
Result = TypeVar("Result")
BY_THREADS = 2
AHEAD = 2
"""Tasks handed out ahead of the one that is waited for, for each core."""


def in_threads(
    function: Callable[[Task], Result], tasks: Sequence[Task], threads: int
) -> Iterator[Result]:
    """Results of a function over tasks, in their order, by threads of this process.

    For tasks that spend their time in compiled code and on large arrays, where threads need not
    wait for each other. No more results are held than threads run.
    """
    if threads == 1 or len(tasks) == 1:
        yield from map(function, tasks)
        return
    with ThreadPoolExecutor(min(threads, len(tasks))) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(function, task))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def in_order(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Iterator[Result]:
    """Results of a function over tasks, in their order; with one worker in this process.

    Few results are held at a time, so that memory does not grow with the number of tasks. Two tasks
    are run by threads: to start a process takes longer than they wait for each other.

    Raises
    ------
    SolverError
        If the processes ended before their tasks did.
    """
    if workers == 1 or len(tasks) <= BY_THREADS:
        yield from in_threads(function, tasks, min(workers, len(tasks)))
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
