"""HER2 status of a tumour, and the regimens that are labelled for a patient."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from her2sim.api.arguments import Day, checked
from her2sim.api.patients import patient_of
from her2sim.api.result import Answer, typed_frame, with_notice
from her2sim.api.sources import cited
from her2sim.patients.her2_status import Guideline
from her2sim.patients.her2_test import Ihc, Tumour
from her2sim.patients.patient import Patient
from her2sim.protocol.label import Region

if TYPE_CHECKING:
    import datetime

    import polars as pl
    from rich.table import Table

    from her2sim.patients.her2_status import Her2Status
    from her2sim.protocol.eligibility import Verdict


@dataclass(frozen=True, eq=False, repr=False)
class TumourStatus(Answer):
    """HER2 status of a tumour by a guideline."""

    status: Her2Status

    @property
    def notes(self) -> tuple[str, ...]:
        """What the guideline adds to the status."""
        return () if self.status.note is None else (self.status.note,)

    def heading(self) -> str:
        """Status, and the category that labels of low expression ask for."""
        from her2sim.report.protocol_tables import status_text

        return status_text(self.status)

    def tables(self) -> tuple[Table, ...]:
        """How the status came about."""
        from her2sim.report.protocol_tables import status_table

        return (status_table(self.status),)

    def frame(self) -> pl.DataFrame:
        """The status in one row."""
        from her2sim.patients.her2_status import Her2Status

        return typed_frame(Her2Status, [self.status])

    def sources(self) -> pl.DataFrame:
        """The guideline and the place in it."""
        return cited([(self.status.guideline, self.status.rule_id, self.status.source)])

    def as_dict(self) -> dict[str, Any]:
        """The status as plain data, for JSON."""
        return with_notice(self.status.as_dict())


@dataclass(frozen=True, eq=False, repr=False)
class Eligible(Answer):
    """Named regimens that are labelled for a patient, and those that are not."""

    status: Her2Status
    verdicts: tuple[Verdict, ...]
    region: Region
    date: datetime.date | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What such a list is, and how far it reaches."""
        from her2sim.regimens.indication import LAST_READ

        return (
            "It says what labels say as of their date, never what to give.",
            f"The texts were read last on {LAST_READ.isoformat()}; later approvals are not known.",
        )

    def heading(self) -> str:
        """HER2 status and region."""
        from her2sim.report.protocol_tables import status_text

        rule, of = self.status.rule_id, "" if self.date is None else f" of {self.date.isoformat()}"
        return f"{status_text(self.status)} by rule {rule}; {self.region.upper()} labels{of}"

    def tables(self) -> tuple[Table, ...]:
        """Labelled regimens first, then the others with the reasons."""
        from her2sim.report.protocol_tables import eligibility_table

        return (eligibility_table(self.verdicts),)

    def frame(self) -> pl.DataFrame:
        """One row a regimen."""
        from her2sim.protocol.eligibility import Verdict

        return typed_frame(Verdict, self.verdicts)

    def sources(self) -> pl.DataFrame:
        """The guideline of the status, and the labels."""
        labels = [(v.regimen, v.dated or "", v.source) for v in self.verdicts if v.source]
        status = (self.status.guideline, self.status.rule_id, self.status.source)
        return cited([status, *labels])

    def as_dict(self) -> dict[str, Any]:
        """The answer as plain data, for JSON."""
        from her2sim.protocol.eligibility import eligibility_dict

        told = eligibility_dict(self.status, list(self.verdicts), self.region, self.date)
        return with_notice(told)


@checked
def status(
    tumour: Tumour = "breast",
    *,
    ihc: Ihc | None = None,
    stain: Literal["none", "faint"] | None = None,
    percent: float | None = None,
    ratio: float | None = None,
    copies: float | None = None,
    ish: Literal["positive", "negative"] | None = None,
    specimen: Literal["biopsy", "resection"] | None = None,
    mutation: str | None = None,
    is_recounted: bool = False,
    guideline: Guideline = "asco-cap",
) -> TumourStatus:
    """HER2 status of a tumour by the guideline's rows.

    Parameters
    ----------
    tumour : ``breast``, ``gastric``, ``colorectal``, ``biliary``, ``lung`` or ``other``
    ihc : IHC score; ``stain`` is the staining behind a score of 0, ``percent`` the share of tumour
        cells with the scored staining
    ratio, copies : HER2/CEP17 ratio of dual-probe ISH, mean HER2 copies a cell
    ish : ISH result in words, in place of the numbers
    specimen : what was stained (gastric cancer)
    mutation : HER2 mutation (lung cancer), or ``none``
    is_recounted : whether the counts are a blinded recount
    guideline : for breast cancer

    Raises
    ------
    DataError
        If the report contradicts itself or lacks what the guideline needs, with all faults.
    """
    from her2sim.patients.her2_status import interpret
    from her2sim.patients.her2_test import Her2Test

    test = Her2Test(
        tumour=tumour, ihc=ihc, stain=stain, percent=percent, ratio=ratio, copies=copies, ish=ish,
        specimen=specimen, mutation=mutation, is_recounted=is_recounted,
    )  # fmt: skip
    return TumourStatus(interpret(test, guideline))


@checked
def eligible(
    patient: Patient | Path | str, region: Region = "us", *, date: Day | None = None
) -> Eligible:
    """Regimens that are labelled for a patient (a TOML file), and those that are not.

    Parameters
    ----------
    patient : a TOML file
    region : whose labels
    date : asks what was labelled on that day; without it, what is labelled now

    Raises
    ------
    DataError
        With all faults of the file, or if the date is after the texts were read.
    """
    from her2sim.protocol.eligibility import eligible_regimens

    found, verdicts = eligible_regimens(patient_of(patient), region, date)
    return Eligible(found, tuple(verdicts), region, date)
