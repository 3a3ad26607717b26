"""Many tasks on some cores, with results in the order of the tasks."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from threading import Thread
from typing import TypeVar

from her2sim.errors import SolverError

Task = TypeVar("Task")
Result = TypeVar("Result")
BY_THREADS = 2
"""So many tasks are run by threads: to start a process takes longer than they wait."""
CLOSING_SECONDS = 1.0
AHEAD = 2
"""Tasks handed out ahead of the one that is waited for, for each process."""


def in_threads(
    function: Callable[[Task], Result], tasks: Sequence[Task], threads: int
) -> Iterator[Result]:
    """Results of a function over tasks, in their order, by threads of this process.

    For tasks that spend their time in compiled code and on large arrays, where threads need not
    wait for each other. One result more is held than threads run.
    """
    if threads == 1 or len(tasks) == 1:
        yield from map(function, tasks)
        return
    pool = ThreadPoolExecutor(min(threads, len(tasks)))
    yield from _in_order(pool, function, tasks, threads + 1)


def _in_order(
    pool: Executor, function: Callable[[Task], Result], tasks: Sequence[Task], most: int
) -> Iterator[Result]:
    """Results of tasks in their order, so many at most handed out at a time.

    When the caller stops, or a task fails, nobody waits for the tasks that are under way:
    processes are ended, threads end with their task.
    """
    waiting: deque[Future[Result]] = deque()
    try:
        for task in tasks:
            waiting.append(pool.submit(function, task))
            if len(waiting) >= most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BaseException:
        processes = [*(getattr(pool, "_processes", None) or {}).values()]
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        if processes:  # they are gone at once: what they shared is cleaned up
            closing = Thread(target=pool.shutdown, daemon=True)
            closing.start()
            closing.join(CLOSING_SECONDS)
        raise
    pool.shutdown()


def _begin() -> None:
    """What a process does first: leave Ctrl-C to the one that started it, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def in_order(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Iterator[Result]:
    """Results of a function over tasks, in their order; with one worker in this process.

    Few results are held at a time, so that memory does not grow with the number of tasks; one or
    two tasks are run by threads.

    Raises
    ------
    SolverError
        If the processes ended before their tasks did.
    """
    if workers == 1 or len(tasks) <= BY_THREADS:
        yield from in_threads(function, tasks, min(workers, len(tasks)))
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(tasks)), mp_context=context, initializer=_begin)
    try:
        yield from _in_order(pool, function, tasks, workers * (1 + AHEAD))
    except BrokenProcessPool:
        raise SolverError(
            f"{workers} processes were started and ended at once: in a script, call her2sim "
            'below `if __name__ == "__main__":`; or the machine ran out of memory: use fewer '
            "workers"
        ) from None
