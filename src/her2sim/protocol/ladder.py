"""Dose levels: which a course has, by its start and by what is given with it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from pydantic import Field, field_validator

from her2sim.protocol.label_row import LabelRow


class Ladder(LabelRow):
    """Amounts of a dose from the full one down; below the last the drug stops.

    The unit ``%`` is a share of whatever a course started with. ``with_drug``: the ladder of a
    course in which that drug (any form of it) is given too.
    """

    amounts: tuple[float, ...] = Field(min_length=1)
    unit: Literal["mg", "mg/kg", "mg/m2", "%"]
    with_drug: str | None = None

    @field_validator("amounts")
    @classmethod
    def _goes_down(cls, amounts: tuple[float, ...]) -> tuple[float, ...]:
        if list(amounts) != sorted(set(amounts), reverse=True) or amounts[-1] <= 0:
            raise ValueError("amounts go down, and stay above zero")
        return amounts

    def text(self) -> str:
        """The amounts in words."""
        amounts = ", ".join(f"{amount:g}" for amount in self.amounts)
        of = " of the first dose" if self.unit == "%" else ""
        return f"{amounts} {self.unit}{of}" + (f" with {self.with_drug}" if self.with_drug else "")

    def shares_from(self, place: int = 0) -> tuple[float, ...]:
        """Shares of one of its amounts, of that and all below."""
        return tuple(amount / self.amounts[place] for amount in self.amounts[place:])


def level_shares(
    ladders: Sequence[Ladder], amount: float, unit: str, given_with: Collection[str] = ()
) -> tuple[float, ...]:
    """Dose levels of a course as shares of its full dose, the first being 1.

    The ladder is the first that starts with the amount, or holds it further down (the course
    goes on from there); ladders of a partner in the course come first. A course of another
    amount takes the shares of the first ladder of the label.

    Parameters
    ----------
    ladders : of a label
    amount, unit : the full dose of the regimen
    given_with : other drugs of the course
    """
    of_partners = [row for row in ladders if row.with_drug in given_with]
    alone = [row for row in ladders if row.with_drug is None]
    for own in (of_partners, alone):
        named = [row for row in own if row.unit == unit and amount in row.amounts]
        named.sort(key=lambda row: row.amounts.index(amount))
        if named:
            return named[0].shares_from(named[0].amounts.index(amount))
    usual = (*of_partners, *alone)[:1]
    return usual[0].shares_from() if usual else (1.0,)
