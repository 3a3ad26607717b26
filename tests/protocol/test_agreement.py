"""A thousand random courses by the rules: the check of their records finds nothing."""

from __future__ import annotations

import datetime
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest

from her2sim.arrays import Array, Positions
from her2sim.drug_names import drug_names
from her2sim.drugs.drug import load_drug
from her2sim.patients.cohort import Cohort
from her2sim.patients.covariates import Setting, bsa_m2
from her2sim.protocol.audit import check_record
from her2sim.protocol.decisions import Decision
from her2sim.protocol.label import REGIONS, Region, load_label
from her2sim.protocol.plan import DrugPlan, Protocol, ProtocolRun
from her2sim.protocol.readings import ModelledReadings, Visit
from her2sim.protocol.record import EVENTS, LAB_UNITS, Entry
from her2sim.protocol.variables import VARIABLES
from her2sim.protocol.visits import run_protocol
from her2sim.random import Purpose, codes_by
from her2sim.regimens.dose import ROUTES
from her2sim.regimens.library import load_regimen, named_regimens
from her2sim.regimens.together import planned_drugs

FIRST = datetime.date(2026, 1, 5)
END_DAY = 110.0
SHARE_MISSED = 0.1
USUAL = {
    "lvef": (61.0, 8.0), "neutrophils": (3.0, 1.5), "platelets": (170.0, 70.0),
    "ast": (1.0, 2.0), "alt": (1.0, 2.0), "bilirubin": (0.6, 0.6),
    "alkaline_phosphatase": (1.0, 1.5), "diarrhoea_days": (2.0, 3.0),
}  # fmt: skip
"""Middle and spread of readings: wide enough for every threshold."""
RATES = {
    "heart_failure": 0.01, "fever": 0.1, "diarrhoea_complicated": 0.05, "on_antidiarrhoeal": 0.4,
    "diarrhoea_grade": 0.5, "ild_grade": 0.06, "infusion_reaction_grade": 0.06,
    "neuropathy_grade": 0.3, "other_grade": 0.4,
}  # fmt: skip
"""Of grades: the chance of each further grade; of what is there or not: its chance."""
WITHOUT_PARTNER = {
    ("pertuzumab/q3w", "us"), ("pertuzumab/q3w", "eu"),
    ("trastuzumab-emtansine-pertuzumab", "us"), ("trastuzumab-emtansine-pertuzumab", "eu"),
    ("trastuzumab-deruxtecan-pertuzumab", "eu"),
}  # fmt: skip
"""Plans that depart from the label themselves: pertuzumab without trastuzumab."""
EVENT_OF = {variable: event for event, variable in EVENTS.items()}


@dataclass(frozen=True, eq=False)
class WrittenDown(ModelledReadings):
    """Readings that drift, some of them missed, each kept as a clinic would write it down."""

    rows: list[tuple[str, Positions, Array, Array]] = field(default_factory=list)

    def measure(self, variable: str, visit: Visit, repeat: int = 0) -> Array:
        found = super().measure(variable, visit, repeat)
        stream = self.cohort.stream(Purpose.DROPOUT).of(visit.who)
        is_missed = stream.uniform(_codes(variable, visit.day)) < SHARE_MISSED
        is_missed &= (visit.day > 0) & (variable != "lvef")
        return np.where(is_missed, np.nan, found)

    def note(self, variable: str, visit: Visit, values: Array) -> None:
        known = ~np.isnan(values)
        self.rows.append((variable, visit.who[known], visit.day[known], values[known]))


def _codes(name: str, day: Array) -> np.ndarray:
    return codes_by(lambda one: f"{name}:{one:g}", day)


def truths(cohort: Cohort) -> WrittenDown:
    """Laboratory values that drift by patient and vary by visit; grades by chance."""

    def value(name: str, day: Array, who: Positions) -> Array:
        stream = cohort.stream(Purpose.HAZARDS).of(who)
        middle, spread = USUAL[name]
        away = 0.5 * stream.normal(name) + 0.5 * stream.normal(f"{name} drift") * day / END_DAY
        away += 0.7 * stream.normal(_codes(name, day)) * (day > 0)
        limits = VARIABLES[name]
        return np.round(np.clip(middle + spread * away, limits.low, limits.high), 1)

    def grade(name: str, day: Array, who: Positions) -> Array:
        chance = cohort.stream(Purpose.HAZARDS).of(who).uniform(_codes(name, day))
        most = VARIABLES[name].high if name.endswith("grade") else 1.0
        steps = np.floor(np.log(chance) / np.log(RATES[name]))
        return np.minimum(steps, most) * (day > 0)

    known = {name: lambda day, who, n=name: value(n, day, who) for name in USUAL}
    known |= {name: lambda day, who, n=name: grade(n, day, who) for name in RATES}
    return WrittenDown(cohort, known)


