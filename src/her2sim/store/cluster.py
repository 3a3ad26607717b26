"""Tasks on a Dask cluster: a worker that is lost loses no task, and none is done twice."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from itertools import islice
from typing import Any

from her2sim.errors import DataError

AHEAD = 3
"""Tasks handed out for each thread of the cluster; more would only wait there."""
RETRIES = 5
WAIT_SECONDS = 10


def on_cluster(
    address: str, function: Callable[[Any], Any], tasks: Sequence[Any]
) -> Iterator[tuple[int, Any]]:
    """Results of a function over tasks as they come, each with the place of its task.

    Raises
    ------
    DataError
        If Dask is not installed, nobody answers at the address or works there, or the scheduler is
        gone while tasks are under way.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise DataError("a cluster needs Dask: install her2sim[cluster]") from None
    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError, TimeoutError) as error:
        raise DataError(f"cluster {address!r}: nobody answers ({error})") from None
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # it is told below
    with client:
        try:
            client.wait_for_workers(1, timeout=WAIT_SECONDS)
        except TimeoutError:
            raise DataError(
                f"cluster {address!r}: has no workers; start one (dask worker {address})"
            ) from None
        left = iter(enumerate(tasks))
        place: dict[Any, int] = {}

        def submit(number: int, task: Any) -> Any:
            future = client.submit(function, task, pure=False, retries=RETRIES)
            place[future] = number
            return future

        at_once = max(1, sum(client.nthreads().values())) * AHEAD
        waiting = as_completed([submit(*pair) for pair in islice(left, at_once)])
        try:
            for future in waiting:
                yield place.pop(future), future.result()
                for pair in islice(left, 1):
                    waiting.add(submit(*pair))
        except (CancelledError, OSError):
            raise DataError(
                f"cluster {address!r}: the scheduler is gone; what was finished is kept in -o, if "
                "given: run the command again"
            ) from None
