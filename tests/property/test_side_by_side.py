"""Work on several threads: the same numbers in the same order, and nothing kept alive."""

from __future__ import annotations

import gc
import time
import weakref

import numpy as np
import pytest

from her2sim.biology.virtual_cohort import draw_virtual_cohort
from her2sim.patients.population import load_population
from her2sim.pk.combination import load_combination
from her2sim.pk.exposure_run import cohort_chunks
from her2sim.pk.treatment import load_treatment
from her2sim.pulse import beat
from her2sim.random import Purpose, Stream, codes_by
from her2sim.store.workers import in_order, in_threads
from her2sim.studies.exposure import exposure
from her2sim.studies.regimen_exposure import exposure_together
from her2sim.virtual_patient.treat import TreatmentPlan, treat


def test_results_come_in_the_order_of_their_tasks() -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.02 * (number == 0))
        return number

    assert list(in_threads(slow_first, range(9), 3)) == list(range(9))
    assert list(in_threads(slow_first, range(3), 1)) == [0, 1, 2]


def test_what_a_task_raises_is_raised_here() -> None:
    def fails(number: int) -> int:
        if number == 2:
            raise ValueError("the third")
        return number

    with pytest.raises(ValueError, match="the third"):
        list(in_threads(fails, range(20), 2))


def test_exposures_are_the_same_on_any_number_of_threads() -> None:
    people = load_population("mbc")
    treatment, regimen = load_treatment("trastuzumab", "q3w"), load_combination("thp")
    alone, three = (
        exposure(treatment, people, 130, 3, chunk=20, threads=n).as_dict() for n in (1, 3)
    )
    assert alone == three
    one, two = (
        exposure_together(regimen, people, 70, 3, 2, chunk=20, threads=n).as_dict() for n in (1, 2)
    )
    assert one == two


def test_names_that_follow_from_a_day_are_the_same_names() -> None:
    stream = Stream(5, 0, np.arange(1, 7), Purpose.VISITS)
    day = np.array([21.0, 42.0, 21.0, 0.5, 42.0, 1e6])
    found = stream.normal(codes_by(lambda one: f"lvef:{one:g}:0", day))
    each = [stream.normal(f"lvef:{one:g}:0")[k] for k, one in enumerate(day)]
    assert found.tolist() == each


def test_bodies_of_patients_are_freed_when_they_are_done() -> None:
    """Not by the garbage collector, which comes late: 100,000 patients took twice the memory."""
    (cohort,) = cohort_chunks(load_population("mbc"), 20, 1, 20)
    people, regimen = draw_virtual_cohort(cohort), load_combination("thp")
    gc.collect()
    gc.disable()
    try:
        treated = treat(regimen.treatments, people, TreatmentPlan(63.0))
        bodies, instruments = weakref.ref(treated.state), weakref.ref(treated.instruments)
        del treated
        assert bodies() is None
        assert instruments() is None
    finally:
        gc.enable()


def beats(seconds: float) -> float:
    """A task that tells how far it has come."""
    for share in (0.25, 0.5, 0.75):
        time.sleep(seconds / 4)
        beat(share)
    time.sleep(seconds / 4)
    beat(1.0)
    return seconds


@pytest.mark.parametrize(("n_tasks", "workers"), [(1, 1), (2, 2), (4, 2)])
def test_progress_is_told_while_tasks_run(n_tasks: int, workers: int) -> None:
    """In this process, in threads and in processes: before the first result is there."""
    seen: list[list[float]] = []
    results = in_order(beats, [2.0] * n_tasks, workers, lambda shares: seen.append(list(shares)))
    first = next(results)
    told = [sum(shares) for shares in seen]
    assert first == 2.0
    assert any(0 < total < n_tasks for total in told)
    assert told == sorted(told)
    assert list(results) == [2.0] * (n_tasks - 1)


def test_nobody_has_to_watch() -> None:
    beat(0.5)
    assert list(in_order(beats, [0.01], 1)) == [0.01]
