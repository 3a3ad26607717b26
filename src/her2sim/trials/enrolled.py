"""Whom a trial takes: HER2 scores, earlier lines and drugs, and what its population is like."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, field_validator, model_validator

from her2sim.arrays import Array
from her2sim.biology.tumour_profile import amplified_by_score
from her2sim.errors import DataError, Her2SimError
from her2sim.facts import FactModel, Quantity
from her2sim.patients.earlier_drugs import earlier_drug_ids
from her2sim.patients.her2_test import Ihc
from her2sim.patients.population import Share, load_population
from her2sim.trials.early_design import Nodes, TumourSize
from her2sim.trials.shares import Shares


class Her2Shares(Shares):
    """How many patients have which IHC score.

    ``amplified`` tells the result of in situ hybridisation, for all or as the share of each score
    with amplification; without it, 2+ and 3+ are amplified.
    """

    shares: dict[Ihc, float] = Field(
        min_length=1, title="share of each IHC score", description="3+ = 0.9, 2+ = 0.1; together 1"
    )  # type: ignore[assignment]
    amplified: bool | dict[Ihc, float] | None = Field(
        default=None,
        title="amplified",
        description="in situ hybridisation of all; usual: 2+ and 3+ are",
    )

    @model_validator(mode="after")
    def _tell_each_score(self) -> Her2Shares:
        if isinstance(self.amplified, dict):
            other = sorted({*self.shares} ^ {*self.amplified})
            if other or not all(0 <= share <= 1 for share in self.amplified.values()):
                raise ValueError("amplified: give the share of each score, 0 to 1, and no others")
        return self

    def chance_amplified(self, ihc: NDArray[np.str_]) -> Array:
        """The probability of amplification of tumours of some scores."""
        if isinstance(self.amplified, dict):
            scores, shares = zip(*self.amplified.items(), strict=True)
            found: Array = np.select([ihc == score for score in scores], shares, 0.0)
            return found
        if self.amplified is None:
            return amplified_by_score(ihc).astype(np.float64)
        return np.full(ihc.shape, float(self.amplified))

    def amplified_share(self) -> float:
        """The share of all patients with amplification."""
        chance = self.chance_amplified(np.array([*self.shares]))
        return float(chance @ np.array([*self.shares.values()]))


class Lines(Shares):
    """How many patients had how many earlier lines of treatment for metastatic disease."""

    @field_validator("shares")
    @classmethod
    def _are_numbers(cls, shares: dict[str, float]) -> dict[str, float]:
        wrong = [key for key in shares if not key.isdigit() or int(key) > 10]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: write the number of earlier lines, 0 to 10")
        return shares


def _by_substance(drugs: dict[str, Share]) -> dict[str, Share]:
    """Shares by substance, whatever name the file has for it."""
    found: dict[str, Share] = {}
    for name, share in drugs.items():
        try:
            substances = earlier_drug_ids([name])
        except DataError as error:
            raise ValueError(str(error)) from None
        twice = [one for one in substances if one in found]
        if twice:
            raise ValueError(f"{name}: the share of {', '.join(twice)} is told twice; keep one")
        found |= dict.fromkeys(substances, share)
    return found


EarlierDrugs = Annotated[dict[str, Share], AfterValidator(_by_substance)]
"""What share of the patients had a drug before, in any setting."""


class Enrolled(FactModel):
    """Whom the trial takes.

    ``base`` is a population by name, or the path of one of your own; ``her2`` the IHC scores,
    ``earlier_lines`` how far treated they are (not in early disease), ``earlier_drugs`` what they
    had before in any setting, ``retested`` whose HER2 was found positive again after drugs against
    it, ``pd_l1_positive`` who has a combined positive score of 1 or more, ``heterogeneous`` whose
    tumour has areas with little HER2. ``asian``,
    ``after_anthracycline`` and, in early disease, ``tumour_mm``, ``nodes`` and
    ``locally_advanced`` replace what the population has; ``lvef_median`` and
    ``lvef_least`` are the median LVEF and the lowest with which a patient is taken.
    """

    base: str = Field(title="population", description="by name")
    her2: Her2Shares = Field(title="HER2 scores")
    earlier_lines: Lines | None = Field(
        default=None,
        title="earlier lines",
        description="share with 0, 1, 2 ... lines for metastatic disease",
    )
    earlier_drugs: EarlierDrugs | None = Field(
        default=None, title="earlier drugs", description="share that had each, in any setting"
    )
    retested: Share | None = Field(
        default=None,
        title="HER2 found again",
        description="share tested again after drugs against HER2",
    )
    pd_l1_positive: Share | None = Field(
        default=None,
        title="PD-L1 positive",
        description="share with a combined positive score of 1 or more",
    )
    heterogeneous: Share | None = Field(
        default=None,
        title="heterogeneous",
        description="share whose tumour has areas with little HER2",
    )
    asian: Share | None = Field(default=None, title="Asian")
    er_positive: Share | None = Field(default=None, title="ER positive")
    after_anthracycline: Share | None = Field(default=None, title="anthracycline before")
    tumour_mm: TumourSize | None = Field(
        default=None, title="size of the primary tumour", description="early disease"
    )
    nodes: Nodes | None = Field(default=None, title="positive nodes", description="early disease")
    locally_advanced: Share | None = Field(
        default=None, title="locally advanced", description="early disease"
    )
    lvef_median: Quantity | None = Field(default=None, title="LVEF, median")
    lvef_least: Quantity | None = Field(default=None, title="LVEF, least at entry")

    @field_validator("lvef_median", "lvef_least")
    @classmethod
    def _is_in_percent(cls, told: Quantity | None) -> Quantity | None:
        if told is not None and (told.unit != "%" or not 20 <= told.value <= 80):
            raise ValueError(f"{told.value:g} {told.unit}: an LVEF is 20 to 80 %")
        return told

    @field_validator("base")
    @classmethod
    def _exists(cls, base: str) -> str:
        try:
            load_population(base)
        except Her2SimError as error:
            raise ValueError(str(error)) from None
        return base
