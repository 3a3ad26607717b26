"""How fast individual fits are: patients with two troughs each, by drug.

Prints the medians of five runs: seconds for all, and milliseconds a patient; fits and normal
approximation, with levels as the virtual patients of tests/individuals/virtual.py have them.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from her2sim.individuals.map_estimates import Objective, map_estimates
from tests.individuals.virtual import measured_on, patients_on

PATIENTS, RUNS = 10_000, 5


def main() -> None:
    """Measure each drug."""
    for drug, regimen, days in (
        ("trastuzumab", "q3w", (21, 42)),
        ("trastuzumab-emtansine", "q3w", (21, 42)),
        ("trastuzumab-deruxtecan", "q3w", (21, 42)),
        ("tucatinib", "bid", (10, 14)),
    ):
        asked = patients_on(drug, regimen, PATIENTS)
        subjects, measured = measured_on(asked, days)
        objective = Objective(subjects, measured, asked[0].omega)
        map_estimates(objective)
        walls, cpus = [], []
        for _ in range(RUNS):
            wall, cpu = time.perf_counter(), time.process_time()
            found = map_estimates(objective)
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
        ended = int((found.status == 0).sum())
        print(
            f"{drug}: {statistics.median(walls):.1f} s, CPU {statistics.median(cpus):.1f} s, "
            f"{1000 * statistics.median(walls) / PATIENTS:.2f} ms a patient; {ended} of "
            f"{PATIENTS} ended",
            flush=True,
        )


if __name__ == "__main__":
    main()
