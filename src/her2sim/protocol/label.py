"""The label of a drug as rows: what holds, resumes, lowers and stops it, and what is monitored."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from her2sim.drugs.drug import load_drug
from her2sim.errors import DataError
from her2sim.facts import Claim, FactFile, read_fact_file
from her2sim.patients.covariates import Setting
from her2sim.protocol.conditions import Condition, parse_condition
from her2sim.protocol.label_row import LabelRow
from her2sim.protocol.ladder import Ladder, level_shares
from her2sim.protocol.monitoring import Monitoring

Region = Literal["us", "eu"]
REGIONS: tuple[Region, ...] = ("us", "eu")


CONDITIONS = (
    "hold_when",
    "resume_when",
    "one_down_when",
    "stop_when",
    "stop_held_when",
)


class Rule(LabelRow):
    """A row of a label: conditions, and what they do to the drug.

    A hold lasts until ``resume_when`` holds at a recheck, not before ``min_hold_days``; the drug
    then goes on at the same level, or one down (always, ``one_down_when``, or from hold number
    ``one_down_from_hold`` of this rule on). It stops when
    ``stop_when`` holds, or ``stop_held_when`` at a recheck, when a hold lasts to ``max_hold_days``
    without resuming, or at hold number ``max_holds`` + 1. A rule that is not confirmed acts with
    caution and is counted apart.
    """

    id: str
    toxicity: str
    setting: Setting | None = None
    hold_when: str | None = None
    resume_when: str | None = None
    resume_level: Literal["same", "one_down"] = "same"
    one_down_when: str | None = None
    one_down_from_hold: int | None = Field(default=None, ge=1)
    stop_when: str | None = None
    stop_held_when: str | None = None
    min_hold_days: float = Field(default=0.0, ge=0)
    recheck_days: float | None = Field(default=None, gt=0)
    max_hold_days: float | None = Field(default=None, gt=0)
    max_holds: int | None = Field(default=None, ge=0)
    ctcae: str | None = None

    @field_validator(*CONDITIONS)
    @classmethod
    def _can_be_read(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                parse_condition(text)
            except DataError as error:
                raise ValueError(str(error)) from None
        return text

    def condition(self, name: str) -> Condition | None:
        """One of its conditions, parsed."""
        text: str | None = getattr(self, name)
        return None if text is None else parse_condition(text)

    def variables(self) -> tuple[str, ...]:
        """What has to be known to apply the rule."""
        found = [c for n in CONDITIONS if (c := self.condition(n)) is not None]
        return tuple(dict.fromkeys(v for condition in found for v in condition.variables))


class Reload(LabelRow):
    """When a late dose is a loading dose again."""

    when: str

    @field_validator("when")
    @classmethod
    def _can_be_read(cls, text: str) -> str:
        parse_condition(text)
        return text


class Partner(LabelRow):
    """What happens to a drug when another of the regimen is held or stopped."""

    drug: str
    if_held: Literal["hold", "go on"] = "go on"
    if_stopped: Literal["stop", "go on"] = "go on"


class AfterLastDose(LabelRow):
    """What is kept up after the last dose, and for how long."""

    what: Literal[
        "contraception, women",
        "contraception, men",
        "no breastfeeding",
        "no anthracycline, if possible",
    ]
    months: int | None = Field(default=None, gt=0)
    weeks: int | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _has_one_length(self) -> AfterLastDose:
        if (self.months is None) == (self.weeks is None):
            raise ValueError("give months or weeks")
        return self


CONCERNS_WOMEN = {
    "contraception, women": True,
    "contraception, men": False,
    "no breastfeeding": True,
}
"""What concerns women only (true) or men only (false); all else concerns both."""


class Premedication(LabelRow):
    """What is taken before or with a drug, and when."""

    what: tuple[str, ...] = Field(min_length=1)
    when: str


class NotEncoded(Claim):
    """A row of the label that no rule carries, and why."""

    row: str
    why: str


class Label(FactFile):
    """What the label of a drug says in one region."""

    drug: str
    region: Region
    dated: str
    ladder: tuple[Ladder, ...] = ()
    rule: tuple[Rule, ...] = ()
    reload: Reload | None = None
    partner: tuple[Partner, ...] = ()
    premedication: tuple[Premedication, ...] = ()
    monitoring: tuple[Monitoring, ...] = ()
    after_last_dose: tuple[AfterLastDose, ...] = ()
    not_encoded: tuple[NotEncoded, ...] = ()

    def rows(self) -> Iterator[LabelRow]:
        """All its rows but those that no rule carries."""
        yield from (*self.ladder, *self.rule, *self.partner, *self.premedication)
        yield from (*self.monitoring, *self.after_last_dose)
        if self.reload is not None:
            yield self.reload

    def level_shares(
        self, amount: float, unit: str, given_with: Collection[str] = ()
    ) -> tuple[float, ...]:
        """Dose levels of a course as shares of its full dose, the first being 1 (`level_shares`).

        Parameters
        ----------
        amount, unit : the full dose of the regimen
        given_with : other drugs of the course
        """
        return level_shares(self.ladder, amount, unit, given_with)

    def is_reload(self, days_late: Any, days_since_dose: Any) -> NDArray[np.bool_]:
        """Whether a dose that comes late is a loading dose again (never without such a row).

        Parameters
        ----------
        days_late : days since the dose was due, a number or an array
        days_since_dose : days since the last dose, of the same shape
        """
        clocks = {
            "days_late": np.asarray(days_late),
            "days_since_dose": np.asarray(days_since_dose),
        }
        if self.reload is None:
            return np.zeros(clocks["days_late"].shape, dtype=bool)
        return np.asarray(parse_condition(self.reload.when).holds(clocks, {}))

    def rules_for(self, setting: Setting, with_unconfirmed: bool = True) -> tuple[Rule, ...]:
        """Rules of a setting; those that were not confirmed only if wanted."""
        return tuple(
            rule
            for rule in self.rule
            if rule.setting in (None, setting) and (rule.is_confirmed or with_unconfirmed)
        )


@cache
def load_label(drug: str, region: Region) -> Label | None:
    """The label of a drug in a region; None if her2sim has no rows of it."""
    known = load_drug(drug)
    for name in (known.id, known.substance or known.id):
        path = files("her2sim.drugs").joinpath(name, f"label_{region}.toml")
        if path.is_file():
            return read_fact_file(path, Label)
    return None
