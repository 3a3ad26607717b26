"""What is done against adverse events: measures of which figures say how much they help."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import Field, model_validator

from her2sim.drug_names import drug_names
from her2sim.drugs.toxicity import GradedEvent, load_toxicity
from her2sim.errors import DataError
from her2sim.facts import Claim, FactFile, read_fact_file

Against = Literal[
    "diarrhoea", "nausea", "infusion_reaction", "transaminase", "neuropathy",
    "febrile_neutropenia", "ild",
]  # fmt: skip
HAZARDS = ("febrile_neutropenia", "ild")
"""Adverse events that come by a hazard; all others are graded events."""


class Measure(Claim):
    """A measure against an adverse event of some drugs.

    ``share_ratio`` is the share of patients with the event over that without the measure, of each
    grade; ``duration_ratio`` that of the days it lasts, ``hazard_ratio`` that of its hazard.
    """

    id: str
    title: str
    against: Against
    drugs: tuple[str, ...] = Field(min_length=1)
    share_ratio: float | None = Field(default=None, gt=0, le=1)
    duration_ratio: float | None = Field(default=None, gt=0, le=1)
    hazard_ratio: float | None = Field(default=None, gt=0, le=1)

    @model_validator(mode="after")
    def _acts(self) -> Measure:
        if self.share_ratio is self.duration_ratio is self.hazard_ratio is None:
            raise ValueError("needs a figure: a ratio of shares, of days or of hazards")
        is_hazard = self.against in HAZARDS
        wrong = self.share_ratio if is_hazard else self.hazard_ratio
        if wrong is not None:
            raise ValueError(f"{self.against} has no such ratio")
        return self

    def changed(self, event: GradedEvent) -> GradedEvent:
        """A graded event under the measure."""
        share, days = self.share_ratio or 1.0, self.duration_ratio or 1.0
        return event.model_copy(
            update={
                "worst": tuple(share * part for part in event.worst),
                "duration_day": days * event.duration_day,
            }
        )


class WithoutFigure(Claim):
    """What is done, and why it does not act here."""

    what: str
    why: str


class SupportiveCare(FactFile):
    """All measures."""

    measure: tuple[Measure, ...]
    without_figure: tuple[WithoutFigure, ...] = ()


@cache
def supportive_care() -> SupportiveCare:
    """The measures that come with her2sim."""
    return read_fact_file(files("her2sim.drugs").joinpath("supportive.toml"), SupportiveCare)


def taken(given_with: Sequence[str], drugs: Sequence[str], against: str) -> tuple[Measure, ...]:
    """Measures against an adverse event that are taken and known with some drugs."""
    return tuple(
        measure
        for measure in supportive_care().measure
        if measure.id in given_with
        and measure.against == against
        and set(drugs) & set(measure.drugs)
    )


def graded_events(drug: str, given_with: Sequence[str]) -> tuple[GradedEvent, ...]:
    """Adverse events of a drug that are known by rates, under the measures that are taken."""
    found = []
    for event in load_toxicity(drug).graded_events(tuple(given_with)):
        for measure in taken(given_with, (load_toxicity(drug).drug,), event.name):
            event = measure.changed(event)
        found.append(event)
    return tuple(found)


def ratio_of_hazards(given_with: Sequence[str], drugs: Sequence[str], against: str) -> float:
    """By how much measures lower the hazard of an adverse event; 1 without any."""
    ratio = 1.0
    for measure in taken(given_with, drugs, against):
        ratio *= measure.hazard_ratio or 1.0
    return ratio


def ratio_of_days(given_with: Sequence[str], drugs: Sequence[str], against: str) -> float:
    """By how much measures shorten an adverse event; 1 without any."""
    ratio = 1.0
    for measure in taken(given_with, drugs, against):
        ratio *= measure.duration_ratio or 1.0
    return ratio


def require_known(given_with: Sequence[str], drugs: Sequence[str]) -> None:
    """Refuse a measure of which nothing is known with these drugs.

    Raises
    ------
    DataError
        With every such measure, what is known of it elsewhere, and what is known with these drugs.
    """
    known = {m.id for m in supportive_care().measure if set(drugs) & set(m.drugs)}
    for drug in drugs:
        known |= {e.given_with for e in load_toxicity(drug).graded if e.given_with is not None}
    faults = [f"{name} is named twice" for name in {*given_with} if given_with.count(name) > 1]
    faults += _alternatives(given_with, drugs)
    for name in dict.fromkeys(given_with):
        if name in known:
            continue
        listed = f"known with these drugs: {', '.join(sorted(known)) or 'nothing'}"
        faults.append(f"nothing is known of {name}{_elsewhere(name, known)}; {listed}")
    if faults:
        raise DataError("; ".join(faults))


def _alternatives(given_with: Sequence[str], drugs: Sequence[str]) -> Iterator[str]:
    """Measures that were tried one or the other: their figures do not add up."""
    for drug in drugs:
        by_event: dict[str, list[str]] = {}
        for event in load_toxicity(drug).graded:
            if event.given_with in given_with:
                by_event.setdefault(event.name, []).append(str(event.given_with))
        for event_name, names in by_event.items():
            if len(names) > 1:
                yield (
                    f"{' and '.join(names)} against {event_name} of {drug} are groups of a trial, "
                    "one or the other: name one (there are combined ones)"
                )


def _elsewhere(name: str, known: Collection[str]) -> str:
    """With which drugs a measure is known, or what was perhaps meant."""
    every = {measure.id: measure.drugs for measure in supportive_care().measure}
    for drug in drug_names():
        for event in load_toxicity(drug).graded:
            if event.given_with is not None:
                every.setdefault(event.given_with, (drug,))
    if name in every:
        return f" with these drugs (it is known with {', '.join(every[name])})"
    told = [one for one in supportive_care().without_figure if name and name in one.what]
    if told:
        return f" ({told[0].what}: {told[0].why})"
    near = difflib.get_close_matches(name, {*known, *every}, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
