"""Properties of treatment under rules: holds hold, stops stay, and neighbours change nothing."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.patients.cohort import Cohort
from her2sim.patients.population import load_population
from her2sim.pk.exposure_run import cohort_chunks, simulate
from her2sim.pk.record_run import exposure_of_record
from her2sim.pk.treatment import load_treatment
from her2sim.protocol.decisions import Cause, Decision
from her2sim.protocol.label import Label, Rule, load_label
from her2sim.protocol.plan import DISPENSED_DAY, DrugPlan, Protocol, ProtocolRun
from her2sim.protocol.readings import ModelledReadings, TableReadings
from her2sim.protocol.visits import run_protocol
from her2sim.random import Purpose, normals, uniforms
from her2sim.regimens.dose import ROUTES
from her2sim.regimens.dosing_record import DosingRecord, Why, relative_dose_intensity
from her2sim.regimens.library import load_regimen
from her2sim.regimens.together import planned_drugs

DRUGS = ("trastuzumab", "pertuzumab", "docetaxel")
END = 378.0
CYCLES = [21.0 * (k + 1) for k in range(18)]


def protocol(region: str = "us", **policies: object) -> Protocol:
    plans = []
    for drug in DRUGS:
        regimen = load_treatment(drug, "q3w").regimen
        plans.append(DrugPlan(drug, regimen, load_label(drug, region)))
    return Protocol(tuple(plans), "metastatic", END, **policies)  # type: ignore[arg-type]


def falling_hearts(cohort: Cohort, sd: float = 3.5) -> ModelledReadings:
    """LVEF about 62 % (SD 4); every fourth patient loses 14 points in month 4, some regain them."""

    def scores(name: str) -> np.ndarray:
        return normals(cohort.seed, 0, cohort.numbers, Purpose.HAZARDS, name)

    start = 62 + 4 * scores("lvef")
    falls = uniforms(cohort.seed, 0, cohort.numbers, Purpose.HAZARDS, "falls") < 0.25
    regains = uniforms(cohort.seed, 0, cohort.numbers, Purpose.HAZARDS, "regains") < 0.5

    def lvef(day: float, who: np.ndarray) -> np.ndarray:
        is_low = falls[who] & (day >= 120) & ~(regains[who] & (day >= 200))
        return start[who] - 14 * is_low

    return ModelledReadings(cohort, {"lvef": lvef}, {"lvef": sd})


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return next(cohort_chunks(load_population("mbc"), 2000, 3, 2000))


@pytest.fixture(scope="module")
def protocol_run(cohort: Cohort) -> ProtocolRun:
    return run_protocol(protocol(), cohort, falling_hearts(cohort))


def events(course: ProtocolRun, drug: int, decision: Decision) -> dict[int, np.ndarray]:
    chosen = (course.log.drug == drug) & (course.log.decision == decision)
    return {
        int(p): course.log.day[chosen & (course.log.patient == p)]
        for p in np.unique(course.log.patient[chosen])
    }


def test_something_happens_in_this_cohort(protocol_run: ProtocolRun) -> None:
    for decision in (Decision.HOLD, Decision.RESUME, Decision.STOP):
        assert (protocol_run.log.decision == decision).sum() > 20
    assert (protocol_run.record.why == Why.RELOAD).sum() > 20


def test_pertuzumab_is_logged_with_the_rule_of_its_partner(protocol_run: ProtocolRun) -> None:
    log = protocol_run.log
    partner = log.cause == Cause.PARTNER
    assert set(log.drug[partner]) == {DRUGS.index("pertuzumab")}
    assert all(log.rules[r].startswith("trastuzumab-") for r in np.unique(log.rule[partner]))
    assert partner.sum() > 50
    held = set(zip(log.patient[~partner], log.rule[~partner], strict=True))
    assert set(zip(log.patient[partner], log.rule[partner], strict=True)) <= held


def test_nobody_is_dosed_while_a_hold_holds(protocol_run: ProtocolRun) -> None:
    resumes = events(protocol_run, 0, Decision.RESUME)
    stops = events(protocol_run, 0, Decision.STOP)
    for patient, held in events(protocol_run, 0, Decision.HOLD).items():
        doses = protocol_run.record.day[
            (protocol_run.record.drug == 0) & (protocol_run.record.patient == patient)
        ]
        for day in held:
            ends = np.concatenate([resumes.get(patient, []), stops.get(patient, []), [END]])
            until = ends[ends > day].min()
            assert not ((doses >= day) & (doses < until)).any()


def test_a_stopped_drug_stays_stopped_and_takes_its_partner_along(
    protocol_run: ProtocolRun,
) -> None:
    last = np.full((len(DRUGS), protocol_run.cohort.n_patients), -np.inf)
    np.maximum.at(
        last,
        (protocol_run.record.drug, protocol_run.record.patient),
        protocol_run.record.day,
    )
    stopped = np.isfinite(protocol_run.stopped_day)
    assert (last[stopped] < protocol_run.stopped_day[stopped]).all()
    assert (
        protocol_run.stopped_day[1] <= protocol_run.stopped_day[0]
    ).all()  # pertuzumab goes with it
    assert (
        last[0][stopped[1]] > protocol_run.stopped_day[1][stopped[1]]
    ).any()  # but not the reverse
    assert not stopped[2].any()  # no rule of docetaxel is encoded here


def test_a_hold_of_the_antibody_does_not_hold_the_taxane(
    protocol_run: ProtocolRun, cohort: Cohort
) -> None:
    held = np.unique(protocol_run.log.patient[protocol_run.log.decision == Decision.HOLD])
    n_doses = np.bincount(protocol_run.record.of(2).patient, minlength=cohort.n_patients)
    # Visits for rechecks may shift a dose of the taxane, but none is left out for long.
    assert n_doses[held].min() >= 15


def test_reload_clocks_run_for_each_drug(protocol_run: ProtocolRun) -> None:
    """Trastuzumab reloads when more than a week late, pertuzumab at six weeks after its last."""
    for drug, limit in ((0, 28.0), (1, 42.0)):
        own = protocol_run.record.of(drug)
        same = np.diff(own.patient) == 0
        gap = np.diff(own.day)[same]
        is_reload = own.why[1:][same] == Why.RELOAD
        if drug == 0:
            assert (is_reload == (gap > limit)).all()
        else:
            assert (is_reload == (gap >= limit)).all()


def test_cumulative_dose_and_intensity_are_those_of_the_ledger(
    protocol_run: ProtocolRun, cohort: Cohort
) -> None:
    weight = cohort.covariate("weight_kg")
    planned = np.repeat(6.0 * weight[:, None], 18, axis=1)
    planned[:, 0] = 8.0 * weight
    days = 21.0 * np.arange(18)
    intensity = relative_dose_intensity(
        protocol_run.record, 0, cohort.n_patients, 21.0, days, planned
    )
    own = protocol_run.record.of(0)
    for patient in (0, 7, int(own.patient[own.why == Why.RELOAD][0])):
        doses, days = own.dose_mg[own.patient == patient], own.day[own.patient == patient]
        by_hand = doses.sum() / (days[-1] - days[0] + 21)
        by_hand /= planned[patient, : doses.size].sum() / (21 * doses.size)
        assert intensity[patient] == pytest.approx(by_hand)
    undisturbed = np.bincount(own.patient, minlength=cohort.n_patients) == 18
    assert intensity[undisturbed] == pytest.approx(1.0)
    assert intensity[~undisturbed].min() < 0.9


def test_the_order_of_patients_changes_nothing(protocol_run: ProtocolRun, cohort: Cohort) -> None:
    order = np.random.default_rng(1).permutation(cohort.n_patients)
    mixed = Cohort(
        cohort.name,
        cohort.numbers[order],
        {name: values[order] for name, values in cohort.covariates.items()},
        cohort.seed,
    )
    again = run_protocol(protocol(), mixed, falling_hearts(mixed))
    one = protocol_run.record.frame(cohort.numbers, DRUGS)
    assert again.record.frame(mixed.numbers, DRUGS).equals(one)
    log = protocol_run.log.frame(cohort.numbers, DRUGS)
    assert again.log.frame(mixed.numbers, DRUGS).equals(log)
    part = cohort.part(100, 130)
    alone = run_protocol(protocol(), part, falling_hearts(part)).record.frame(part.numbers, DRUGS)
    assert alone.equals(one.filter(one["patient"].is_in(part.numbers.tolist())))


def test_the_realised_ledger_replayed_gives_equal_bits(
    protocol_run: ProtocolRun, cohort: Cohort
) -> None:
    treatment = load_treatment("trastuzumab", "q3w")
    first = exposure_of_record(treatment, cohort, protocol_run.record, 0, CYCLES)
    frame = protocol_run.record.frame(np.arange(cohort.n_patients), DRUGS).sample(
        fraction=1.0, shuffle=True, seed=1
    )
    again = DosingRecord(
        frame["patient"].to_numpy(),
        np.array([DRUGS.index(name) for name in frame["drug"]]),
        frame["day"].to_numpy(),
        frame["dose_mg"].to_numpy(),
        frame["duration_min"].to_numpy(),
        frame["level"].to_numpy(),
        np.array([Why[name.upper()] for name in frame["why"]]),
        np.array([ROUTES.index(name) for name in frame["route"]]),
        frame["number"].to_numpy(),
        frame["every_day"].to_numpy(),
    )
    replayed = exposure_of_record(treatment, cohort, again, 0, CYCLES)
    assert replayed.cycles.tobytes() == first.cycles.tobytes()


@pytest.mark.parametrize("drug", ["trastuzumab", "pertuzumab", "docetaxel"])
def test_undisturbed_patients_have_the_levels_of_the_plan(
    protocol_run: ProtocolRun, cohort: Cohort, drug: str
) -> None:
    number = DRUGS.index(drug)
    own = protocol_run.record.of(number)
    regular = own.day % 21 == 0
    n_regular = np.bincount(own.patient[regular], minlength=cohort.n_patients)
    undisturbed = n_regular == 18
    assert undisturbed.sum() > 1000
    treatment = load_treatment(drug, "q3w")
    realised = exposure_of_record(treatment, cohort, protocol_run.record, number, CYCLES)
    planned = simulate(treatment, cohort, 18)
    # mg are worked out before the rate, not after it: the last bits differ.
    ratio = realised.cycles[undisturbed, :, :, :3] / planned.cycles[undisturbed, :, :, :3]
    assert np.abs(ratio - 1).max() < 1e-9


def test_a_repeat_spares_holds_that_are_noise(cohort: Cohort) -> None:
    steady = ModelledReadings(cohort, {"lvef": lambda _, who: np.full(who.size, 58.0)}, {"lvef": 5})
    once = run_protocol(protocol(), cohort, steady)
    twice = run_protocol(protocol(is_confirmed_by_repeat=True), cohort, steady)
    n_once, n_twice = ((s.log.decision == Decision.HOLD).sum() for s in (once, twice))
    assert n_twice < 0.4 * n_once
    assert n_once > 50


def test_unconfirmed_rules_can_be_switched_off(cohort: Cohort) -> None:
    without = run_protocol(protocol(unconfirmed=False), cohort, falling_hearts(cohort))
    assert not any(rule.startswith("pertuzumab") and "lvef" in rule for rule in without.log.rules)


def test_days_on_hold_are_those_between_the_decisions(protocol_run: ProtocolRun) -> None:
    held, resumed = (events(protocol_run, 0, d) for d in (Decision.HOLD, Decision.RESUME))
    stops = events(protocol_run, 0, Decision.STOP)
    for patient in list(held)[:40]:
        ends = np.sort(np.concatenate([resumed.get(patient, []), stops.get(patient, []), [END]]))
        total = sum(float(ends[ends > day].min() - day) for day in held[patient])
        assert protocol_run.days_on_hold[0, patient] == pytest.approx(total)


def test_rest_weeks_are_kept_and_a_hold_makes_up_for_nothing(cohort: Cohort) -> None:
    """Fourteen of 21 days, as planned without readings; held days are left out, weeks stay."""
    treatment = load_treatment("capecitabine", "bid")
    few = cohort.part(0, 2)
    rule = Rule(id="r", toxicity="t", hold_when="neutrophils < 1", resume_when="neutrophils >= 1",
                recheck_days=7, status="assumed", reason="of this test")  # fmt: skip
    label = Label(drug="capecitabine", region="us", dated="today", rule=(rule,))
    plan = DrugPlan("capecitabine", treatment.regimen, label)
    records = {"neutrophils": (np.array([1, 1]), np.array([6.0, 16.0]), np.array([0.5, 2.0]))}
    protocol_run = run_protocol(Protocol((plan,), "metastatic", 63.0), few, TableReadings(records))
    planned = [dose.time_day for dose in treatment.regimen.doses_before(63 * 1440)]
    taken = protocol_run.record.dose_by_dose()
    first, second = (np.sort(taken.day[taken.patient == p]) for p in (0, 1))
    assert first == pytest.approx(planned, abs=1e-9)
    assert second == pytest.approx([d for d in planned if d < 7 or d >= 21], abs=1e-9)
    assert (
        np.diff(np.unique(protocol_run.record.day)).max() <= DISPENSED_DAY * 2
    )  # a rest week apart


def test_a_test_that_was_not_made_is_made_at_the_next_visit(cohort: Cohort) -> None:
    """The LVEF of day 84 is missing: the next is that of day 105, not of day 168."""
    made: list[float] = []

    def lvef(day: np.ndarray, who: np.ndarray) -> np.ndarray:
        made.extend(np.unique(day).tolist())
        return np.where(day == 84.0, np.nan, 60.0)

    readings = ModelledReadings(cohort, {"lvef": lvef})
    run_protocol(protocol(), cohort, readings)
    assert made[:4] == [0.0, 84.0, 105.0, 189.0]


def test_what_follows_a_drug_waits_for_its_last_dose(cohort: Cohort) -> None:
    """Doxorubicin held on day 63 ends on day 84: paclitaxel begins on day 105, not beside it."""
    few = cohort.part(0, 3)
    plans = tuple(
        DrugPlan(one.drug.id, one.regimen, load_label(one.drug.id, "us"))
        for one in planned_drugs(load_regimen("doxorubicin-then-paclitaxel-trastuzumab"))
    )
    days = np.array([0.0, 63.0, 84.0])
    records = {
        "neutrophils": (np.zeros(3, dtype=np.int64), days, np.array([5.0, 0.8, 3.0])),
        "heart_failure": (np.ones(2, dtype=np.int64), days[:2], np.array([0.0, 1.0])),
    }
    run = run_protocol(Protocol(plans, "early", 130.0), few, TableReadings(records))
    drugs = [plan.drug for plan in plans]
    first = {
        drug: [run.record.of(d).day[run.record.of(d).patient == k].min() for k in range(3)]
        for d, drug in enumerate(drugs)
        if drug != "trastuzumab"
    }
    last = run.record.of(drugs.index("doxorubicin"))
    assert last.day[last.patient == 0].tolist() == [0.0, 21.0, 42.0, 84.0]
    assert last.day[last.patient == 1].tolist() == [0.0, 21.0, 42.0]  # stopped: not waited for
    assert first["paclitaxel"] == [105.0, 84.0, 84.0]


def test_a_drug_is_not_lowered_before_its_first_dose(cohort: Cohort) -> None:
    """A bad reading of the first day holds lapatinib; what was never given is not lowered."""
    low = {"lvef": (np.zeros(3, dtype=np.int64), np.array([0.0, 28, 56]), np.array([44.0, 60, 44]))}
    plan = DrugPlan(
        "lapatinib", load_treatment("lapatinib", "qd").regimen, load_label("lapatinib", "us")
    )
    run = run_protocol(
        Protocol((plan,), "metastatic", 100.0), cohort.part(0, 1), TableReadings(low)
    )
    assert (run.record.day[0], run.record.dose_mg[0], run.n_reductions[0, 0]) == (28.0, 1250.0, 0)