def cohort_of(n: int, seed: int) -> Cohort:
    rng = np.random.default_rng(seed)
    weight, height = rng.uniform(45, 95, n).round(1), rng.uniform(150, 180, n).round()
    body = {"weight_kg": weight, "height_cm": height, "bsa_m2": bsa_m2(weight, height)}
    return Cohort("random", np.arange(n) + 1, body, seed=seed)


def record_of(run: ProtocolRun, readings: WrittenDown) -> list[Entry]:
    """What a clinic would have written down: body sizes, readings, doses."""
    found: list[Entry] = []

    def add(patient: int, day: float, kind: str, **what: object) -> None:
        date = FIRST + datetime.timedelta(days=int(day + 1e-6))
        found.append(Entry(len(found), f"P{patient}", date, kind, **what))  # type: ignore[arg-type]

    for name, covariate in (("weight", "weight_kg"), ("height", "height_cm")):
        for patient, size in enumerate(run.cohort.covariate(covariate).tolist()):
            add(patient, 0, "lab", test=name, value=size)
    for variable, *columns in readings.rows:
        for patient, day, value in zip(*(c.tolist() for c in columns), strict=True):
            if variable in LAB_UNITS:
                add(patient, day, "lab", test=variable, value=value)
            else:
                add(patient, day, "event", test=EVENT_OF[variable], grade=value)
    doses = run.record.dose_by_dose()
    drugs = [plan.drug for plan in run.protocol.plans]
    for k in range(doses.day.size):
        add(
            int(doses.patient[k]), float(doses.day[k]), "dose", drug=drugs[doses.drug[k]],
            dose_mg=float(doses.dose_mg[k]), route=ROUTES[doses.route[k]],
        )  # fmt: skip
    return found


Course = tuple[str, Region, Setting]
Found = tuple[Course, str, str, str, str, str]
Decided = Counter[Decision]


def courses() -> list[Course]:
    """All named regimens and single drugs with a label of the region, in both settings."""
    settings: tuple[Setting, ...] = ("metastatic", "early")
    alone = [f"{drug}/{name}" for drug in drug_names() for name in load_drug(drug).regimen
             if not load_drug(drug).regimen[name].is_once]  # fmt: skip
    return [
        (name, region, setting)
        for name in (*named_regimens(), *alone)
        for region in REGIONS
        for setting in settings
        if any(load_label(part.drug, region) for part in load_regimen(name).part)
    ]


def simulated(course: Course, n: int, seed: int, end_day: float) -> tuple[ProtocolRun, list[Entry]]:
    name, region, setting = course
    plans = tuple(
        DrugPlan(one.drug.id, one.regimen, load_label(one.drug.id, region))
        for one in planned_drugs(load_regimen(name))
    )
    cohort = cohort_of(n, seed)
    readings = truths(cohort)
    run = run_protocol(Protocol(plans, setting, end_day), cohort, readings)
    return run, record_of(run, readings)


def departures(n_courses: int, first_seed: int, end_day: float) -> tuple[Decided, list[Found]]:
    """What was decided in so many courses, and where their records depart from the labels."""
    every, decided, found = courses(), Decided(), list[Found]()
    each, more = divmod(n_courses, len(every))
    for number, course in enumerate(every):
        n, (name, region, setting) = each + (number < more), course
        run, entries = simulated(course, n, first_seed + number, end_day)
        own = check_record(entries, region, setting).departures
        if (name, region) in WITHOUT_PARTNER:
            by_plan = [d for d in own if d.found == "pertuzumab without trastuzumab"]
            treated = {e.patient for e in entries if e.drug == "pertuzumab"}
            assert sorted(d.patient for d in by_plan) == sorted(treated)
            own = tuple(d for d in own if d not in by_plan)
        found += [(course, d.patient, d.date, d.code, d.found, d.expected) for d in own]
        decided.update(Decision(d) for d in run.log.decision.tolist())
    return decided, found


def test_the_check_agrees_with_the_simulator_on_a_thousand_random_courses() -> None:
    decided, found = departures(1000, 0, END_DAY)
    assert min(decided[d] for d in Decision) > 100, decided
    assert found == []


@pytest.mark.slow
def test_and_on_longer_ones() -> None:
    assert departures(2300, 1000, 2 * END_DAY)[1] == []
