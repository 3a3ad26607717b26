"""What a laboratory reported on one specimen, as a patient file tells it."""

from __future__ import annotations

import datetime
from typing import Any, Literal

from pydantic import field_validator, model_validator

from her2sim.errors import DataError
from her2sim.facts import FactModel
from her2sim.patients.her2_test import (
    Her2Test,
    Ihc,
    Ish,
    SpecimenKind,
    Stain,
    Tumour,
    scores_of,
)

Site = Literal[
    "primary", "local recurrence", "metastasis",
    "liver", "lung", "bone", "brain", "skin", "peritoneum", "distant lymph node",
]  # fmt: skip
"""Where a specimen is from; all but the first two are metastases."""
LOCAL = ("primary", "local recurrence")


class Her2Report(FactModel):
    """What the laboratory reported on one specimen, as a patient file tells it.

    ``ihc`` is a score or a range of scores (``1+ to 2+``); ``date``, ``site``, ``specimen`` and
    ``decalcified`` say which specimen it is.
    """

    date: datetime.date | None = None
    site: Site | None = None
    specimen: SpecimenKind | None = None
    decalcified: bool | Literal["edta", "acid", "unknown"] = False
    ihc: str | None = None
    stain: Stain | None = None
    percent: float | None = None
    cluster_cells: float | None = None
    ratio: float | None = None
    copies: float | None = None
    ish: Ish | None = None
    mutation: str | None = None
    recounted: bool = False

    @field_validator("ihc", mode="before")
    @classmethod
    def _is_score(cls, told: Any) -> Any:
        if isinstance(told, int) and not isinstance(told, bool):
            told = str(told)
        if isinstance(told, str):
            try:
                scores_of(told)
            except DataError as error:
                raise ValueError(str(error).removeprefix("ihc: ")) from None
        return told

    @model_validator(mode="before")
    @classmethod
    def _is_counted(cls, told: Any) -> Any:
        for name in ("ratio", "copies"):
            if isinstance(told, dict) and isinstance(value := told.get(name), str):
                raise ValueError(
                    f"{name} {value!r} is no number; where signals lie in clusters or were not "
                    'counted, give what the laboratory concluded: ish = "positive", "negative" or '
                    '"equivocal"'
                )
        return told

    @model_validator(mode="after")
    def _has_one_stain(self) -> Her2Report:
        if self.stain == "none" and self.ihc is not None and scores_of(self.ihc)[1] == "faint":
            raise ValueError(f"ihc {self.ihc} tells of faint staining, stain of none")
        return self

    def tests(self, tumour: Tumour) -> tuple[Her2Test, ...]:
        """The tests that the report may stand for: one for each score of its range.

        Raises
        ------
        DataError
            If it lacks what decides in this tumour.
        """
        scores: tuple[Ihc | None, ...] = (None,)
        stain = self.stain
        if self.ihc is not None:
            scores, told = scores_of(self.ihc)
            stain = stain or told
        several = len(scores) > 1
        return tuple(
            Her2Test(
                tumour,
                ihc=ihc,
                stain=None if several and ihc != "0" else stain,
                percent=None if several and ihc == "0" else self.percent,
                cluster_cells=self.cluster_cells,
                ratio=self.ratio,
                copies=self.copies,
                ish=self.ish,
                specimen=self.specimen,
                mutation=self.mutation,
                is_recounted=self.recounted,
            )
            for ihc in scores
        )

    @property
    def is_metastasis(self) -> bool:
        """Whether it is told to be from a metastasis."""
        return self.site is not None and self.site not in LOCAL

    @property
    def is_spoilt(self) -> bool:
        """Whether decalcification leaves no valid result."""
        return self.decalcified in (True, "acid", "unknown")

    def in_words(self) -> str:
        """Which specimen it is; empty if nothing of that is told."""
        told = [self.site, self.specimen, self.date and self.date.isoformat()]
        if self.decalcified:
            how = {True: "decalcified", "unknown": "decalcified"}
            told.append(how.get(self.decalcified, f"in {self.decalcified}"))
        return ", ".join(text for text in told if text)
