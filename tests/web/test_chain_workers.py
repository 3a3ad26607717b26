"""Chains are worked out beside the server: patients first, nothing for those who left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from her2sim.errors import DataError
from her2sim.web.chain import chain
from her2sim.web.chain_workers import ChainWorkers
from her2sim.web.patient_question import PatientQuestion

QUESTION = PatientQuestion(weeks=12)


class Asked:
    """One process behind one event loop, as in the server."""

    def __init__(self) -> None:
        self.workers, self.loop = ChainWorkers(1), asyncio.Runner()

    def __call__(self, *calls: tuple[PatientQuestion, bool, bool]) -> list[Any]:
        """Answers of questions that are asked at once, in the order in which they came."""
        came: list[Any] = []

        async def one(question: PatientQuestion, has_band: bool, is_wanted: bool) -> None:
            try:
                found: Any = await self.workers.chain(question, has_band, lambda: is_wanted)
            except DataError as error:
                found = error
            came.append((question, has_band, found))

        async def everybody() -> None:
            await asyncio.wait_for(asyncio.gather(*(one(*call) for call in calls)), 120)

        self.loop.run(everybody())
        return came


@pytest.fixture
def asked() -> Iterator[Asked]:
    """One process."""
    made = Asked()
    yield made
    made.workers.kill()
    made.loop.close()


def test_the_answer_is_that_of_the_chain(asked: Asked) -> None:
    """To the bit, band and all."""
    ((_, _, found),) = asked((QUESTION, True, True))
    here = chain(QUESTION, has_band=True)
    for one, other in zip(found.stages, here.stages, strict=True):
        assert (one.key, one.value, one.detail) == (other.key, other.value, other.detail)
        for chart, same in zip(one.charts, other.charts, strict=True):
            assert np.array_equal(chart.curves[0].y, same.curves[0].y, equal_nan=True)
            for band, again in zip(chart.bands, same.bands, strict=True):
                assert np.array_equal(band.high, again.high, equal_nan=True)
    assert found.rules.rows == here.rules.rows


def test_patients_come_before_bands_and_nothing_for_nobody(asked: Asked) -> None:
    """Of what waits, each patient is first; what nobody wants any more is not worked out."""
    others = [QUESTION.model_copy(update={"weight_kg": kg}) for kg in (50.0, 60.0, 70.0)]
    first = (QUESTION, False, True)
    came = asked(first, (others[0], True, True), (others[1], True, False), (others[2], False, True))
    order = [(question.weight_kg, has_band) for question, has_band, found in came if found]
    assert order == [(QUESTION.weight_kg, False), (70.0, False), (50.0, True)]
    assert [question.weight_kg for question, _, found in came if found is None] == [60.0]


def test_a_fault_is_told_and_the_next_is_answered(asked: Asked) -> None:
    """What cannot be treated has its reason, again when it is asked again."""
    impossible = QUESTION.model_copy(update={"regimen": "no-such-drug"})
    for _ in range(2):
        ((_, _, fault), (_, _, found)) = asked((impossible, False, True), (QUESTION, False, True))
        assert isinstance(fault, DataError)
        assert "no-such-drug" in str(fault)
        assert found.stages


def test_a_process_that_dies_is_started_anew(asked: Asked) -> None:
    """One answer is a fault that says so; the next is there."""
    asked((QUESTION, False, True))
    asked.workers.kill()
    other = QUESTION.model_copy(update={"seed": 9})
    ((_, _, one),) = asked((other, False, True))
    ((_, _, two),) = asked((other, False, True))
    assert two.stages
    assert isinstance(one, DataError) or one.stages
