"""What whole patients cost: 10^5, two years of three drugs with tumour, heart, blood and rules."""

from __future__ import annotations

import resource
import time

from her2sim.patients.population import load_population
from her2sim.pk.combination import load_combination
from her2sim.studies.population import population_report
from her2sim.virtual_patient.treat import TreatmentPlan

REGIMEN, WEEKS = "pertuzumab + trastuzumab + docetaxel*6", 104
SIZES = (10_000, 50_000, 100_000)


def main() -> None:
    combination, population = load_combination(REGIMEN), load_population("mbc")
    how = TreatmentPlan(WEEKS * 7.0)
    population_report(combination, population, 200, 1, how)  # compiles
    for patients in SIZES:
        start = time.perf_counter()
        population_report(combination, population, patients, 1, how)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{patients} patients, {WEEKS} weeks: {seconds:.0f} s, peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
