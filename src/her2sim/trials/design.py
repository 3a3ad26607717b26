"""How a trial takes its patients in, looks at them, and follows them."""

from __future__ import annotations

from pydantic import Field, model_validator

from her2sim.facts import Claim, FactModel, Quantity
from her2sim.patients.population import Share


class Began(Claim):
    """The year of the first patient."""

    year: int = Field(ge=1980, le=2100, title="year")


class Pace(Claim):
    """Every so many weeks, until a week (or to the end)."""

    every_week: float = Field(gt=0, title="weeks between two")
    until_week: float | None = Field(
        default=None, gt=0, title="until week", description="nothing: to the end"
    )


class Design(FactModel):
    """How patients come in, how long they are followed, and how many are lost.

    ``accrual`` is the time in which they come in, evenly; ``follow_up`` that from the last one to
    the data cut; ``lost`` the share that drops out of observation in a year. ``began`` is the year
    of the first patient, where times after progression depend on it.
    """

    began: Began | None = Field(default=None, title="year of the first patient")
    accrual: Quantity = Field(title="time of enrolment", description="all patients come in evenly")
    follow_up: Quantity = Field(
        title="follow-up", description="from the last patient to the data cut"
    )
    lost: Share = Field(title="lost in a year", description="share that drops out of observation")

    @model_validator(mode="after")
    def _are_times(self) -> Design:
        for name, least in (("accrual", 0.0), ("follow_up", 0.1)):
            months = getattr(self, name).to("month")
            if not least <= months <= 180:
                raise ValueError(f"{name} of {months:g} months: use {least:g} to 180")
        return self

    @property
    def began_year(self) -> int | None:
        """The year of the first patient; None where it is not told."""
        return None if self.began is None else self.began.year
