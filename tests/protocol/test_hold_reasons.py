"""What has to be read anew before a hold ends: its reasons, and nothing that never was one."""

from __future__ import annotations

import numpy as np
import pytest

from her2sim.protocol.conditions import parse_condition
from her2sim.protocol.decisions import Decision
from her2sim.protocol.hold_reasons import HoldReasons
from tests.protocol.test_label_corrections import Told, course

ONE = np.array([0])
HOLD, RESUME = "alt > 5 or bilirubin > 3", "alt <= 3 and bilirubin <= 1.5"


def ends_after(*days: dict[str, float]) -> list[bool]:
    """Whether each day's readings end a hold that the first day began."""
    reasons, found = HoldReasons(parse_condition(HOLD), parse_condition(RESUME), 1), list[bool]()
    for told in days:
        values = {name: np.array([value]) for name, value in told.items()}
        found.append(bool(reasons.end_hold(values, {}, ONE)[0]))
        reasons.keep(values, {}, ONE)
    return found[1:]


@pytest.mark.parametrize(
    ("days", "ends"),
    [
        # Bilirubin was never measured: it did not begin the hold and does not block.
        (({"alt": 6}, {"alt": 4}, {"alt": 2}), [False, True]),
        # The reason itself has to be read: another reading alone ends nothing.
        (({"alt": 6}, {"bilirubin": 1}, {"alt": 2}), [False, True]),
        # What is measured has to be good, though it did not begin the hold ...
        (({"alt": 6}, {"alt": 2, "bilirubin": 2}), [False]),
        # ... and once it was too bad, it has to be read anew.
        (({"alt": 6}, {"alt": 2, "bilirubin": 2}, {"alt": 2}), [False, False]),
        (({"alt": 6}, {"alt": 2, "bilirubin": 2}, {"alt": 2, "bilirubin": 1}), [False, True]),
        # Two reasons: both on one day.
        (({"alt": 6, "bilirubin": 4}, {"alt": 2}, {"bilirubin": 1}), [False, False]),
        (({"alt": 6, "bilirubin": 4}, {"alt": 2, "bilirubin": 1}), [True]),
    ],
)
def test_which_readings_end_a_hold(days, ends) -> None:
    assert ends_after(*days) == ends


def test_reasons_of_one_hold_are_not_those_of_the_next() -> None:
    reasons = HoldReasons(parse_condition(HOLD), parse_condition(RESUME), 1)
    reasons.keep({"alt": np.array([6.0]), "bilirubin": np.array([4.0])}, {}, ONE)
    reasons.forget(ONE)
    reasons.keep({"alt": np.array([6.0])}, {}, ONE)
    assert reasons.end_hold({"alt": np.array([2.0])}, {}, ONE)[0]


def test_a_hold_for_the_lvef_does_not_wait_for_a_fall_under_another_name() -> None:
    """`lvef_drop` follows from the LVEF: both are one reading."""
    reasons = HoldReasons(parse_condition("lvef_drop >= 16"), parse_condition("lvef >= 50"), 1)
    reasons.keep({"lvef": np.array([45.0]), "lvef_drop": np.array([20.0])}, {}, ONE)
    assert reasons.is_reason.tolist() == [[True]]


def test_a_course_goes_on_although_bilirubin_was_never_measured() -> None:
    told: Told = {"alt": [(0, 1), (28, 6), (35, 2)]}
    run = course(told, ("neratinib", "qd"))
    assert [d for d in run.log.decision if d != Decision.REDUCE] == [Decision.HOLD, Decision.RESUME]
