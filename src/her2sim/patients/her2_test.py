"""What a HER2 test reported: scores, ratios and copies, before anybody interprets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from her2sim.errors import DataError, Faults

Tumour = Literal["breast", "gastric", "colorectal", "biliary", "lung", "other"]
Ihc = Literal["0", "1+", "2+", "3+"]
TUMOURS: tuple[Tumour, ...] = ("breast", "gastric", "colorectal", "biliary", "lung", "other")
IHC: tuple[Ihc, ...] = ("0", "1+", "2+", "3+")
NO_MUTATION = "none"
HIGHEST_RATIO, HIGHEST_COPIES = 50.0, 100.0
"""No laboratory reports more; such a number is taken for a slip."""


@dataclass(frozen=True)
class Her2Test:
    """The report of a laboratory on one specimen.

    ``percent`` is the share of tumour cells with the staining that was scored, ``ratio`` HER2 over
    CEP17, ``copies`` mean HER2 signals a cell; ``ish`` is a result that was reported in words
    only. ``is_recounted``: the numbers are those of a second, blinded count.
    """

    tumour: Tumour
    ihc: Ihc | None = None
    stain: Literal["none", "faint"] | None = None
    percent: float | None = None
    ratio: float | None = None
    copies: float | None = None
    ish: Literal["positive", "negative"] | None = None
    specimen: Literal["biopsy", "resection"] | None = None
    mutation: str | None = None
    is_recounted: bool = False

    def __post_init__(self) -> None:
        faults = Faults("HER2 test")
        limits = {
            "percent": (self.percent, 0.0, 100.0),
            "ratio": (self.ratio, 0.0, HIGHEST_RATIO),
            "copies": (self.copies, 0.0, HIGHEST_COPIES),
        }
        for name, (value, low, high) in limits.items():
            if value is not None and not low <= value <= high:
                faults.add(f"{name} {value:g} is outside {low:g} to {high:g}")
        if self.ish is not None and not self.ratio is self.copies is None:
            faults.add("give the ISH result in words or in numbers, not both")
        if self.tumour == "lung":
            if self.mutation is None:
                faults.add("in lung cancer a mutation decides; give it, or none")
        elif self.mutation is not None:
            faults.add(f"a mutation does not decide in {self.tumour} cancer; leave it out")
        elif self.ihc is None and self.ish is None and self.ratio is self.copies is None:
            faults.add("nothing was tested: give the IHC score, the ISH result, or both")
        if self.ihc is None and (self.stain is not None or self.percent is not None):
            faults.add("staining and percent belong to an IHC score, which is not given")
        if self.is_recounted and self.ratio is self.copies is None:
            faults.add("a recount is of ratio and copies, which are not given")
        faults.raise_if_any(DataError)
