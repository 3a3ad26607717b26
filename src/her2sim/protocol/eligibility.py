"""Which regimens are labelled for a patient, and which are not, for which reason."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from her2sim.errors import DataError
from her2sim.patients.her2_specimens import Her2Findings
from her2sim.patients.her2_status import Her2Status
from her2sim.patients.her2_table import STEP_TEXT, Guideline
from her2sim.patients.history import HISTORY
from her2sim.patients.patient import Patient
from her2sim.regimens.indication import LAST_READ, Indication, LabelRegion
from her2sim.regimens.library import NamedRegimen, named_regimens

BREAST_GUIDELINE: dict[LabelRegion, Guideline] = {
    "us": "asco-cap", "eu": "eu-label", "cn": "asco-cap",
}  # fmt: skip
"""By whose guideline a breast tumour is read; that of China was not read."""


HER2_WORDS = {"ihc2": "2+ or 3+ in IHC"}


@dataclass(frozen=True)
class Verdict:
    """Labelled or not labelled: never advice."""

    regimen: str
    title: str
    labelled: bool
    reasons: tuple[str, ...]
    dated: str | None
    source: str | None
    note: str | None = None


def eligible_regimens(
    patient: Patient, region: LabelRegion = "us", day: datetime.date | None = None
) -> tuple[Her2Status, list[Verdict]]:
    """Status of a patient's tumour, and every named regimen: labelled first, then the others.

    A regimen is labelled if one of its indications in the region fits in all points. Otherwise the
    reasons are those of the indication that lacks least; of two alike the one that fits the HER2
    status, and then the one that holds, counts.
    ``day`` asks what was labelled then; without it the answer is of the texts as they were read
    last.

    Raises
    ------
    DataError
        If the day is after the texts were read: what is labelled then is not known.
    """
    if day is not None and day > LAST_READ:
        raise DataError(
            f"date {day.isoformat()}: the indications were read last on {LAST_READ.isoformat()}, "
            "and what is labelled later is not known; give a date up to then"
        )
    her2 = her2_findings(patient, region)
    verdicts = [_verdict(r, patient, her2, region, day) for r in named_regimens().values()]
    return her2.status, sorted(verdicts, key=lambda v: (not v.labelled, v.regimen))


def verdict_on(patient: Patient, regimen: str, region: LabelRegion) -> Verdict | None:
    """Verdict on the regimen of a name; None if it is no named regimen."""
    named = named_regimens().get(regimen)
    if named is None:
        return None
    return _verdict(named, patient, her2_findings(patient, region), region, None)


def her2_findings(patient: Patient, region: LabelRegion) -> Her2Findings:
    """What the tests of a patient say by the guideline of a region."""
    return patient.her2(BREAST_GUIDELINE[region] if patient.tumour == "breast" else None)


def label_text(verdict: Verdict | None, region: LabelRegion) -> str:
    """A verdict in words, with its date or its reasons."""
    if verdict is None:
        return "not a named regimen"
    if verdict.labelled:
        return f"labelled ({region.upper()}, {verdict.dated})"
    return f"not labelled ({region.upper()}): {'; '.join(verdict.reasons)}"


def label_dict(verdict: Verdict | None) -> dict[str, Any]:
    """A verdict as plain data, for JSON; ``labelled`` is None where no regimen has the name."""
    return {
        "labelled": None if verdict is None else verdict.labelled,
        "reasons": [] if verdict is None else list(verdict.reasons),
        "dated": None if verdict is None else verdict.dated,
        "source": None if verdict is None else verdict.source,
    }


def _verdict(
    regimen: NamedRegimen,
    patient: Patient,
    her2: Her2Findings,
    region: LabelRegion,
    day: datetime.date | None,
) -> Verdict:
    rows = [row for row in regimen.indication if row.region == region]
    if not rows:
        why = f"no indication of it in the {region} labels was read"
        return Verdict(regimen.id, regimen.title, False, (why,), None, None)
    lacking = [(tuple(_lacks(row, patient, her2, day)), row) for row in rows]
    reasons, row = min(
        lacking,
        key=lambda pair: (
            len(pair[0]), not her2.found & set(pair[1].her2), not pair[1].holds_on(day)
        ),
    )  # fmt: skip
    source = regimen.source_text(row.source or "")
    note = "; ".join(text for text in (*_judged(row, patient), row.note) if text) or None
    return Verdict(regimen.id, regimen.title, not reasons, reasons, row.dated, source, note)


def _judged(row: Indication, patient: Patient) -> Iterator[str]:
    """What the label leaves to judgement, unless it is told."""
    for name in row.judged:
        if name not in patient.told:
            yield f"the label asks too, by judgement: {HISTORY[name]}"


def _lacks(
    row: Indication, patient: Patient, her2: Her2Findings, day: datetime.date | None
) -> Iterator[str]:
    """What a patient lacks for an indication."""
    if not row.holds_on(day):
        yield f"labelled {row.dated}; asked for {'now' if day is None else day.isoformat()}"
    if not row.is_for(patient.tumour):
        yield f"it is for {' or '.join(row.tumours)} cancer"
    if row.setting != patient.setting:
        yield f"it is for {row.setting} disease"
    if not her2.found & set(row.her2):
        wanted = " or ".join(HER2_WORDS.get(one, one) for one in row.her2)
        yield f"HER2 must be {wanted}; it is {_shown(her2.status)}"
    yield from _lacks_of_history(row, patient)
    yield from _lacks_of_regimens(row, patient)


def _lacks_of_history(row: Indication, patient: Patient) -> Iterator[str]:
    told = patient.told
    for need in row.needs:
        if need not in told:
            yield f"not told: {HISTORY[need]}"
    for group in row.one_of:
        if not told.intersection(group):
            yield f"not told, one of: {'; '.join(HISTORY[name] for name in group)}"
    for name in row.unless:
        if name in told:
            yield f"it is not for patients of whom is told: {HISTORY[name]}"


def _lacks_of_regimens(row: Indication, patient: Patient) -> Iterator[str]:
    for least, were, where in (
        (row.prior_regimens_min, patient.anti_her2_regimens_metastatic, "for metastatic disease"),
        (row.prior_regimens_any_min, patient.anti_her2_regimens, "in any setting"),
    ):
        if were < least:
            yield f"at least {least} anti-HER2 regimens {where} are needed; there were {were}"


def _shown(status: Her2Status) -> str:
    text: str = status.status
    if status.category not in ("none", status.status):
        text += f" ({status.category})"
    return text if status.next_step is None else f"{text}, {STEP_TEXT[status.next_step]}"


def eligibility_dict(
    status: Her2Status,
    verdicts: list[Verdict],
    region: LabelRegion,
    day: datetime.date | None = None,
) -> dict[str, Any]:
    """The answer as plain data, for JSON."""
    return {
        "region": region,
        "date": None if day is None else day.isoformat(),
        "her2": status.as_dict(),
        "regimens": [
            {
                "regimen": v.regimen,
                "title": v.title,
                "label": "labelled" if v.labelled else "not labelled",
                "reasons": list(v.reasons),
                "dated": v.dated,
                "source": v.source,
                "note": v.note,
            }
            for v in verdicts
        ],
    }
