"""Why a figure of a trial is not there: what it would need, and what there is."""

from __future__ import annotations

from her2sim.trials.endpoints import ArmOutcomes
from her2sim.trials.measures import CURVES
from her2sim.trials.member_estimates import Arms, fewest_of, most_in_a_member, whom
from her2sim.trials.trial import Comparison, Outcome, Safety


def outcome_needs(arms: Arms, row: Outcome) -> str:
    """What an endpoint that is not there would need."""
    arm = arms[row.arm]
    who = _who(row.subgroup) + (" with a response" if row.endpoint == "DoR" else "")
    return _patients(who, most_in_a_member(arm, whom(arm, row)), fewest_of(arm)) or (
        f"a follow-up of {row.at_month:g} months" if row.at_month and row.endpoint in CURVES else ""
    )


def ratio_needs(arms: Arms, row: Comparison) -> str:
    """What a hazard ratio that is not there would need."""
    sides = [arms[arm] for arm in (row.arm, row.versus)]
    found = min(most_in_a_member(arm, whom(arm, row)) for arm in sides)
    needed = fewest_of(sides[0])
    return _patients(f"{_who(row.subgroup)} in each arm", found, needed) or "an event in each arm"


def event_needs(arm: ArmOutcomes, row: Safety) -> str:
    """What an adverse event that is not there would need."""
    if arm.had(row.event, row.grade, row.until_month) is None:
        return "a model of this adverse event for the drugs of this arm"
    return _patients("patients", most_in_a_member(arm, arm.group(None)), fewest_of(arm))


def _who(group: str | None) -> str:
    return f"patients of {group}" if group else "patients"


def _patients(who: str, found: int, needed: int) -> str:
    """That there are too few patients; nothing if there are enough."""
    if found >= needed:
        return ""
    return f"{who}; none here" if needed == 1 else f"at least {needed} {who} a member; {found} here"
