"""Compare engines on problem A at equal accuracy, in interleaved rounds.

Each engine lives in its own process (so that idle threads of one do not disturb another) and runs
at its loosest tolerance whose 99.9th percentile of the patients' worst relative error, on the same
1,000 patients, is at most 1e-5. Rates are of one machine and one moment; the ratios are what
counts. Run with ``make bench``.
"""

from __future__ import annotations

import multiprocessing
import platform
import statistics
import sys
import time
from typing import Any

import numpy as np
from engines import ENGINES
from problem_a import draw

TOLERANCES = (
    1e-4,
    3e-5,
    1e-5,
    5e-6,
    2e-6,
    1.5e-6,
    1e-6,
    5e-7,
    2e-7,
    1.5e-7,
    1e-7,
    7e-8,
    5e-8,
    3e-8,
    2e-8,
    1.5e-8,
    1e-8,
    3e-9,
    1e-9,
    1e-10,
)
TARGET, ROUNDS, ROUND_SECONDS = 1e-5, 21, 0.3
JUDGED = {"libroadrunner CVODE": 200, "SciPy DOP853": 40}


def worst_errors(found: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Worst relative error of each patient over the grid (day 0, where all is zero, left out)."""
    return np.max(np.abs(found - reference)[:, 1:] / np.abs(reference[:, 1:]), axis=(1, 2))


def serve(name: str, pipe: Any) -> None:
    """A worker: solves when told, and answers with the result, or with the seconds a solution took
    (repeated until a round is long enough to be timed)."""
    try:
        solve = ENGINES[name][0]()
    except ImportError as error:
        pipe.send(error)
        return
    pipe.send(None)
    while (task := pipe.recv()) is not None:
        n, drawn, relative, wants_result = task
        patients = draw(drawn).head(n)
        repeats, start = 0, time.perf_counter()
        while repeats == 0 or (not wants_result and time.perf_counter() - start < ROUND_SECONDS):
            found = solve(patients, relative)
            repeats += 1
        seconds = (time.perf_counter() - start) / repeats
        pipe.send(found if wants_result else seconds)


class Worker:
    def __init__(self, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.name, (self.pipe, other) = name, context.Pipe()
        self.process = context.Process(target=serve, args=(name, other), daemon=True)
        self.process.start()
        self.problem = self.pipe.recv()

    def ask(self, n: int, drawn: int, relative: float, wants_result: bool) -> Any:
        self.pipe.send((n, drawn, relative, wants_result))
        return self.pipe.recv()


def loosest(worker: Worker, reference: np.ndarray) -> tuple[float, float]:
    n = JUDGED.get(worker.name, 1_000)
    for relative in TOLERANCES:
        errors = worst_errors(worker.ask(n, 1_000, relative, True), reference[:n])
        error = float(np.quantile(errors, 0.999))
        if error <= TARGET:
            return relative, error
    raise LookupError(f"{worker.name} does not reach {TARGET:g}")


def main() -> None:
    workers = [Worker(name) for name in ENGINES]
    for worker in workers:
        if worker.problem is not None:
            print(f"left out: {worker.name} ({worker.problem})")
    workers = [w for w in workers if w.problem is None]
    by_name = {w.name: w for w in workers}
    reference = by_name["her2sim"].ask(1_000, 1_000, 1e-12, True)
    check = by_name["SciPy DOP853"].ask(3, 1_000, 1e-12, True)
    print(f"reference against SciPy at 1e-12: {worst_errors(check, reference[:3]).max():.1e}")
    chosen = {}
    for worker in list(workers):
        try:
            chosen[worker.name] = loosest(worker, reference)
        except LookupError as error:
            print(f"left out: {error}")
            workers.remove(worker)
            continue
        relative, error = chosen[worker.name]
        print(f"{worker.name:28} rtol {relative:.1e}  p99.9 error {error:.1e}", flush=True)
    speed: dict[str, list[float]] = {w.name: [] for w in workers}
    for round_number in range(ROUNDS + 1):
        for worker in workers:
            n = ENGINES[worker.name][1]
            seconds = worker.ask(n, n, chosen[worker.name][0], False)
            if round_number:  # the first round warms up
                speed[worker.name].append(n / seconds)
    for worker in by_name.values():
        worker.pipe.send(None)
    cores = multiprocessing.cpu_count()
    print(f"\n{platform.machine()}, {cores} cores, Python {platform.python_version()}")
    print(f"{'engine':28} {'patients/s':>12} {'best':>10} {'her2sim faster by (median)':>28}")
    for name, rates in speed.items():
        ratios = [ours / theirs for ours, theirs in zip(speed["her2sim"], rates, strict=True)]
        print(
            f"{name:28} {statistics.median(rates):12,.0f} {max(rates):10,.0f} "
            f"{statistics.median(ratios):28.1f}"
        )
    print("libroadrunner and SciPy run on one core; mrgsolve is timed with its files of data")


if __name__ == "__main__":
    sys.exit(main())
