"""One patient from left to right: stages, the band around them, and what rules did."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from her2sim.timeline.result import PatientTimeline
from her2sim.timeline.run import TimelinePlan, patient_timeline
from her2sim.units import DAY_PER_WEEK
from her2sim.web.next_dose import AHEAD_WEEKS
from her2sim.web.patient_question import PatientQuestion
from her2sim.web.rules_shown import RulesView, acted, rules_view
from her2sim.web.stage import Stage
from her2sim.web.stages import stages_of

TWINS = 200
KEPT_COURSES = 32


@dataclass(frozen=True)
class ChainView:
    """All stages of a patient in order, and what a reader must know.

    ``rules`` (what they did) is there with the band: both follow once the patient stands.
    """

    stages: tuple[Stage, ...]
    notes: tuple[str, ...]
    rules: RulesView | None = None

    @property
    def has_band(self) -> bool:
        """Whether patients like this one are drawn beside it."""
        return self.rules is not None

    def stage(self, key: str) -> Stage:
        """A stage by its key; the first one if this patient has none of that key."""
        return next((stage for stage in self.stages if stage.key == key), self.stages[0])


@lru_cache(maxsize=KEPT_COURSES)
def followed(question: PatientQuestion) -> PatientTimeline:
    """The course of the patient, without patients like this one."""
    end_day = question.weeks * DAY_PER_WEEK
    plan = TimelinePlan(
        (question.changed_regimen(),), (0.0,), end_day, question.region, by_rules=question.rules
    )
    return patient_timeline(question.patient(), plan, None, question.seed, twins=0, body_twins=0)


def chain(question: PatientQuestion, has_band: bool = False) -> ChainView:
    """The chain of a patient; ``has_band`` adds what patients like this one show, and the rules.

    With it the same patient is followed further, for the next dose, and with the rules off (or
    on, where they are off).

    Raises
    ------
    Her2SimError
        If the patient cannot be treated like this, with the reason.
    """
    course = followed(question)
    if not has_band:
        return ChainView(tuple(stages_of(course, question)), course.notes)
    other = None
    if not question.rules or acted(course):
        other = followed(question.model_copy(update={"rules": not question.rules}))
        other = other if question.rules or acted(other) else None
    later = followed(question.model_copy(update={"weeks": question.weeks + AHEAD_WEEKS}))
    stages = tuple(stages_of(course.with_twins(TWINS), question, other, later))
    changed = question.changed_drugs()
    notes = (*((changed,) if changed else ()), *course.notes)
    return ChainView(stages, notes, rules_view(course, other, question.weeks))
