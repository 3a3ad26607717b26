"""HER2 status of a tumour, and the regimens that are labelled for a patient."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from her2sim.api.arguments import Day, checked
from her2sim.api.patients import patient_of
from her2sim.api.result import Answer, typed_frame, with_notice
from her2sim.api.sources import cited
from her2sim.errors import DataError
from her2sim.patients.her2_table import Guideline
from her2sim.patients.her2_test import Ish, SpecimenKind, Stain, Tumour
from her2sim.patients.patient import Patient
from her2sim.regimens.indication import LabelRegion

if TYPE_CHECKING:
    import datetime

    import polars as pl
    from rich.table import Table

    from her2sim.patients.her2_status import Her2Status
    from her2sim.protocol.eligibility import Verdict


def _notes_of(status: Her2Status) -> tuple[str, ...]:
    """Each specimen, and what the guideline adds."""
    return (*status.specimens, *(() if status.note is None else (status.note,)))


@dataclass(frozen=True, eq=False, repr=False)
class TumourStatus(Answer):
    """HER2 status of a tumour by a guideline."""

    status: Her2Status

    @property
    def notes(self) -> tuple[str, ...]:
        """What the guideline adds to the status."""
        return _notes_of(self.status)

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


OF_CHINA = (
    "Of China only drugs that no other region has were read: other regimens may be labelled there."
)


@dataclass(frozen=True, eq=False, repr=False)
class Eligible(Answer):
    """Named regimens that are labelled for a patient, and those that are not."""

    status: Her2Status
    verdicts: tuple[Verdict, ...]
    region: LabelRegion
    date: datetime.date | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What such a list is, how far it reaches, and what the guideline adds to the status."""
        from her2sim.regimens.indication import LAST_READ

        return (
            *_notes_of(self.status),
            "It says what labels say as of their date, never what to give.",
            f"The texts were read last on {LAST_READ.isoformat()}; later approvals are not known.",
            *((OF_CHINA,) if self.region == "cn" else ()),
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
    tumour: Tumour | None = None,
    *,
    patient: Patient | Path | str | None = None,
    ihc: str | None = None,
    stain: Stain | None = None,
    percent: float | None = None,
    cluster_cells: float | None = None,
    ratio: float | None = None,
    copies: float | None = None,
    ish: Ish | None = None,
    specimen: SpecimenKind | None = None,
    decalcified: Literal["edta", "acid", "unknown"] | None = None,
    mutation: str | None = None,
    is_recounted: bool = False,
    guideline: Guideline | None = None,
) -> TumourStatus:
    """HER2 status of a tumour by the guideline's rows, from one specimen or a patient's file.

    Parameters
    ----------
    tumour : ``breast`` (if not told), ``gastric``, ``colorectal``, ``biliary``, ``lung`` or
        ``other``
    patient : a patient, or the TOML file of one, in place of all but ``guideline``: all specimens
        that it tells of
    ihc : IHC score, or a range of scores (``1+ to 2+``); ``stain`` is the staining behind a score
        of 0, ``percent`` the share of tumour cells with the scored staining, ``cluster_cells``
        the number of stained cells that lie together (biopsies of gastric cancer)
    ratio, copies : HER2/CEP17 ratio of dual-probe ISH, mean HER2 copies a cell
    ish : ISH result in words, in place of the numbers
    specimen : ``biopsy`` or ``resection``
    decalcified : with what bone was decalcified, ``unknown`` if that is not known
    mutation : HER2 mutation (lung cancer), or ``none``
    is_recounted : whether the counts are a blinded recount
    guideline : where there are several (breast and colorectal cancer); the usual one if not given

    Raises
    ------
    DataError
        If the report contradicts itself or lacks what the guideline needs, with all faults.
    """
    from her2sim.facts import checked_facts
    from her2sim.patients.her2_report import Her2Report
    from her2sim.patients.her2_specimens import read_reports

    told: dict[str, Any] = {
        "ihc": ihc, "stain": stain, "percent": percent, "cluster_cells": cluster_cells,
        "ratio": ratio, "copies": copies, "ish": ish, "specimen": specimen, "mutation": mutation,
        "recounted": is_recounted, "decalcified": decalcified or False,
    }  # fmt: skip
    if patient is not None:
        given = [name for name, value in told.items() if value not in (None, False)]
        if tumour is not None or given:
            raise DataError("the patient's file tells of the HER2 test: leave the others out")
        return TumourStatus(patient_of(patient).her2(guideline).status)
    report = checked_facts(told, Her2Report, "HER2 test")
    return TumourStatus(read_reports([report], tumour or "breast", guideline=guideline).status)


@checked
def eligible(
    patient: Patient | Path | str, region: LabelRegion = "us", *, date: Day | None = None
) -> Eligible:
    """Regimens that are labelled for a patient (a TOML file), and those that are not.

    Parameters
    ----------
    patient : a TOML file
    region : whose labels; of China (cn) those of drugs that are licensed there alone
    date : asks what was labelled on that day; without it, what is labelled now

    Raises
    ------
    DataError
        With all faults of the file, or if the date is after the texts were read.
    """
    from her2sim.protocol.eligibility import eligible_regimens

    found, verdicts = eligible_regimens(patient_of(patient), region, date)
    return Eligible(found, tuple(verdicts), region, date)
