"""Adverse events of which only rates are published: onset, grade and duration.

Onset counts time on treatment, an episode lasts its days by the calendar. What a patient would get
is drawn once, so that a hold delays an adverse event and a stop prevents it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array, Positions
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.drugs.supportive import graded_events
from her2sim.drugs.toxicity import GradedEvent
from her2sim.protocol.readings import Visit
from her2sim.random import Purpose
from her2sim.virtual_patient.assessment_facts import assessment_number
from her2sim.virtual_patient.drugs import PatientDrug

NEVER = np.inf
GRADED = {
    "diarrhoea_grade": "diarrhoea",
    "neuropathy_grade": "neuropathy",
    "infusion_reaction_grade": "infusion_reaction",
}
"""Readings that are the grade of an adverse event."""
LIVER = ("ast", "alt")
BESIDE = {
    "bilirubin": "transaminase",
    "diarrhoea_days": "diarrhoea",
    "diarrhoea_complicated": "diarrhoea",
    "on_antidiarrhoeal": "diarrhoea",
}
"""Readings that go with an adverse event: bilirubin stays normal, diarrhoea has its days, is
complicated from grade 4 on, and is treated from its second episode on."""
GRADES = range(5)


@dataclass
class _AdverseEvent:
    """One adverse event of one drug: worst grades, and the episodes so far."""

    drug: int
    event: GradedEvent
    worst: Positions
    next_clock: Array
    start_day: Array
    n_episodes: Positions
    days_grade_2: Array


class AdverseEvents:
    """The adverse events of all drugs of a regimen in each patient."""

    def __init__(
        self, people: VirtualCohort, drugs: Sequence[PatientDrug], given_with: tuple[str, ...] = ()
    ) -> None:
        n = people.cohort.n_patients
        self.clock = np.zeros((len(drugs), n))
        self.events = [
            _draw(people, d, drug, event)
            for d, drug in enumerate(drugs)
            for event in graded_events(drug.treatment.drug.id, given_with)
        ]

    def variables(self) -> tuple[str, ...]:
        """Readings that come from one of the events."""
        names = {event.event.name for event in self.events}
        source = {**GRADED, **BESIDE, **dict.fromkeys(LIVER, "transaminase")}
        return tuple(variable for variable, name in source.items() if name in names)

    def advance(self, who: Positions, from_day: Array, until: Array, acts_until: Array) -> None:
        """Let time pass; ``acts_until`` (drugs, n of who) is how long the last dose counts."""
        for one in self.events:
            before = self.clock[one.drug, who]
            lasts = np.clip(acts_until[one.drug] - from_day, 0.0, until - from_day)
            after = before + lasts
            every = NEVER if one.event.every_day is None else one.event.every_day
            while True:
                begins = (one.next_clock[who] < after) & (lasts > 0)
                if not begins.any():
                    break
                own = who[begins]
                start = from_day[begins] + np.maximum(one.next_clock[own] - before[begins], 0.0)
                one.start_day[own] = start
                one.n_episodes[own] += 1
                is_bad = self._grade(one, own) >= 2
                one.days_grade_2[own] += one.event.duration_day * is_bad
                one.next_clock[own] = one.next_clock[own] + every
        for d in range(self.clock.shape[0]):
            self.clock[d, who] += np.clip(acts_until[d] - from_day, 0.0, until - from_day)

    def measure(self, variable: str, visit: Visit) -> Array:
        """Grade at a visit, new episodes since the last one included; multiples for the liver."""
        if variable in BESIDE:
            return self._beside(variable, visit)
        name = GRADED.get(variable, "transaminase")
        grade = np.zeros(visit.who.size, dtype=np.int64)
        for one in self.events:
            if one.event.name == name:
                start = one.start_day[visit.who]
                is_on = start + one.event.duration_day > visit.day
                is_new = start > visit.since_day
                here = (start <= visit.day) & (is_on | is_new)
                grade = np.maximum(grade, np.where(here, self._grade(one, visit.who), 0))
        if variable in LIVER:
            times = [assessment_number(f"transaminase_grade_{k}") for k in GRADES]
            return np.array(times)[np.minimum(grade, len(times) - 1)]
        return grade.astype(np.float64)

    def _beside(self, variable: str, visit: Visit) -> Array:
        """What goes with an adverse event."""
        if variable == "bilirubin":
            return np.full(visit.who.size, assessment_number("bilirubin"))
        found = np.zeros(visit.who.size)
        for one in self.events:
            if one.event.name != "diarrhoea":
                continue
            start = one.start_day[visit.who]
            is_on = (start <= visit.day) & (visit.day < start + one.event.duration_day)
            if variable == "diarrhoea_days":
                value = np.where(is_on, visit.day - start + 1.0, 0.0)
            elif variable == "diarrhoea_complicated":
                value = (is_on & (self._grade(one, visit.who) >= 4)).astype(np.float64)
            else:
                value = (one.n_episodes[visit.who] > 1).astype(np.float64)
            found = np.maximum(found, value)
        return found

    def _grade(self, one: _AdverseEvent, who: Positions) -> Positions:
        """Grade of the current episode: the worst in the first, one less in later ones."""
        worst = one.worst[who]
        later = np.maximum(worst - 1, np.minimum(worst, 1))
        found: Positions = np.where(one.n_episodes[who] <= 1, worst, later)
        return found

    def worst(self) -> dict[str, Positions]:
        """Worst grade so far of each adverse event, all drugs together, shape (n,)."""
        found: dict[str, Positions] = {}
        for one in self.events:
            reached = np.where(one.n_episodes > 0, one.worst, 0)
            before = found.get(one.event.name, np.zeros_like(reached))
            found[one.event.name] = np.maximum(before, reached)
        return found

    def days_grade_2(self) -> Array:
        """Days with an adverse event of grade 2 or more, those of all added, shape (n,)."""
        total = np.zeros(self.clock.shape[1])
        for one in self.events:
            total += one.days_grade_2
        return total


def _draw(people: VirtualCohort, d: int, drug: PatientDrug, event: GradedEvent) -> _AdverseEvent:
    n, stream = people.cohort.n_patients, people.cohort.stream(Purpose.HAZARDS)
    name = f"{drug.mechanism.drug}:{event.name}"
    drawn, score = stream.uniform(f"{name}:worst"), stream.normal(f"{name}:onset")
    from_worst = np.cumsum(event.worst[::-1])  # the most frequent adverse event is the mildest
    worst = len(event.worst) - np.searchsorted(from_worst, drawn)
    onset = event.onset_day * np.exp(event.onset_spread * score)
    return _AdverseEvent(
        d, event, worst.astype(np.int64), np.where(worst > 0, onset, NEVER),
        np.full(n, -NEVER), np.zeros(n, dtype=np.int64), np.zeros(n),
    )  # fmt: skip
