"""Many tasks on some cores, with results in the order of the tasks."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import wait
from threading import Thread
from typing import Any, TypeVar

from her2sim.errors import SolverError
from her2sim.pulse import watched

Task = TypeVar("Task")
Result = TypeVar("Result")
BY_THREADS = 2
"""So many tasks are run by threads: to start a process takes longer than they wait."""
CLOSING_SECONDS = 1.0
AHEAD = 2
"""Tasks handed out ahead of the one that is waited for, for each process."""


Shares = Callable[[Sequence[float]], None]
"""Told now and then how much of each task is done, from 0 to 1."""
LOOK_SECONDS = 0.25
_shared: Any = None


def in_threads(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    threads: int,
    inside: Shares | None = None,
) -> Iterator[Result]:
    """Results of a function over tasks, in their order, by threads of this process.

    For tasks that spend their time in compiled code and on large arrays, where threads need not
    wait for each other. One result more is held than threads run.
    """
    shares = [0.0] * len(tasks)
    if threads == 1 or len(tasks) == 1:
        for number, task in enumerate(tasks):
            yield _watched(function, shares, number, task, inside)
        return
    pool = ThreadPoolExecutor(min(threads, len(tasks)))
    run = partial(_watched, function, shares)
    yield from _in_order(pool, run, tasks, threads + 1, inside, shares)


def _watched(
    function: Callable[[Task], Result],
    shares: Any,
    number: int,
    task: Task,
    inside: Shares | None = None,
) -> Result:
    """A task, which notes how far it has come."""

    def note(share: float) -> None:
        shares[number] = share
        if inside is not None:
            inside(shares)

    with watched(note):
        return function(task)


def _in_process(function: Callable[[Task], Result], number: int, task: Task) -> Result:
    return _watched(function, _shared, number, task)


def _in_order(
    pool: Executor,
    function: Callable[[int, Task], Result],
    tasks: Sequence[Task],
    most: int,
    inside: Shares | None,
    shares: Sequence[float],
) -> Iterator[Result]:
    """Results of tasks in their order, so many at most handed out at a time.

    When the caller stops, or a task fails, nobody waits for the tasks that are under way:
    processes are ended, threads end with their task.
    """
    waiting: deque[Future[Result]] = deque()
    try:
        for number, task in enumerate(tasks):
            waiting.append(pool.submit(function, number, task))
            if len(waiting) >= most:
                yield _awaited(waiting.popleft(), inside, shares)
        while waiting:
            yield _awaited(waiting.popleft(), inside, shares)
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


def _awaited(future: Future[Result], inside: Shares | None, shares: Sequence[float]) -> Result:
    """A result; while it is waited for, how far the tasks have come is told."""
    while inside is not None and not wait_for([future], timeout=LOOK_SECONDS).done:
        inside(shares)
    return future.result()


def _begin(shares: Any) -> None:
    """What a process does first: leave Ctrl-C to the one that started it, and end with it."""
    global _shared
    _shared = shares
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def in_order(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    workers: int,
    inside: Shares | None = None,
) -> Iterator[Result]:
    """Results of a function over tasks, in their order; with one worker in this process.

    Few results are held at a time, so that memory does not grow with the number of tasks; one or
    two tasks are run by threads. ``inside`` is told while they run.

    Raises
    ------
    SolverError
        If the processes ended before their tasks did.
    """
    if workers == 1 or len(tasks) <= BY_THREADS:
        yield from in_threads(function, tasks, min(workers, len(tasks)), inside)
        return
    context = multiprocessing.get_context("spawn")
    shares = context.RawArray("d", len(tasks))
    pool = ProcessPoolExecutor(
        min(workers, len(tasks)), mp_context=context, initializer=_begin, initargs=(shares,)
    )
    try:
        run = partial(_in_process, function)
        yield from _in_order(pool, run, tasks, workers * (1 + AHEAD), inside, shares)
    except BrokenProcessPool:
        raise SolverError(
            f"{workers} processes were started and ended at once: in a script, call her2sim "
            'below `if __name__ == "__main__":`; or the machine ran out of memory: use fewer '
            "workers"
        ) from None
