"""What tests and the history told of tumours: of one patient or of many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Mask, Positions
from her2sim.errors import DataError, did_you_mean
from her2sim.facts import NumberFile, read_fact_file
from her2sim.models.assembly import tag_of
from her2sim.patients.covariates import EARLIER_DRUGS
from her2sim.patients.earlier_drugs import earlier_drug_ids
from her2sim.patients.her2_test import Ihc

Genotype = Literal["VV", "VF", "FF"]
AMPLIFIED_BY = {"positive": True, "negative": False}
"""Whether the gene is amplified by the result of a test; another result tells nothing."""
GENOTYPES: tuple[Genotype, ...] = ("VV", "VF", "FF")
_AFTER = "_after_"


@cache
def tumour_facts() -> NumberFile:
    """The numbers that come with her2sim."""
    return read_fact_file(files("her2sim.biology").joinpath("tumour.toml"), NumberFile)


@cache
def after_effects() -> Mapping[str, tuple[str, str]]:
    """What a drug that was given before changes: names of numbers, with what changes and the drug.

    Both are tags: ``own_growth`` or that of a drug, and that of the drug before.
    """
    found = {}
    for name in tumour_facts().parameter:
        if _AFTER in name:
            what, _, before = name.partition(_AFTER)
            found[name] = (what, before)
    return found


@dataclass(frozen=True, eq=False)
class KnownTumours:
    """What is known of the tumour of each patient, shape (n,); None is drawn from prevalences.

    ``earlier_drugs`` tells by tag who had a drug before, in any setting (None: as the cohort
    tells); ``is_retested`` whose HER2 was found positive again after the last drug against it;
    for the others see :class:`TumourProfile`.
    """

    ihc: NDArray[np.str_]
    is_amplified: Mask
    earlier_lines: Positions
    earlier_drugs: Mapping[str, Mask] | None = None
    pik3ca: Mask | None = None
    genotype: NDArray[np.str_] | None = None
    is_heterogeneous: Mask | None = None
    is_er_positive: Mask | None = None
    share_l: Array | None = None
    is_pd_l1_positive: Mask | None = None
    is_retested: Mask | None = None


@dataclass(frozen=True)
class TumourProfile:
    """What is known of the tumours; what is not (None) is drawn from prevalences.

    ``earlier_lines`` is the number of lines of treatment before for metastatic disease, and -1 for
    early disease. ``is_amplified`` is what in situ hybridisation told; without it, tumours of 2+
    and 3+ are amplified and others are not. ``earlier_drugs`` were given before, in any setting
    (None: as the cohort tells). ``is_pd_l1_positive`` is a combined positive score of 1 or more.
    """

    ihc: Ihc = "3+"
    is_amplified: bool | None = None
    pik3ca: bool | None = None
    genotype: Genotype | None = None
    is_heterogeneous: bool | None = None
    is_er_positive: bool | None = None
    share_l: float | None = None
    earlier_lines: int = 0
    earlier_drugs: tuple[str, ...] | None = None
    is_pd_l1_positive: bool | None = None

    def __post_init__(self) -> None:
        if self.share_l is not None and not 0 < self.share_l < 1:
            raise DataError(f"share of HER2-low cells {self.share_l:g}: use 0 to 1, both left out")
        if self.genotype is not None and self.genotype not in GENOTYPES:
            hint = did_you_mean(self.genotype, GENOTYPES)
            raise DataError(f"unknown FcgRIIIa genotype {self.genotype!r}{hint}")
        if self.earlier_lines < -1:
            raise DataError(f"{self.earlier_lines} lines before: use -1 (early disease), 0 or more")
        if self.earlier_drugs is not None:
            object.__setattr__(self, "earlier_drugs", earlier_drug_ids(self.earlier_drugs))

    @property
    def amplified(self) -> bool:
        """Whether the gene is amplified, as told or as the score lets one expect."""
        if self.is_amplified is None:
            return bool(amplified_by_score(np.array([self.ihc]))[0])
        return self.is_amplified

    def of(self, n: int) -> KnownTumours:
        """The same of n patients."""

        def each(value: bool | float | str | None) -> Any:
            return None if value is None else np.full(n, value)

        had: dict[str, Mask] | None = None
        if self.earlier_drugs is not None:
            had = {tag_of(d): np.full(n, d in self.earlier_drugs) for d in EARLIER_DRUGS}
        return KnownTumours(
            np.full(n, self.ihc), np.full(n, self.amplified), np.full(n, self.earlier_lines), had,
            each(self.pik3ca), each(self.genotype), each(self.is_heterogeneous),
            each(self.is_er_positive), each(self.share_l), each(self.is_pd_l1_positive),
        )  # fmt: skip


def amplified_by_score(ihc: NDArray[np.str_]) -> Mask:
    """Whether tumours of some scores are taken as amplified where no test of the gene tells."""
    return np.isin(ihc, ("2+", "3+"))
