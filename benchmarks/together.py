"""What several drugs cost: a fast partner beside two antibodies, and four drugs for a year."""

from __future__ import annotations

import statistics
import time

from her2sim.patients.population import load_population
from her2sim.pk.combination import Combination, load_combination, simulate_together
from her2sim.pk.exposure_run import cohort_chunks
from her2sim.studies.regimen_exposure import exposure_together

PATIENTS, ROUNDS = 10_000, 15
TWO_YEARS, ONE_YEAR = 35, 18  # cycles of three weeks
FOUR_DRUGS = (
    "doxorubicin*4 + paclitaxel/qw*12@84 + trastuzumab@84 + pertuzumab@84",
    "tucatinib + trastuzumab + capecitabine/bid-1000 + pertuzumab",
)


def seconds(combination: Combination, n_cycles: int) -> float:
    (cohort,) = cohort_chunks(load_population("mbc"), PATIENTS, 1, PATIENTS)
    start = time.perf_counter()
    for _ in simulate_together(combination, cohort, n_cycles):
        pass
    return time.perf_counter() - start


def main() -> None:
    two = load_combination("pertuzumab + trastuzumab")
    three = load_combination("pertuzumab + trastuzumab + docetaxel*6")
    for combination in (two, three):
        seconds(combination, TWO_YEARS)  # compiles
    ratios = [seconds(three, TWO_YEARS) / seconds(two, TWO_YEARS) for _ in range(ROUNDS)]
    print(
        f"pertuzumab + trastuzumab + 6 x docetaxel over two years costs "
        f"{statistics.median(ratios):.2f} times pertuzumab + trastuzumab "
        f"(median of {ROUNDS}, {min(ratios):.2f} to {max(ratios):.2f})"
    )
    people = load_population("mbc")
    for text in FOUR_DRUGS:
        combination = load_combination(text)
        exposure_together(combination, people, 100, 1, ONE_YEAR)
        start = time.perf_counter()
        exposure_together(combination, people, 100_000, 1, ONE_YEAR)
        taken = time.perf_counter() - start
        print(f"100,000 patients for a year on {text}: {taken:.1f} s, summaries included")


if __name__ == "__main__":
    main()
