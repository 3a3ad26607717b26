"""What a HER2 test reported: scores, ratios and copies, before anybody interprets them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from her2sim.errors import DataError, Faults

Tumour = Literal["breast", "gastric", "colorectal", "biliary", "lung", "other"]
Ihc = Literal["0", "1+", "2+", "3+"]
Stain = Literal["none", "faint"]
Ish = Literal["positive", "negative", "equivocal"]
SpecimenKind = Literal["biopsy", "resection"]
TUMOURS: tuple[Tumour, ...] = ("breast", "gastric", "colorectal", "biliary", "lung", "other")
IHC: tuple[Ihc, ...] = ("0", "1+", "2+", "3+")
NO_MUTATION = "none"
HIGHEST_RATIO, HIGHEST_COPIES = 50.0, 100.0
"""No laboratory reports more; such a number is taken for a slip."""
HIGHEST_CELLS = 1e6
CLUSTER = 5
"""Stained cells together that count in a biopsy of gastric cancer."""
_SCORE = r"(0\+|[0-3])\s*\+?"
_RANGE = re.compile(rf"^{_SCORE}(?:\s*(?:to|-|\u2013|/|or|and)\s*{_SCORE})?$")


@dataclass(frozen=True)
class Her2Test:
    """The report of a laboratory on one specimen.

    ``percent`` is the share of tumour cells with the staining that was scored, ``cluster_cells``
    the number of stained cells that lie together in a biopsy, ``ratio`` HER2 over CEP17,
    ``copies`` mean HER2 signals a cell; ``ish`` is a result that was reported in words only.
    ``is_recounted``: the numbers are those of a second, blinded count.
    """

    tumour: Tumour
    ihc: Ihc | None = None
    stain: Stain | None = None
    percent: float | None = None
    cluster_cells: float | None = None
    ratio: float | None = None
    copies: float | None = None
    ish: Ish | None = None
    specimen: SpecimenKind | None = None
    mutation: str | None = None
    is_recounted: bool = False

    def __post_init__(self) -> None:
        faults = Faults("HER2 test")
        limits = {
            "percent": (self.percent, 0.0, 100.0),
            "cluster_cells": (self.cluster_cells, 0.0, HIGHEST_CELLS),
            "ratio": (self.ratio, 0.0, HIGHEST_RATIO),
            "copies": (self.copies, 0.0, HIGHEST_COPIES),
        }
        for name, (value, low, high) in limits.items():
            if value is not None and not low <= value <= high:
                faults.add(f"{name} {value:g} is outside {low:g} to {high:g}")
        if self.ish is not None and not self.ratio is self.copies is None:
            faults.add("give the ISH result in words or in numbers, not both")
        if self.tumour == "lung":
            if self.mutation is self.ihc is None:
                faults.add("in lung cancer a mutation decides; give it, or none, or the IHC score")
        elif self.mutation is not None:
            faults.add(f"a mutation does not decide in {self.tumour} cancer; leave it out")
        elif self.ihc is None and self.ish is None and self.ratio is self.copies is None:
            faults.add("nothing was tested: give the IHC score, the ISH result, or both")
        of_a_score = (self.stain, self.percent, self.cluster_cells)
        if self.ihc is None and any(told is not None for told in of_a_score):
            faults.add("staining, percent and clusters belong to an IHC score, which is not given")
        if self.cluster_cells is not None and (
            self.tumour != "gastric" or self.specimen == "resection"
        ):
            faults.add("clusters count in biopsies of gastric cancer only; leave cluster_cells out")
        if self.ihc not in (None, "0") and self.percent == 0:
            faults.add(f"IHC {self.ihc} with 0 % of the cells: a score above 0 needs stained cells")
        if self.ihc == "0" and (self.cluster_cells or 0) >= CLUSTER:
            faults.add(
                f"IHC 0 with a cluster of {self.cluster_cells:g} stained cells: 5 are scored"
            )
        if self.is_recounted and self.ratio is self.copies is None:
            faults.add("a recount is of ratio and copies, which are not given")
        faults.raise_if_any(DataError)

    @property
    def seen_stain(self) -> Stain | None:
        """Staining behind a score of 0: as told, or as the share of stained cells says."""
        if self.stain is not None or self.ihc != "0" or self.percent is None:
            return self.stain
        return "faint" if self.percent > 0 else "none"

    def in_words(self) -> str:
        """What was reported, in one line."""
        told = [f"IHC {self.ihc}"] if self.ihc is not None else []
        told += [f"stain {self.stain}"] if self.stain is not None else []
        told += [f"{self.percent:g} % of the cells"] if self.percent is not None else []
        told += [f"cluster of {self.cluster_cells:g}"] if self.cluster_cells is not None else []
        told += [f"ratio {self.ratio:g}"] if self.ratio is not None else []
        told += [f"{self.copies:g} copies"] if self.copies is not None else []
        told += [f"ISH {self.ish}"] if self.ish is not None else []
        told += [f"mutation {self.mutation}"] if self.mutation is not None else []
        return ", ".join(told)


def scores_of(text: str) -> tuple[tuple[Ihc, ...], Stain | None]:
    """The IHC scores that a report names, from low to high, and the staining that ``0+`` tells of.

    >>> scores_of("1+ to 2+")
    (('1+', '2+'), None)
    >>> scores_of("0+")
    (('0',), 'faint')

    Raises
    ------
    DataError
        If it is neither a score nor a range of scores.
    """
    plain = re.sub(r"^(her2|ihc|score|[ :=])+", "", text.strip().casefold()).strip()
    found = _RANGE.match(plain)
    if found is None:
        raise DataError(
            f"ihc: {text!r} is no score; write 0, 0+, 1+, 2+ or 3+, or a range as in 1+ to 2+"
        )
    told = [one for one in found.groups() if one is not None]
    low, high = int(told[0][0]), int(told[-1][0])
    if low > high:
        raise DataError(f"ihc: {text!r} goes down; write the lower score first")
    is_faint = told == ["0+"] or (len(told) > 1 and set(told) == {"0+"})
    return IHC[low : high + 1], "faint" if is_faint else None
