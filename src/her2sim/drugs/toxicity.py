"""Toxicity of a drug: heart, blood counts, lung, and adverse events known by rates only."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import Field, model_validator

from her2sim.drugs.drug import load_drug
from her2sim.facts import Claim, FactFile, FactModel, UncertainQuantity, read_fact_file

Line = Literal["neutrophils", "platelets"]
LINES: tuple[Line, ...] = ("neutrophils", "platelets")


class OnHeart(FactModel):
    """Effect on the heart for a concentration, relative to trastuzumab."""

    weight: UncertainQuantity


class OnBlood(FactModel):
    """A published (or calibrated) set for one cell line: the line itself and the drug's effect.

    ``lasting_*``: in a share of patients the count that feedback aims at drifts down while the drug
    is given.
    """

    base: UncertainQuantity
    maturation: UncertainQuantity
    feedback: UncertainQuantity
    slope: UncertainQuantity
    lasting_share: UncertainQuantity | None = None
    lasting_left: UncertainQuantity | None = None
    lasting_rate: UncertainQuantity | None = None
    lasting_switch: UncertainQuantity | None = None

    @property
    def is_lasting(self) -> bool:
        """Whether the count drifts in some patients."""
        return self.lasting_share is not None


class OnLung(FactModel):
    """Interstitial lung disease: who gets it and when, in time on treatment, and how bad.

    ``grade_*`` are the shares of grades among cases (grade 1 is the rest); ``level`` is the usual
    mean concentration, in proportion to which the hazard is.
    """

    share: UncertainQuantity
    median: UncertainQuantity
    onset_spread: UncertainQuantity
    level: UncertainQuantity
    switch: UncertainQuantity
    duration: UncertainQuantity
    grade_2: UncertainQuantity
    grade_3: UncertainQuantity
    grade_4: UncertainQuantity
    grade_5: UncertainQuantity


class GradedEvent(Claim):
    """An adverse event of which incidence, onset and duration are published, and no course.

    ``worst`` are shares of patients by worst grade, from grade 1 on. An episode begins after
    ``onset_day`` on treatment (median of those who have it), lasts ``duration_day``, and comes
    again after each ``every_day`` if that is given. ``given_with`` names what is taken against it;
    with ``route`` it is one of that route only.
    """

    name: Literal[
        "diarrhoea", "nausea", "fatigue", "infusion_reaction", "transaminase", "neuropathy"
    ]
    given_with: str | None = None
    route: Literal["iv", "sc", "oral"] | None = None
    worst: tuple[float, ...] = Field(min_length=1, max_length=5)
    onset_day: float = Field(gt=0)
    onset_spread: float = Field(default=0.7, gt=0)
    duration_day: float = Field(gt=0)
    every_day: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _is_a_distribution(self) -> GradedEvent:
        if min(self.worst) < 0 or sum(self.worst) > 1:
            raise ValueError("worst: shares from 0, 1 at most together")
        return self


class Toxicity(FactFile):
    """What is known of the toxicity of a drug."""

    drug: str
    heart: OnHeart | None = None
    blood: dict[Line, OnBlood] = Field(default_factory=dict)
    lung: OnLung | None = None
    graded: tuple[GradedEvent, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether anything of it is modelled."""
        return bool(self.heart or self.blood or self.lung or self.graded)

    def graded_events(self, given_with: tuple[str, ...] = ()) -> tuple[GradedEvent, ...]:
        """One row for each adverse event: that with the measure taken, else that without."""
        found: dict[str, GradedEvent] = {}
        for event in self.graded:
            if event.given_with is None:
                found.setdefault(event.name, event)
            elif event.given_with in given_with:
                found[event.name] = event
        return tuple(found.values())


@cache
def load_toxicity(name: str) -> Toxicity:
    """The toxicity of a drug; empty if nothing is known of it."""
    drug = load_drug(name)
    path = files("her2sim.drugs").joinpath(drug.substance or drug.id, "toxicity.toml")
    if not path.is_file():
        return Toxicity(drug=drug.id)
    found = read_fact_file(path, Toxicity)
    routes = {None, next(iter(drug.regimen.values())).route}  # that of its usual regimen
    own = tuple(event for event in found.graded if event.route in routes)
    return found.model_copy(update={"graded": own})
