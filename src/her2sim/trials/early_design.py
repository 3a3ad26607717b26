"""What a trial of early disease adds: tumours at entry, surgery, the clock, and what comes next."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from her2sim.early.run import When
from her2sim.errors import Her2SimError
from her2sim.facts import Claim, FactModel
from her2sim.pk.combination import load_combination
from her2sim.regimens.dose import MINUTES_PER_DAY
from her2sim.trials.shares import Shares

NODE_CLASSES = {"0": (0, 0), "1-3": (1, 3), "4+": (4, 20)}
"""Classes of positive nodes, with the numbers that they stand for."""


LATEST_WEEK = 260.0
"""Last week of surgery, randomisation and the clock: five years."""
MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY


class TumourSize(Claim):
    """Sizes of primary tumours: log-normal, within limits."""

    median_mm: float = Field(ge=1, le=200, title="median, mm")
    spread: float = Field(gt=0, le=2, title="spread", description="SD of the logarithm")
    low_mm: float = Field(ge=0.5, le=200, title="least, mm")
    high_mm: float = Field(ge=1, le=200, title="largest, mm")

    @model_validator(mode="after")
    def _is_a_range(self) -> TumourSize:
        if not self.low_mm < self.median_mm < self.high_mm:
            raise ValueError("median_mm must lie between low_mm and high_mm")
        return self


class Nodes(Shares):
    """How many patients have no, one to three, or four and more positive nodes."""

    @field_validator("shares")
    @classmethod
    def _are_classes(cls, shares: dict[str, float]) -> dict[str, float]:
        wrong = [key for key in shares if key not in NODE_CLASSES]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: the classes are {', '.join(NODE_CLASSES)}")
        return shares


class Given(FactModel):
    """A regimen, and what part of the patients gets it."""

    name: str = Field(
        title="regimen", description="by name, or written out: trastuzumab+docetaxel*6"
    )
    share: float = Field(default=1.0, gt=0, le=1, title="share of patients", description="0 to 1")

    @field_validator("name")
    @classmethod
    def _exists(cls, name: str) -> str:
        try:
            load_combination(name)
        except Her2SimError as error:
            raise ValueError(str(error)) from None
        return name


class Next(Given):
    """What follows surgery in an arm, by the response, from a week after the start on."""

    when: When = Field(default="all", title="after which response")
    week: float = Field(gt=0, title="from week", description="counted from the first dose")

    @model_validator(mode="after")
    def _is_for_all(self) -> Next:
        if self.share != 1.0:
            raise ValueError("share: all with this response get it; leave it out")
        return self


class EarlyDesign(Claim):
    """Times of a trial of early disease, in weeks from the first dose of all.

    ``before`` was given before randomisation, which is at ``randomised_week``; the regimens of arms
    begin there. ``surgery_week`` is that of surgery after neoadjuvant treatment; without it,
    surgery came before all. Curves count from ``clock_week`` (randomisation if not told), for
    patients without relapse then and, where ``takes`` says so, with or without residual disease.
    """

    before: tuple[Given, ...] = Field(default=(), title="before randomisation")
    randomised_week: float = Field(default=0.0, ge=0, le=LATEST_WEEK, title="randomised in week")
    surgery_week: float | None = Field(
        default=None,
        gt=0,
        le=LATEST_WEEK,
        title="surgery in week",
        description="nothing: before all treatment",
    )
    clock_week: float | None = Field(
        default=None,
        ge=0,
        le=LATEST_WEEK,
        title="curves count from week",
        description="nothing: randomisation",
    )
    takes: When = Field(
        default="all", title="who is taken", description="by the response at surgery"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> EarlyDesign:
        faults = []
        if self.before and not self.randomised_week:
            faults.append("before needs randomised_week: when the regimens of the arms begin")
        if self.before and abs(sum(part.share for part in self.before) - 1) > 1e-6:
            faults.append("the shares of before must add up to 1")
        if self.randomised_week and not self.before:
            faults.append("randomised_week needs before: what is given until then")
        if self.takes != "all" and self.surgery_week is None:
            faults.append("takes needs surgery_week: only surgery tells the response")
        elif self.takes != "all" and min(self.clock, self.randomised_week) < self.surgery:
            faults.append("takes: patients are chosen at surgery; randomise and count after it")
        if self.clock < self.randomised_week:
            faults.append("clock_week comes before randomised_week: nobody is in the trial yet")
        faults += [
            f"before: {part.name} goes on after randomised_week"
            for part in self.before
            if self._ends_week(part) > self.randomised_week
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @staticmethod
    def _ends_week(given: Given) -> float:
        """Week of the last planned dose."""
        end_min = round(LATEST_WEEK * MINUTES_PER_WEEK)
        return max(
            max(phase.times_min(end_min), default=0) / MINUTES_PER_WEEK
            for treatment in load_combination(given.name).treatments
            for phase in treatment.regimen.phases
        )

    @property
    def surgery(self) -> float:
        """Week of surgery after treatment; 0 without."""
        return self.surgery_week or 0.0

    @property
    def clock(self) -> float:
        """Week from which curves count."""
        return self.randomised_week if self.clock_week is None else self.clock_week
