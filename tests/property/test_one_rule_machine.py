"""Simulator and audit read one rule alike: what the one gives, the other does not complain of."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from her2sim.patients.cohort import Cohort
from her2sim.patients.population import load_population
from her2sim.pk.exposure_run import cohort_chunks
from her2sim.pk.treatment import load_treatment
from her2sim.protocol.audit import check_record
from her2sim.protocol.decisions import Cause, Decision
from her2sim.protocol.label import Label, Rule, load_label
from her2sim.protocol.plan import DrugPlan, Protocol, ProtocolRun
from her2sim.protocol.readings import TableReadings
from her2sim.protocol.record import Entry
from her2sim.protocol.visits import run_protocol
from her2sim.regimens.changes import limited_to

DRUGS = ("trastuzumab", "pertuzumab", "docetaxel")
FIRST = datetime.date(2026, 1, 5)
END = 378.0
RULES = {"dose_during_hold", "dose_after_stop", "resumed_too_early"}
Records = dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


def cohort_of(n: int) -> Cohort:
    return next(cohort_chunks(load_population("mbc"), n, 5, n))


def simulated(records: Records, n: int = 1, region: str = "us", end: float = END) -> ProtocolRun:
    plans = tuple(
        DrugPlan(drug, load_treatment(drug, "q3w").regimen, load_label(drug, region))
        for drug in DRUGS
    )
    return run_protocol(Protocol(plans, "metastatic", end), cohort_of(n), TableReadings(records))


def one_patient(*readings: tuple[float, float]) -> Records:
    days, values = (np.array(column) for column in zip(*readings, strict=True))
    return {"lvef": (np.zeros(days.size, dtype=np.int64), days, values)}


def entry(row: int, patient: int, day: float, **what: object) -> Entry:
    date = FIRST + datetime.timedelta(days=round(day))
    return Entry(row, f"P{patient}", date, **what)  # type: ignore[arg-type]


def record_of(protocol_run: ProtocolRun, records: Records) -> list[Entry]:
    """What a clinic would have written down: weights, readings, doses."""
    weights, record = protocol_run.cohort.covariate("weight_kg"), protocol_run.record
    found = [
        entry(0, k, -1, kind="lab", test="weight", value=float(w)) for k, w in enumerate(weights)
    ]
    for test, columns in records.items():
        for patient, day, value in zip(*columns, strict=True):
            found.append(entry(0, patient, day, kind="lab", test=test, value=float(value)))
    for k in range(record.day.size):
        drug = DRUGS[record.drug[k]]
        mg = float(record.dose_mg[k])
        found.append(
            entry(
                k + 1,
                record.patient[k],
                record.day[k],
                kind="dose",
                drug=drug,
                dose_mg=mg,
            )
        )
    return found


def rule_codes(entries: list[Entry], region: str = "us") -> list[tuple[str, str]]:
    report = check_record(entries, region, "metastatic")  # type: ignore[arg-type]
    return [(d.patient, d.code) for d in report.departures if d.code in RULES]


def test_a_hold_without_a_later_reading_ends_at_its_maximum_in_both() -> None:
    records = one_patient((-7, 64), (84, 46))
    protocol_run = simulated(records)
    assert protocol_run.stopped_day[0, 0] == 140  # 84 and eight weeks
    dose = entry(1, 0, 175, kind="dose", drug="trastuzumab", dose_mg=420.0)
    entries = [
        e for e in record_of(protocol_run, records) if e.kind != "dose" or e.drug == DRUGS[0]
    ]
    assert rule_codes(entries) == []
    assert rule_codes([*entries, dose]) == [("P0", "dose_after_stop")]


@pytest.mark.parametrize(("day", "goes_on"), [(112, True), (126, True), (140, True), (150, False)])
def test_a_recovery_counts_within_the_maximum_only(day: float, goes_on: bool) -> None:
    records = one_patient((-7, 64), (84, 46), (day, 62))
    protocol_run = simulated(records)
    assert np.isinf(protocol_run.stopped_day[0, 0]) == goes_on
    dose = entry(1, 0, 175, kind="dose", drug="trastuzumab", dose_mg=560.0)
    entries = [e for e in record_of(protocol_run, records) if e.kind == "lab"]
    assert (rule_codes([*entries, dose_before(), dose]) == []) == goes_on


def dose_before() -> Entry:
    return entry(1, 0, 0, kind="dose", drug="trastuzumab", dose_mg=560.0)


@pytest.mark.parametrize("region", ["us", "eu"])
def test_random_courses_have_no_departures_and_a_dose_too_many_is_one(region: str) -> None:
    n, rng = 250, np.random.default_rng(3)
    patient = np.repeat(np.arange(n), 19)
    days = np.tile(21.0 * np.arange(19), n)
    values = np.round(rng.normal(55, 8, days.size).clip(25, 75), 1)
    kept = (days == 0) | (rng.random(days.size) < 0.6)
    records: Records = {"lvef": (patient[kept], days[kept], values[kept])}
    protocol_run = simulated(records, n, region)
    log = protocol_run.log
    assert {Decision.HOLD, Decision.RESUME, Decision.STOP} <= set(log.decision.tolist())
    assert (log.cause == Cause.MAX_HOLD_DAYS).sum() > 5
    entries = record_of(protocol_run, records)
    assert rule_codes(entries, region) == []
    stops = [(int(p), d) for p, d in enumerate(protocol_run.stopped_day[0]) if np.isfinite(d)]
    extra = [entry(0, p, d + 1, kind="dose", drug="trastuzumab", dose_mg=420.0) for p, d in stops]
    wrong = {patient for patient, _ in rule_codes([*entries, *extra], region)}
    assert wrong >= {f"P{p}" for p, _ in stops}


def test_every_reading_between_two_visits_acts() -> None:
    """47 % on day 100 holds the drug at the visit of day 105, whatever day 103 says."""
    protocol_run = simulated(one_patient((-7, 64), (100, 47), (103, 63)))
    log = protocol_run.log
    own = (log.drug == 0) & (log.decision == Decision.HOLD)
    assert log.day[own].tolist() == [105]
    assert log.reading[own].tolist() == [64 - 47] or log.reading[own].tolist() == [47]
    resumed = log.day[(log.drug == 0) & (log.decision == Decision.RESUME)]
    assert (resumed >= 105 + 28).all()


def test_the_order_of_rows_does_not_decide() -> None:
    there = simulated(one_patient((-7, 64), (100, 47), (103, 63)))
    back = simulated(one_patient((103, 63), (100, 47), (-7, 64)))
    assert there.log.frame(np.array([1]), DRUGS).equals(back.log.frame(np.array([1]), DRUGS))


def test_a_drug_that_has_ended_is_not_stopped() -> None:
    """Six doses of docetaxel end on day 105; progression on day 315 stops the antibodies only."""
    rule = Rule(id="until", toxicity="progression", stop_when="progression >= 1",
                status="assumed", reason="of this test")  # fmt: skip
    plans = []
    for drug in DRUGS:
        regimen = load_treatment(drug, "q3w").regimen
        regimen = limited_to(regimen, 6) if drug == "docetaxel" else regimen
        label = Label(drug=drug, region="us", dated="today", rule=(rule,))
        plans.append(DrugPlan(drug, regimen, label))
    progression: Records = {
        "progression": (np.zeros(1, dtype=np.int64), np.array([315.0]), np.ones(1))
    }
    protocol = Protocol(tuple(plans), "metastatic", END)
    protocol_run = run_protocol(protocol, cohort_of(1), TableReadings(progression))
    assert protocol_run.stopped_day[:, 0].tolist() == [315, 315, np.inf]
    assert protocol_run.record.of(2).day.max() == 105
    assert set(protocol_run.log.drug[protocol_run.log.decision == Decision.STOP]) == {0, 1}


def test_a_partner_is_known_in_every_form() -> None:
    """Pertuzumab is held with subcutaneous trastuzumab as with the infusion."""
    held = []
    for name in ("trastuzumab", "trastuzumab-sc"):
        plans = tuple(
            DrugPlan(drug, load_treatment(drug, "q3w").regimen, load_label(drug, "us"))
            for drug in (name, "pertuzumab")
        )
        protocol_run = run_protocol(
            Protocol(plans, "metastatic", END), cohort_of(1),
            TableReadings(one_patient((-7, 64), (84, 47), (112, 62))),
        )  # fmt: skip
        held.append(protocol_run.days_on_hold[:, 0].tolist())
    assert held[0] == held[1]
    assert held[0][1] > 0
