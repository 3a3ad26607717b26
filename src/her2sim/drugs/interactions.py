"""What changes the exposure of a drug by a published fold: co-medication, food, liver, kidney."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from her2sim.errors import DataError, did_you_mean
from her2sim.facts import Claim, FactFile, read_fact_file

Kind = Literal["co-medication", "food", "hepatic", "renal"]
OPTION = {"co-medication": "--with", "food": "--food", "hepatic": "--hepatic", "renal": "--renal"}


class Interaction(Claim):
    """A published change of the AUC.

    ``fold`` is the AUC with over the AUC without; ``low`` and ``high`` its interval. ``acts_on``
    says which parameter carries it in the model: a clearance is divided by the fold, the
    bioavailability ``f`` multiplied. Rows without a number have no ``fold``: they are refused with
    what was printed. ``is_confirmed`` is false while the source has not been found again.
    """

    kind: Kind
    name: str
    acts_on: str
    fold: float | None = Field(default=None, gt=0)
    low: float | None = Field(default=None, gt=0)
    high: float | None = Field(default=None, gt=0)
    printed: str
    action: str
    is_confirmed: bool = True

    def factor(self) -> float:
        """What the parameter is multiplied with."""
        assert self.fold is not None
        return self.fold if self.acts_on == "f" else 1 / self.fold

    def text(self, source: str) -> str:
        """The change in words, with its source."""
        interval = f" ({self.low:g} to {self.high:g})" if self.low and self.high else ""
        doubt = "" if self.is_confirmed else "; SOURCE NOT CONFIRMED"
        return (
            f"{self.kind} {self.name}: AUC x {self.fold:g}{interval}, carried by {self.acts_on}; "
            f"label or study advice: {self.action} [{source}{doubt}]"
        )


class InteractionFile(FactFile):
    """All interactions of a drug."""

    interaction: tuple[Interaction, ...] = ()


@cache
def interactions_of(drug: str) -> InteractionFile:
    """Interactions of a drug (its id); none if it has no file."""
    path = files("her2sim.drugs").joinpath(drug, "interactions.toml")
    return read_fact_file(path, InteractionFile) if path.is_file() else InteractionFile()


def find_interaction(drug: str, kind: Kind, name: str) -> Interaction:
    """Look an interaction up.

    Raises
    ------
    DataError
        If no number was published: a combination without data is refused, never ignored.
    """
    known = [row for row in interactions_of(drug).interaction if row.kind == kind]
    for row in known:
        if row.name.casefold() == name.casefold():
            if row.fold is None:
                raise DataError(
                    f"{OPTION[kind]} {name}: no number is published for {drug}; what is printed: "
                    f"{row.printed} (advice: {row.action})"
                )
            return row
    names = [row.name for row in known]
    hint = did_you_mean(name, names) if names else "; none is known"
    raise DataError(f"{OPTION[kind]} {name}: nothing is published of it for {drug}{hint}")


def apply_interactions(
    parameters: dict[str, NDArray[np.float64]], rows: Sequence[Interaction]
) -> dict[str, NDArray[np.float64]]:
    """Parameters with all changes; several multiply (which is an assumption)."""
    changed = dict(parameters)
    for row in rows:
        changed[row.acts_on] = changed[row.acts_on] * row.factor()
    return changed


def interaction_notes(drug: str, rows: Sequence[Interaction]) -> Iterator[str]:
    """What a reader must know of the changes."""
    file = interactions_of(drug)
    for row in rows:
        yield row.text(file.source_text(row.source or ""))
    if len(rows) > 1:
        yield "Several changes are multiplied; nothing was published of them together."
