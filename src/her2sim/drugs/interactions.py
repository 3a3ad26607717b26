"""What changes the exposure of a drug by a published fold: co-medication, food, liver, kidney."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from her2sim.drugs.drug import Drug
from her2sim.drugs.pk import PkModel
from her2sim.errors import DataError, Faults, did_you_mean
from her2sim.facts import Claim, FactFile, read_fact_file

Kind = Literal["co-medication", "food", "hepatic", "renal"]
CARRIERS = {
    "clearance": ("cl", "vmax"),
    "bioavailability": ("f",),
    "payload clearance": ("cl_payload",),
}
"""Parameters of the models that carry a change."""

WORDS = {"co-medication": "with", "food": "food", "hepatic": "hepatic", "renal": "renal"}
"""How each kind is asked for."""
ONE_OF_A_KIND: tuple[Kind, ...] = ("food", "hepatic", "renal")
"""Kinds of which a patient has one at most."""


class Interaction(Claim):
    """A published change of the AUC.

    ``fold`` is the AUC with over the AUC without; ``low`` and ``high`` its interval. ``acts_on``
    says what carries it in the model: clearances are divided by the fold, the bioavailability is
    multiplied. Rows without a number have no ``fold``: asked for by name, they are refused with
    what was printed; in a regimen of several drugs ``if_together`` decides. ``stands_for`` names
    the class of medicines that the row speaks for where none of their own is known.
    ``is_avoided`` is true where the advice is not to take both.
    ``is_confirmed`` is false while the source has not been found again.
    """

    kind: Kind
    name: str
    stands_for: str | None = None
    if_together: Literal["carry out", "refuse"] = "carry out"
    acts_on: Literal["clearance", "bioavailability", "payload clearance"]
    fold: float | None = Field(default=None, gt=0)
    low: float | None = Field(default=None, gt=0)
    high: float | None = Field(default=None, gt=0)
    printed: str
    action: str
    is_avoided: bool = False
    is_confirmed: bool = True

    def carriers(self, parameters: Iterable[str]) -> list[str]:
        """Those of some parameters that carry the change."""
        return [name for name in parameters if name in CARRIERS[self.acts_on]]

    def require_carrier(self, pk: PkModel) -> None:
        """Refuse a model that has nothing to carry the change."""
        if not self.carriers(pk.parameter):
            raise DataError(f"{pk.name} has no {self.acts_on}, which {self.name} acts on")

    def factor(self) -> float:
        """What the parameter is multiplied with."""
        assert self.fold is not None
        return self.fold if self.acts_on == "bioavailability" else 1 / self.fold

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
        called = [text.casefold() for text in (row.name, row.stands_for) if text]
        if name.casefold() in called:
            if row.fold is None:
                raise DataError(
                    f"{WORDS[kind]} {name}: no number is published for {drug}; what is printed: "
                    f"{row.printed} (advice: {row.action})"
                )
            return row
    names = [row.name for row in known]
    hint = did_you_mean(name, names) if names else "; none is known"
    raise DataError(f"{WORDS[kind]} {name}: nothing is published of it for {drug}{hint}")


def chosen_interactions(drug: str, asked: Sequence[tuple[Kind, str]]) -> tuple[Interaction, ...]:
    """Interactions that were asked for by kind and name, each once.

    Raises
    ------
    DataError
        With all that is not known, is asked for twice, or excludes another.
    """
    faults, found = Faults(f"what changes {drug}"), dict[tuple[Kind, str], Interaction]()
    for kind, name in asked:
        try:
            row = find_interaction(drug, kind, name)
        except DataError as error:
            faults.add(str(error))
            continue
        if (kind, row.name) in found:
            faults.add(f"{WORDS[kind]} {name}: is given twice")
        found[kind, row.name] = row
    for kind in ONE_OF_A_KIND:
        names = [name for of, name in found if of == kind]
        if len(names) > 1:
            faults.add(f"{WORDS[kind]} {', '.join(names)}: a patient has one of them")
    faults.raise_if_any(DataError)
    return tuple(found.values())


def apply_interactions(
    parameters: dict[str, NDArray[np.float64]], rows: Sequence[Interaction]
) -> dict[str, NDArray[np.float64]]:
    """Parameters with all changes; several multiply (which is an assumption)."""
    changed = dict(parameters)
    for row in rows:
        for name in row.carriers(parameters):
            changed[name] = changed[name] * row.factor()
    return changed


def interaction_notes(drug: str, rows: Sequence[Interaction]) -> Iterator[str]:
    """What a reader must know of the changes."""
    file = interactions_of(drug)
    for row in rows:
        yield row.text(file.source_text(row.source or ""))
    if len(rows) > 1:
        yield "Several changes are multiplied; nothing was published of them together."


def interactions_together(
    victim: Drug, others: Sequence[Drug]
) -> tuple[tuple[Interaction, ...], tuple[str, ...]]:
    """What the other drugs of a regimen do to one of them, and what a reader must know of it.

    A row that names the other drug is used; if there is none, one that stands for its class; if
    there is none, nothing is changed, and a note says that no data were found.

    Raises
    ------
    DataError
        If the fact file says that the combination is not to be carried out.
    """
    acting, remarks, unknown = [], [], []
    for other in others:
        found = _row_for(victim, other)
        pair = f"{other.id} on {victim.id}"
        if found is None:
            unknown.append(other.id)
            continue
        row, source, is_own = found
        if row.fold is None and row.if_together == "refuse":
            raise DataError(f"{pair}: not carried out; {row.printed} (advice: {row.action})")
        if row.fold is None:
            remarks.append(f"{pair}: no number is published, none is simulated; {row.printed}.")
        elif row.fold == 1.0:
            remarks.append(f"{pair}: no change [{source}].")
        else:
            basis = "" if is_own else f" (as a {row.stands_for}, measured with {row.name})"
            remarks.append(f"{pair}{basis}: {row.text(source)}")
            acting.append(row)
    if unknown:
        pairs = f"{', '.join(unknown)} on {victim.id}"
        remarks.append(f"{pairs}: no data on an interaction are known; none is simulated.")
    if len(acting) > 1:
        remarks.append(f"On {victim.id} several changes are multiplied, which is an assumption.")
    return tuple(acting), tuple(remarks)


def _row_for(victim: Drug, other: Drug) -> tuple[Interaction, str, bool] | None:
    """The row that tells what one drug does to another, its source, and whether it names it."""
    names = {name.casefold() for name in (other.id, other.substance or other.id, *other.aliases)}
    of_class = None
    for drug in dict.fromkeys((victim.id, victim.substance or victim.id)):
        file = interactions_of(drug)
        for row in (row for row in file.interaction if row.kind == "co-medication"):
            source = file.source_text(row.source or "")
            if row.name.casefold() in names:
                return row, source, True
            if row.stands_for in other.acts_as and of_class is None:
                of_class = row, source, False
    return of_class
