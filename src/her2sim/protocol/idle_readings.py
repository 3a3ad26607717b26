"""Readings that no rule of some labels looks at: they change nothing, and that has to be said."""

from __future__ import annotations

from collections.abc import Iterable

from her2sim.patients.covariates import Setting
from her2sim.protocol.label import Label, Rule
from her2sim.protocol.variables import CLOCKS, DERIVED


def rules_at_work(
    labels: Iterable[Label | None], setting: Setting, *, unconfirmed: bool = True
) -> list[Rule]:
    """Rules of some labels in a setting."""
    known = [label for label in labels if label is not None]
    return [rule for label in known for rule in label.rules_for(setting, unconfirmed)]


def measured(variables: Iterable[str]) -> list[str]:
    """What is measured for some variables of rules; clocks are not."""
    names = [name for v in variables for name in DERIVED.get(v, (v,))]
    return [name for name in dict.fromkeys(names) if name not in CLOCKS]


def idle_readings(read: Iterable[str], rules: Iterable[Rule]) -> list[str]:
    """Names of readings that none of the rules looks at, in alphabetical order."""
    used = {name for rule in rules for name in measured(rule.variables())}
    return sorted({*read} - used)
