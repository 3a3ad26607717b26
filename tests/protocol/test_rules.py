"""Every condition of every rule: at its threshold, just below and just above."""

from __future__ import annotations

import datetime
import operator

import numpy as np
import pytest

from her2sim.drug_names import drug_names
from her2sim.drugs.drug import load_drug
from her2sim.errors import DataError
from her2sim.patients.cohort import Cohort
from her2sim.patients.covariates import bsa_m2
from her2sim.pk.treatment import load_treatment
from her2sim.protocol.audit import check_record
from her2sim.protocol.conditions import Clause, parse_condition
from her2sim.protocol.cumulative_dose import CUMULATIVE
from her2sim.protocol.decisions import Decision
from her2sim.protocol.label import REGIONS, Label, Rule, load_label
from her2sim.protocol.plan import DrugPlan, Protocol, ProtocolRun
from her2sim.protocol.readings import TableReadings
from her2sim.protocol.record import Entry
from her2sim.protocol.visits import run_protocol

SIGNS = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": operator.eq,
}  # fmt: skip
FIRST = datetime.date(2026, 1, 5)
LLN, STEP, BASELINE = 50.0, 0.5, 75.0
LABELS = {
    (drug, region): label
    for drug in drug_names()
    for region in REGIONS
    if (label := load_label(drug, region)) is not None
}
RULES = [
    pytest.param(label, rule, id=rule.id)
    for (drug, _), label in LABELS.items()
    if label.drug == drug
    for rule in label.rule
]


def limit_of(comparison: Clause) -> float:
    return LLN if isinstance(comparison.limit, str) else comparison.limit


def satisfying(comparison: Clause) -> float:
    """A value that meets a comparison."""
    move = {">=": 0.0, "<=": 0.0, "==": 0.0, ">": STEP, "<": -STEP}
    return limit_of(comparison) + move[comparison.sign]


def other_true(comparisons, varied: Clause) -> dict[str, float]:
    """Values that meet all other comparisons of an alternative (limits of one variable too)."""
    values: dict[str, float] = {}
    for comparison in comparisons:
        if comparison is not varied and comparison.variable != varied.variable:
            values[comparison.variable] = satisfying(comparison)
    return values


@pytest.mark.parametrize(("label", "rule"), RULES)
def test_conditions_at_their_thresholds(label: Label, rule: Rule) -> None:
    """Each comparison alone decides, exactly as its sign says, while the others are met."""
    n_checked = 0
    for name in ("hold_when", "resume_when", "stop_when", "stop_held_when", "one_down_when"):
        condition = rule.condition(name)
        for comparisons in condition.alternatives if condition else ():
            for varied in comparisons:
                for shift in (-1e-6, 0.0, 1e-6):
                    values = other_true(comparisons, varied)
                    values[varied.variable] = limit_of(varied) + shift
                    arrays = {n: np.array([values.get(n, np.nan)]) for n in condition.variables}
                    own = [c for c in comparisons if c.variable == varied.variable]
                    wanted = all(
                        SIGNS[c.sign](values[c.variable], limit_of(c)) for c in own
                    ) or any(
                        all(
                            c.variable in values and SIGNS[c.sign](values[c.variable], limit_of(c))
                            for c in others
                        )
                        for others in condition.alternatives
                        if others is not comparisons
                    )
                    assert bool(condition.holds(arrays, {"lln": LLN})[0]) == wanted
                    n_checked += 1
    assert n_checked >= 3
    assert label.source_text(rule.source or "")


def first_day_course(label: Label, rule: Rule, readings: dict[str, list[float]]) -> ProtocolRun:
    """One patient; readings before the first, second, ... dose (a week apart from nothing else)."""
    treatment = load_treatment(label.drug, next(iter(load_drug(label.drug).regimen)))
    n_visits = max(map(len, readings.values()))
    every = DrugPlan(label.drug, treatment.regimen).visit_day
    step = rule.recheck_days or every
    days = np.array([0.0] + [every + step * k for k in range(n_visits - 1)])
    records = {
        name: (np.zeros(len(v), dtype=np.int64), days[: len(v)], np.array(v))
        for name, v in readings.items()
    }
    cohort = Cohort(
        "one", np.array([1]), {"weight_kg": np.array([70.0]), "bsa_m2": np.array([1.8])}, seed=1
    )
    alone = label.model_copy(update={"rule": (rule,), "monitoring": ()})
    plan = DrugPlan(label.drug, treatment.regimen, alone)
    protocol = Protocol((plan,), rule.setting or "metastatic", days[-1] + 0.1)
    return run_protocol(protocol, cohort, TableReadings(records))


def between(comparisons, variable: str, usual: float) -> float | None:
    """A value in the middle of what all comparisons of a variable allow; None without any."""
    low = [limit_of(c) for c in comparisons if c.variable == variable and c.sign in (">=", ">")]
    high = [limit_of(c) for c in comparisons if c.variable == variable and c.sign in ("<=", "<")]
    same = [limit_of(c) for c in comparisons if c.variable == variable and c.sign == "=="]
    if same:
        return same[0]
    if low and high:
        return (max(low) + min(high)) / 2
    if low:
        return max(low) + usual
    return max(0.0, min(high) - usual) if high else None


