"""Compare engines on problem A at equal accuracy, in interleaved rounds.

Each engine runs at its loosest tolerance whose 99.9th percentile of the patients' worst relative
error, on the same 1,000 patients, is at most 1e-5. Rates are of one machine and one moment; the
ratios are what counts. Run with ``make bench``.
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np
from engines import ENGINES, Solve
from problem_a import draw

TOLERANCES = (1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 5e-7, 2e-7, 1e-7, 5e-8, 2e-8, 1e-8, 1e-9, 1e-10)
TARGET, ROUNDS = 1e-5, 9
JUDGED = {"libroadrunner CVODE": 200, "SciPy DOP853": 40}


def worst_errors(found: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Worst relative error of each patient over the grid (day 0, where all is zero, left out)."""
    return np.max(np.abs(found - reference)[:, 1:] / np.abs(reference[:, 1:]), axis=(1, 2))


def loosest(name: str, solve: Solve, reference: np.ndarray) -> tuple[float, float]:
    n = JUDGED.get(name, 1_000)
    patients = draw(1_000).head(n)
    for relative in TOLERANCES:
        error = np.quantile(worst_errors(solve(patients, relative), reference[:n]), 0.999)
        if error <= TARGET:
            return relative, float(error)
    raise LookupError(f"{name} does not reach {TARGET:g}")


def main() -> None:
    engines: dict[str, Solve] = {}
    for name, (make, _) in ENGINES.items():
        try:
            engines[name] = make()
        except ImportError as error:
            print(f"left out: {name} ({error})")
    reference = engines["her2sim"](draw(1_000), 1e-12)
    check = engines["SciPy DOP853"](draw(1_000).head(3), 1e-12)
    print(f"reference against SciPy at 1e-12: {worst_errors(check, reference[:3]).max():.1e}")
    chosen = {}
    for name, solve in list(engines.items()):
        try:
            chosen[name] = loosest(name, solve, reference)
        except LookupError as error:
            print(f"left out: {error}")
            del engines[name]
            continue
        print(f"{name:22} rtol {chosen[name][0]:.0e}  p99.9 error {chosen[name][1]:.1e}", flush=True)
    speed: dict[str, list[float]] = {name: [] for name in engines}
    for name, solve in engines.items():
        solve(draw(ENGINES[name][1]), chosen[name][0])
    for _ in range(ROUNDS):
        for name, solve in engines.items():
            patients = draw(ENGINES[name][1])
            start = time.perf_counter()
            solve(patients, chosen[name][0])
            speed[name].append(patients.n / (time.perf_counter() - start))
    print(f"\n{'engine':22} {'patients/s':>12} {'her2sim is faster by (median of ratios)':>42}")
    for name, rates in speed.items():
        ratios = [ours / theirs for ours, theirs in zip(speed["her2sim"], rates, strict=True)]
        print(f"{name:22} {statistics.median(rates):12,.0f} {statistics.median(ratios):42.1f}")


if __name__ == "__main__":
    sys.exit(main())
