"""Chains of patients are worked out in processes beside the server: a patient before any band.

A class moves many sliders at once. Each core has a process with a line of its own: patients first,
then their bands, and what nobody waits for any more is left out.
"""

from __future__ import annotations

import asyncio
import atexit
import itertools
import logging
import multiprocessing
import signal
from collections import OrderedDict
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from her2sim.engine.advance import available_cores
from her2sim.errors import DataError, Her2SimError

if TYPE_CHECKING:
    from her2sim.web.chain import ChainView
    from her2sim.web.patient_question import PatientQuestion

KEPT_CHAINS = 128
LOG = logging.getLogger("her2sim.web")
_FAULT = "a fault of the program; change a field, or see the log of the server"


def _serve(line: Connection) -> None:
    """What the process does: it answers questions until the server is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from her2sim.web.chain import chain

    while True:
        try:
            question, has_band = line.recv()
        except EOFError:
            return
        try:
            answer: ChainView | str = chain(question, has_band)
        except Her2SimError as error:
            answer = str(error)
        except Exception:
            LOG.exception("the chain of %s", question.link())
            answer = _FAULT
        line.send(answer)


class _Worker:
    """A process, the questions that wait for it, and who takes them to it one by one."""

    def __init__(self) -> None:
        self.waiting: asyncio.PriorityQueue[tuple[bool, int, Any]] = asyncio.PriorityQueue()
        self.is_stopping = False
        self._line: Connection | None = None
        self._process: Any = None

    def ask(self, question: PatientQuestion, has_band: bool) -> ChainView | str:
        """The answer of the process, which is started if it is not there."""
        if self._process is None or not self._process.is_alive():
            own, other = multiprocessing.get_context("spawn").Pipe()
            start = multiprocessing.get_context("spawn").Process
            self._process = start(target=_serve, args=(other,), daemon=True)
            self._process.start()
            other.close()
            self._line = own
        assert self._line is not None
        try:
            self._line.send((question, has_band))
            answer: ChainView | str = self._line.recv()
        except (EOFError, OSError):
            if not self.is_stopping:
                LOG.error("the process of %s ended", question.link())
            return _FAULT
        return answer

    def kill(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()

    async def work(self) -> None:
        """Take questions to the process for ever, patients before bands."""
        while True:
            has_band, _, (question, is_wanted, told) = await self.waiting.get()
            if told.cancelled():
                continue
            if not is_wanted():
                told.set_result(None)
                continue
            answer = await asyncio.to_thread(self.ask, question, has_band)
            if not told.cancelled():
                told.set_result(answer)


class ChainWorkers:
    """Chains of patients, kept for those who ask the same."""

    def __init__(self, n: int | None = None) -> None:
        self._workers = [_Worker() for _ in range(n or available_cores())]
        self._kept: OrderedDict[tuple[PatientQuestion, bool], ChainView | str] = OrderedDict()
        self._number = itertools.count()
        self._tasks: list[asyncio.Task[None]] = []
        atexit.register(self._stop)

    def _stop(self) -> None:
        """Processes that end with the server are no fault."""
        for worker in self._workers:
            worker.is_stopping = True

    async def chain(
        self, question: PatientQuestion, has_band: bool, is_wanted: Callable[[], bool]
    ) -> ChainView | None:
        """The chain of a patient; None if nobody wants it any more when its turn comes.

        Raises
        ------
        DataError
            If the patient cannot be treated like this, with the reason.
        """
        key = (question, has_band)
        if key not in self._kept:
            worker = self._workers[hash(question) % len(self._workers)]
            answer = await self._on(worker, question, has_band, is_wanted)
            if answer is None:
                return None
            if answer == _FAULT:
                raise DataError(_FAULT)
            self._kept[key] = answer
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT_CHAINS:
            self._kept.popitem(last=False)
        found = self._kept[key]
        if isinstance(found, str):
            raise DataError(found)
        return found

    async def _on(
        self,
        worker: _Worker,
        question: PatientQuestion,
        has_band: bool,
        is_wanted: Callable[[], bool],
    ) -> ChainView | str | None:
        """The answer of one process in its turn."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(worker.work()) for worker in self._workers]
        told: asyncio.Future[ChainView | str | None] = asyncio.get_running_loop().create_future()
        worker.waiting.put_nowait((has_band, next(self._number), (question, is_wanted, told)))
        return await told

    async def warm(self, question: PatientQuestion) -> None:
        """Start all processes with a first question, so that nobody waits for compiled models."""
        first = [self._on(worker, question, True, lambda: True) for worker in self._workers]
        await asyncio.gather(*first)

    def kill(self) -> None:
        """End all processes; each is started anew by its next question."""
        for worker in self._workers:
            worker.kill()
