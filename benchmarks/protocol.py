"""What the labels' rules cost beside the integration: 10^5 patients, 18 cycles, two antibodies."""

from __future__ import annotations

import statistics
import time

import numpy as np

from her2sim.patients.cohort import Cohort
from her2sim.patients.population import load_population
from her2sim.pk.exposure_run import cohort_chunks, simulate
from her2sim.pk.record_run import exposure_of_record
from her2sim.pk.treatment import Treatment, load_treatment
from her2sim.protocol.label import Region, load_label
from her2sim.protocol.plan import DrugPlan, Protocol, ProtocolRun
from her2sim.protocol.readings import ModelledReadings
from her2sim.protocol.visits import run_protocol
from her2sim.random import Purpose, normals, uniforms

PATIENTS, ROUNDS, CYCLES = 100_000, 7, 18
DRUGS = ("trastuzumab", "pertuzumab")
ENDS_DAY = [21.0 * (k + 1) for k in range(CYCLES)]


def hearts(cohort: Cohort) -> ModelledReadings:
    """Baseline N(62, 4), scan SD 3.5 points; 4 % of patients fall by 12 points at month 4."""
    start = 62 + 4 * normals(cohort.seed, 0, cohort.numbers, Purpose.HAZARDS, "lvef")
    falls = uniforms(cohort.seed, 0, cohort.numbers, Purpose.HAZARDS, "falls") < 0.04
    return ModelledReadings(
        cohort,
        {"lvef": lambda day, who: start[who] - 12.0 * (falls[who] & (day >= 120))},
        {"lvef": 3.5},
    )


def protocol_run(treatments: list[Treatment], cohort: Cohort, region: Region) -> ProtocolRun:
    plans = tuple(DrugPlan(t.drug.id, t.regimen, load_label(t.drug.id, region)) for t in treatments)
    return run_protocol(Protocol(plans, "metastatic", ENDS_DAY[-1]), cohort, hearts(cohort))


def main() -> None:
    (cohort,) = cohort_chunks(load_population("mbc"), PATIENTS, 1, PATIENTS)
    treatments = [load_treatment(drug, "q3w") for drug in DRUGS]
    few = cohort.part(0, 100)
    for number, treatment in enumerate(treatments):  # compiles
        exposure_of_record(
            treatment, few, protocol_run(treatments, few, "us").record, number, ENDS_DAY
        )
        simulate(treatment, few, CYCLES)
    for region in ("us", "eu"):
        taken: dict[str, list[float]] = {"rules": [], "record": [], "plan": []}
        for _ in range(ROUNDS):
            times = [time.perf_counter()]
            course = protocol_run(treatments, cohort, region)
            times.append(time.perf_counter())
            for number, treatment in enumerate(treatments):
                exposure_of_record(treatment, cohort, course.record, number, ENDS_DAY)
            times.append(time.perf_counter())
            for treatment in treatments:
                simulate(treatment, cohort, CYCLES)
            times.append(time.perf_counter())
            for name, seconds in zip(taken, np.diff(times), strict=True):
                taken[name].append(float(seconds))
        against = {
            name: [r / o for r, o in zip(taken["rules"], taken[name], strict=True)]
            for name in ("record", "plan")
        }
        print(
            f"{region} labels, {PATIENTS} patients x {CYCLES} cycles, {course.log.day.size} "
            f"decisions: rules {statistics.median(taken['rules']):.2f} s, integration of what was "
            f"given {statistics.median(taken['record']):.2f} s (ratio "
            f"{statistics.median(against['record']):.2f}), of the plan "
            f"{statistics.median(taken['plan']):.2f} s ({statistics.median(against['plan']):.2f})"
        )


if __name__ == "__main__":
    main()
