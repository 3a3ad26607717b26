"""The reading beside a decision is that by which it was taken; holds of several rules are one."""

from __future__ import annotations

import operator

import pytest

from her2sim.errors import Her2SimError
from her2sim.protocol.conditions import parse_condition
from her2sim.timeline.result import Decided, holds_of
from her2sim.web.chain import followed
from her2sim.web.patient_question import PatientQuestion

SIGNS = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": operator.eq,
}  # fmt: skip
LLN_PERCENT = 50.0


def told(decided: Decided) -> bool:
    """Whether a comparison of the condition on that variable holds of the reading."""
    try:
        condition = parse_condition(decided.condition)
    except Her2SimError:
        return True  # no condition acted, but a limit of the rule
    clauses = [c for one in condition.alternatives for c in one if c.variable == decided.variable]
    return any(
        SIGNS[c.sign](decided.reading, LLN_PERCENT if c.limit == "lln" else float(c.limit))
        for c in clauses
    )


@pytest.mark.parametrize(
    ("regimen", "fields"),
    [
        ("trastuzumab", {"lvef_percent": 52.0}),
        ("trastuzumab-deruxtecan", {}),
        ("HER2CLIMB", {}),
        ("neratinib-capecitabine", {"weight_kg": 69.0}),
        ("trastuzumab-emtansine", {}),
    ],
)
def test_a_reading_makes_its_condition_true(regimen: str, fields: dict[str, float]) -> None:
    """Of the condition that acted, a comparison on the told variable holds."""
    n = 0
    for seed in range(1, 17):
        asked = PatientQuestion.model_validate({"regimen": regimen, "seed": seed, **fields})
        for decided in followed(asked).decisions:
            if decided.reading is not None and decided.decision in ("hold", "resume", "reduce"):
                assert told(decided), decided
                n += 1
    assert n > 2


def decided(day: float, decision: str, rule: str) -> Decided:
    """A decision on a drug."""
    return Decided(day, "a", decision, None, "", rule, "", "", True)


def test_a_drug_is_held_while_any_rule_holds_it() -> None:
    """What one rule resumes another may still hold; a stop ends all, another drug nothing."""
    rows = [
        decided(10, "hold", "one"), decided(20, "hold", "two"), decided(30, "resume", "one"),
        decided(30, "reduce", "one"), decided(40, "resume", "two"), decided(50, "hold", "one"),
    ]  # fmt: skip
    assert [(h.begun.day, h.end_day) for h in holds_of(rows, "a")] == [(10, 40), (50, None)]
    assert holds_of(rows, "b") == []
    stopped = [*rows, decided(60, "stop", "two")]
    assert [h.end_day for h in holds_of(stopped, "a")] == [40, 60]
