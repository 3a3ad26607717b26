"""How cost and memory grow with the cohort, and how long start-up and compilation take."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

SIZES = (1_000, 10_000, 100_000, 1_000_000)

_RUN = """
import resource, sys, time
from her2sim.pk.treatment import load_treatment
from her2sim.patients.population import load_population
from her2sim.studies.exposure import exposure
n = int(sys.argv[1])
treatment, people = load_treatment("trastuzumab", "q3w"), load_population("mbc")
exposure(treatment, people, 100, 1)
start = time.perf_counter()
exposure(treatment, people, n, 1)
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""

_COMPILE = """
import time
from her2sim.engine.advance import compile_kernel
from her2sim.models.structures import structure
model = structure("two_compartment_michaelis_menten").model
start = time.perf_counter()
compile_kernel(model)
print(time.perf_counter() - start)
"""


def run(code: str, *args: str, **environment: str) -> list[float]:
    command = [sys.executable, "-c", code, *args]
    found = subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | environment
    )
    return [float(x) for x in found.stdout.split()]


def main() -> None:
    print("exposure of trastuzumab q3w in metastatic breast cancer, 9 cycles, drawing included")
    for n in SIZES:
        seconds, megabytes = run(_RUN, str(n))
        print(
            f"  {n:>9,} patients {seconds:8.2f} s  {1e6 * seconds / n:8.1f} us a patient  "
            f"{megabytes:6.0f} MB at most"
        )
    with tempfile.TemporaryDirectory() as folder:
        first = run(_COMPILE, HER2SIM_CACHE_DIR=folder)[0]
        again = [run(_COMPILE, HER2SIM_CACHE_DIR=folder)[0] for _ in range(5)]
    print(f"compile a 3-state model {first:.3f} s, from the cache {statistics.median(again):.3f} s")
    times = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "her2sim", "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    print(f"her2sim --help {statistics.median(times):.3f} s")


if __name__ == "__main__":
    main()