def readings_of(comparisons) -> dict[str, list[float]]:
    """Readings at the start, all well, and at the second visit, where an alternative is met."""
    series = {}
    for name in {c.variable for c in comparisons} - {"days_held", "lvef", "lvef_drop"}:
        value = between(comparisons, name, STEP)
        well = {"neutrophils": 5.0, "platelets": 250.0}.get(name, 0.0)
        for measured in ("ast", "alt") if name == "transaminase" else (name,):
            series[measured] = [well, value]
    lvef, drop = (between(comparisons, v, 1.0) for v in ("lvef", "lvef_drop"))
    if drop is not None:
        lvef = BASELINE - drop if lvef is None else lvef
        series["lvef"] = [lvef + drop, lvef]
    elif lvef is not None:
        series["lvef"] = [BASELINE, lvef]
    return series


@pytest.mark.parametrize(("label", "rule"), RULES)
def test_every_alternative_of_every_rule_acts_in_a_course(label: Label, rule: Rule) -> None:
    for name, decision in (("hold_when", Decision.HOLD), ("stop_when", Decision.STOP)):
        condition = rule.condition(name)
        for comparisons in condition.alternatives if condition else ():
            if any(c.variable == CUMULATIVE for c in comparisons):
                continue  # no reading: the next test
            series = readings_of(comparisons)
            course = first_day_course(label, rule, series)
            assert course.log.rules == (rule.id,)
            assert Decision(course.log.decision[0]) == decision
            assert course.record.day.tolist() == [0.0]  # nothing was given at the second visit


@pytest.mark.parametrize(
    ("label", "rule"), [row for row in RULES if CUMULATIVE in row.values[1].variables()]
)
def test_a_dose_in_all_is_not_gone_beyond(label: Label, rule: Rule) -> None:
    """The dose that would pass the limit is not given, and a record with it departs."""
    ((limit,),) = rule.condition("stop_when").alternatives
    treatment = load_treatment(label.drug, next(iter(load_drug(label.drug).regimen)))
    amount = treatment.regimen.phases[0].maintenance.amount
    cohort = Cohort(
        "one", np.array([1]), {"weight_kg": np.array([70.0]), "bsa_m2": np.array([1.8])}, seed=1
    )
    plan = DrugPlan(label.drug, treatment.regimen, label)
    course = run_protocol(Protocol((plan,), "metastatic", 400.0), cohort, TableReadings({}))
    assert course.record.day.size == limit_of(limit) // amount
    assert course.log.rules[course.stop_rule[0, 0]] == rule.id
    surface = float(bsa_m2(70.0, 165.0))
    body = [("weight", 70.0), ("height", 165.0), ("lvef", 62.0)]
    record = [Entry(0, "A", FIRST, "lab", test=test, value=size) for test, size in body]
    days = [*course.record.day, *course.stopped_day[0]]
    record += [
        Entry(k, "A", FIRST + datetime.timedelta(days=day), "dose", drug=label.drug, route="iv",
              dose_mg=amount * surface)
        for k, day in enumerate(days)
    ]  # fmt: skip
    found = [d for d in check_record(record, label.region).departures if d.code != "overdue_lvef"]
    assert [(d.row, d.code, d.rule_id) for d in found] == [
        (len(days) - 1, "dose_after_stop", rule.id)
    ]


def test_us_and_eu_rules_differ_on_the_same_readings() -> None:
    """A fall of 17 points to 55 %: the US label holds, the EU label goes on."""
    us, eu = (LABELS["trastuzumab", region] for region in REGIONS)
    readings = {"lvef": [72.0, 55.0]}
    held = first_day_course(us, us.rule[0], readings)
    given = first_day_course(eu, eu.rule[0], readings)
    assert held.record.day.tolist() == [0.0]
    assert given.record.day.tolist() == [0.0, 21.0]
    both = {"lvef": [62.0, 49.0]}  # 13 points, below 50 %
    for label in (us, eu):
        assert first_day_course(label, label.rule[0], both).record.day.tolist() == [0.0]


def test_conditions_that_cannot_be_read_are_refused() -> None:
    for text, message in (
        ("lvef >> 3", "cannot read"),
        ("lvfe < 40", "did you mean 'lvef'"),
        ("lvef < llm", "did you mean 'lln'"),
    ):
        with pytest.raises(DataError, match=message):
            parse_condition(text)


def test_nothing_measured_is_no_reason() -> None:
    condition = parse_condition("lvef < 40 or lvef_drop > 20")
    values = {"lvef": np.array([np.nan, 39.0]), "lvef_drop": np.array([np.nan, np.nan])}
    assert condition.holds(values, {}).tolist() == [False, True]
