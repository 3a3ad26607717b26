"""Properties of steered treatment: holds hold, stops stay, and neighbours change nothing."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.course import cohort_chunks, load_treatment, simulate
from her2sim.patients.cohort import Cohort
from her2sim.patients.population import load_population
from her2sim.protocol.label import Label, Rule, load_label
from her2sim.protocol.ledger import Cause, Decision, Ledger, Why, relative_dose_intensity
from her2sim.protocol.plan import DISPENSED_DAY, DrugPlan, Protocol, Steered
from her2sim.protocol.readings import ModelledReadings, TableReadings
from her2sim.protocol.steering import steer
from her2sim.random import Purpose, normals, uniforms
from her2sim.realised import levels_of_ledger
from her2sim.regimens.dose import ROUTES

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
def steered(cohort: Cohort) -> Steered:
    return steer(protocol(), cohort, falling_hearts(cohort))


def events(course: Steered, drug: int, decision: Decision) -> dict[int, np.ndarray]:
    chosen = (course.log.drug == drug) & (course.log.decision == decision)
    return {
        int(p): course.log.day[chosen & (course.log.patient == p)]
        for p in np.unique(course.log.patient[chosen])
    }


def test_something_happens_in_this_cohort(steered: Steered) -> None:
    for decision in (Decision.HOLD, Decision.RESUME, Decision.STOP):
        assert (steered.log.decision == decision).sum() > 20
    assert (steered.ledger.why == Why.RELOAD).sum() > 20


def test_pertuzumab_is_logged_with_the_rule_of_its_partner(steered: Steered) -> None:
    log = steered.log
    partner = log.cause == Cause.PARTNER
    assert set(log.drug[partner]) == {DRUGS.index("pertuzumab")}
    assert all(log.rules[r].startswith("trastuzumab-") for r in np.unique(log.rule[partner]))
    assert partner.sum() > 50
    held = set(zip(log.patient[~partner], log.rule[~partner], strict=True))
    assert set(zip(log.patient[partner], log.rule[partner], strict=True)) <= held


def test_nobody_is_dosed_while_a_hold_holds(steered: Steered) -> None:
    resumes = events(steered, 0, Decision.RESUME)
    stops = events(steered, 0, Decision.STOP)
    for patient, held in events(steered, 0, Decision.HOLD).items():
        doses = steered.ledger.day[(steered.ledger.drug == 0) & (steered.ledger.patient == patient)]
        for day in held:
            ends = np.concatenate([resumes.get(patient, []), stops.get(patient, []), [END]])
            until = ends[ends > day].min()
            assert not ((doses >= day) & (doses < until)).any()


def test_a_stopped_drug_stays_stopped_and_takes_its_partner_along(steered: Steered) -> None:
    last = np.full((len(DRUGS), steered.cohort.n_patients), -np.inf)
    np.maximum.at(last, (steered.ledger.drug, steered.ledger.patient), steered.ledger.day)
    stopped = np.isfinite(steered.stopped_day)
    assert (last[stopped] < steered.stopped_day[stopped]).all()
    assert (steered.stopped_day[1] <= steered.stopped_day[0]).all()  # pertuzumab goes with it
    assert (last[0][stopped[1]] > steered.stopped_day[1][stopped[1]]).any()  # but not the reverse
    assert not stopped[2].any()  # no rule of docetaxel is encoded here


def test_a_hold_of_the_antibody_does_not_hold_the_taxane(steered: Steered, cohort: Cohort) -> None:
    held = np.unique(steered.log.patient[steered.log.decision == Decision.HOLD])
    n_doses = np.bincount(steered.ledger.of(2).patient, minlength=cohort.n_patients)
    # Visits for rechecks may shift a dose of the taxane, but none is left out for long.
    assert n_doses[held].min() >= 15


def test_reload_clocks_run_for_each_drug(steered: Steered) -> None:
    """Trastuzumab reloads when more than a week late, pertuzumab at six weeks after its last."""
    for drug, limit in ((0, 28.0), (1, 42.0)):
        own = steered.ledger.of(drug)
        same = np.diff(own.patient) == 0
        gap = np.diff(own.day)[same]
        is_reload = own.why[1:][same] == Why.RELOAD
        if drug == 0:
            assert (is_reload == (gap > limit)).all()
        else:
            assert (is_reload == (gap >= limit)).all()


def test_cumulative_dose_and_intensity_are_those_of_the_ledger(
    steered: Steered, cohort: Cohort
) -> None:
    weight = cohort.covariate("weight_kg")
    planned = np.repeat(6.0 * weight[:, None], 18, axis=1)
    planned[:, 0] = 8.0 * weight
    days = 21.0 * np.arange(18)
    intensity = relative_dose_intensity(steered.ledger, 0, cohort.n_patients, 21.0, days, planned)
    own = steered.ledger.of(0)
    for patient in (0, 7, int(own.patient[own.why == Why.RELOAD][0])):
        doses, days = own.dose_mg[own.patient == patient], own.day[own.patient == patient]
        by_hand = doses.sum() / (days[-1] - days[0] + 21)
        by_hand /= planned[patient, : doses.size].sum() / (21 * doses.size)
        assert intensity[patient] == pytest.approx(by_hand)
    undisturbed = np.bincount(own.patient, minlength=cohort.n_patients) == 18
    assert intensity[undisturbed] == pytest.approx(1.0)
    assert intensity[~undisturbed].min() < 0.9


def test_the_order_of_patients_changes_nothing(steered: Steered, cohort: Cohort) -> None:
    order = np.random.default_rng(1).permutation(cohort.n_patients)
    mixed = Cohort(
        cohort.name,
        cohort.numbers[order],
        {name: values[order] for name, values in cohort.covariates.items()},
        cohort.seed,
    )
    again = steer(protocol(), mixed, falling_hearts(mixed))
    one = steered.ledger.frame(cohort.numbers, DRUGS)
    assert again.ledger.frame(mixed.numbers, DRUGS).equals(one)
    log = steered.log.frame(cohort.numbers, DRUGS)
    assert again.log.frame(mixed.numbers, DRUGS).equals(log)
    part = cohort.part(100, 130)
    alone = steer(protocol(), part, falling_hearts(part)).ledger.frame(part.numbers, DRUGS)
    assert alone.equals(one.filter(one["patient"].is_in(part.numbers.tolist())))


def test_the_realised_ledger_replayed_gives_equal_bits(steered: Steered, cohort: Cohort) -> None:
    treatment = load_treatment("trastuzumab", "q3w")
    first = levels_of_ledger(treatment, cohort, steered.ledger, 0, CYCLES)
    frame = steered.ledger.frame(np.arange(cohort.n_patients), DRUGS).sample(
        fraction=1.0, shuffle=True, seed=1
    )
    again = Ledger(
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
    replayed = levels_of_ledger(treatment, cohort, again, 0, CYCLES)
    assert replayed.cycles.tobytes() == first.cycles.tobytes()


@pytest.mark.parametrize("drug", ["trastuzumab", "pertuzumab", "docetaxel"])
def test_undisturbed_patients_have_the_levels_of_the_plan(
    steered: Steered, cohort: Cohort, drug: str
) -> None:
    number = DRUGS.index(drug)
    own = steered.ledger.of(number)
    regular = own.day % 21 == 0
    n_regular = np.bincount(own.patient[regular], minlength=cohort.n_patients)
    undisturbed = n_regular == 18
    assert undisturbed.sum() > 1000
    treatment = load_treatment(drug, "q3w")
    realised = levels_of_ledger(treatment, cohort, steered.ledger, number, CYCLES)
    planned = simulate(treatment, cohort, 18)
    # mg are worked out before the rate, not after it: the last bits differ.
    ratio = realised.cycles[undisturbed, :, :, :3] / planned.cycles[undisturbed, :, :, :3]
    assert np.abs(ratio - 1).max() < 1e-9


def test_a_repeat_spares_holds_that_are_noise(cohort: Cohort) -> None:
    steady = ModelledReadings(cohort, {"lvef": lambda _, who: np.full(who.size, 58.0)}, {"lvef": 5})
    once = steer(protocol(), cohort, steady)
    twice = steer(protocol(is_confirmed_by_repeat=True), cohort, steady)
    n_once, n_twice = ((s.log.decision == Decision.HOLD).sum() for s in (once, twice))
    assert n_twice < 0.4 * n_once
    assert n_once > 50


def test_unconfirmed_rules_can_be_switched_off(cohort: Cohort) -> None:
    without = steer(protocol(unconfirmed=False), cohort, falling_hearts(cohort))
    assert not any(rule.startswith("pertuzumab") and "lvef" in rule for rule in without.log.rules)


def test_days_on_hold_are_those_between_the_decisions(steered: Steered) -> None:
    held, resumed = (events(steered, 0, d) for d in (Decision.HOLD, Decision.RESUME))
    stops = events(steered, 0, Decision.STOP)
    for patient in list(held)[:40]:
        ends = np.sort(np.concatenate([resumed.get(patient, []), stops.get(patient, []), [END]]))
        total = sum(float(ends[ends > day].min() - day) for day in held[patient])
        assert steered.days_on_hold[0, patient] == pytest.approx(total)


def test_rest_weeks_are_kept_and_a_hold_makes_up_for_nothing(cohort: Cohort) -> None:
    """Fourteen of 21 days, as planned without readings; held days are left out, weeks stay."""
    treatment = load_treatment("capecitabine", "bid")
    few = cohort.part(0, 2)
    rule = Rule(id="r", toxicity="t", hold_when="neutrophils < 1", resume_when="neutrophils >= 1",
                recheck_days=7, status="assumed", reason="of this test")  # fmt: skip
    label = Label(drug="capecitabine", region="us", dated="today", rule=(rule,))
    plan = DrugPlan("capecitabine", treatment.regimen, label)
    records = {"neutrophils": (np.array([1, 1]), np.array([6.0, 16.0]), np.array([0.5, 2.0]))}
    steered = steer(Protocol((plan,), "metastatic", 63.0), few, TableReadings(records))
    planned = [dose.time_day for dose in treatment.regimen.doses_before(63 * 1440)]
    taken = steered.ledger.dose_by_dose()
    first, second = (np.sort(taken.day[taken.patient == p]) for p in (0, 1))
    assert first == pytest.approx(planned, abs=1e-9)
    assert second == pytest.approx([d for d in planned if d < 7 or d >= 21], abs=1e-9)
    assert np.diff(np.unique(steered.ledger.day)).max() <= DISPENSED_DAY * 2  # a rest week apart
