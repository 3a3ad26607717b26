"""For whom a label names a regimen, and since when."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from her2sim.errors import did_you_mean
from her2sim.facts import Claim
from her2sim.patients.her2_test import Tumour
from her2sim.patients.history import HISTORY

LAST_READ = datetime.date(2026, 11, 29)
"""Day on which the texts of the indications were read last."""
DATE_NOT_KNOWN = "date not known, listed for every date"
_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


def first_day(text: str) -> datetime.date:
    """The day of an ISO date, or the first that a year or a month can mean.

    >>> first_day("2022-05")
    datetime.date(2022, 5, 1)
    """
    found = _DAY.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no date; write 2022-08-05, 2022-08 or 2022")
    year, month, day = (int(part or 1) for part in found.groups())
    return datetime.date(year, month, day)


LabelRegion = Literal["us", "eu", "cn"]
"""Whose labels name regimens; of China only those of drugs that are licensed there alone."""


class Indication(Claim):
    """For whom a label names a regimen, in one region and from one date on.

    ``tumour`` may be ``any``, or several. ``her2`` lists what fits: a status or category,
    ``ihc2`` (2+ or 3+, whatever in situ hybridisation says), ``ihc3`` or ``mutation``. Facts of
    the history are asked in three ways: all ``needs``, at least one of each group in
    ``one_of``, and none of ``unless``; ``judged`` are left to the judgement of those who treat:
    they are named with the verdict, and nobody is refused for want of them.
    ``prior_regimens_min`` counts anti-HER2 regimens for metastatic disease,
    ``prior_regimens_any_min`` those in any setting. ``since`` is a day, a month or a year,
    whatever was read, and ``until`` the day on which another indication took its place;
    ``since_is`` tells an approval from the day of a report or of the agency's opinion.
    """

    region: LabelRegion
    tumour: Tumour | Literal["any"] | tuple[Tumour, ...]
    setting: Literal["early", "metastatic"]
    her2: tuple[Literal["positive", "low", "ultralow", "ihc2", "ihc3", "mutation"], ...]
    needs: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    unless: tuple[str, ...] = ()
    judged: tuple[str, ...] = ()
    prior_regimens_min: int = Field(default=0, ge=0)
    prior_regimens_any_min: int = Field(default=0, ge=0)
    since: str | None = None
    since_is: Literal["approval", "announced", "opinion"] = "approval"
    until: str | None = None

    @model_validator(mode="after")
    def _is_possible(self) -> Indication:
        asked = (
            *self.needs,
            *self.unless,
            *self.judged,
            *(name for group in self.one_of for name in group),
        )
        faults = [
            f"unknown need {n!r}{did_you_mean(n, HISTORY)}" for n in asked if n not in HISTORY
        ]
        faults += self._faults_of_dates()
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _faults_of_dates(self) -> Iterator[str]:
        days = []
        for name in ("since", "until"):
            try:
                days += [first_day(text)] if (text := getattr(self, name)) else []
            except ValueError as error:
                yield f"{name}: {error}"
        if self.until and (not self.since or days != sorted(days)):
            yield "until: needs an earlier since"

    def is_for(self, tumour: str) -> bool:
        """Whether it names a tumour."""
        return self.tumour == "any" or tumour in self.tumours

    @property
    def tumours(self) -> tuple[str, ...]:
        """Tumours that it names; none if it is for any."""
        if isinstance(self.tumour, tuple):
            return self.tumour
        return () if self.tumour == "any" else (self.tumour,)

    def holds_on(self, day: datetime.date | None) -> bool:
        """Whether it was labelled on a day; None asks what is labelled now."""
        if day is None:
            return self.until is None
        begun = self.since is None or first_day(self.since) <= day
        return begun and (self.until is None or day < first_day(self.until))

    @property
    def dated(self) -> str:
        """Since when it is labelled, in words, with what is not known of the date."""
        if self.since is None:
            return DATE_NOT_KNOWN
        text = f"since {self.since}" if self.until is None else f"from {self.since} to {self.until}"
        if self.since_is == "opinion":
            return f"{text}, the agency's opinion; the date of the decision is not known"
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", self.since):
            return f"{text}, day not known"
        return text if self.since_is == "approval" else f"{text}, as announced"
