"""Which regimens are labelled for a patient, and which are not, for which reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from her2sim.patients.her2_specimens import Her2Findings
from her2sim.patients.her2_status import Her2Status
from her2sim.patients.her2_table import STEP_TEXT, Guideline
from her2sim.patients.patient import HISTORY, Patient
from her2sim.protocol.label import Region
from her2sim.regimens.library import Indication, NamedRegimen, named_regimens

BREAST_GUIDELINE: dict[Region, Guideline] = {"us": "asco-cap", "eu": "eu-label"}


@dataclass(frozen=True)
class Verdict:
    """Labelled or not labelled: never advice."""

    regimen: str
    title: str
    labelled: bool
    reasons: tuple[str, ...]
    dated: str | None
    source: str | None


def eligible_regimens(patient: Patient, region: Region = "us") -> tuple[Her2Status, list[Verdict]]:
    """Status of a patient's tumour, and every named regimen: labelled first, then the others.

    A regimen is labelled if one of its indications in the region fits in all points. Otherwise the
    reasons are those of the indication that lacks least.
    """
    guideline = BREAST_GUIDELINE[region] if patient.tumour == "breast" else None
    her2 = patient.her2(guideline)
    verdicts = [_verdict(r, patient, her2, region) for r in named_regimens().values()]
    return her2.status, sorted(verdicts, key=lambda v: (not v.labelled, v.regimen))


def verdict_on(patient: Patient, regimen: str, region: Region) -> Verdict | None:
    """Verdict on the regimen of a name; None if it is no named regimen."""
    return next((v for v in eligible_regimens(patient, region)[1] if v.regimen == regimen), None)


def label_text(verdict: Verdict | None, region: Region) -> str:
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
    regimen: NamedRegimen, patient: Patient, her2: Her2Findings, region: Region
) -> Verdict:
    rows = [row for row in regimen.indication if row.region == region]
    if not rows:
        why = f"no indication of it in the {region} labels was read"
        return Verdict(regimen.id, regimen.title, False, (why,), None, None)
    lacking = [(tuple(_lacks(row, patient, her2)), row) for row in rows]
    reasons, row = min(lacking, key=lambda pair: len(pair[0]))
    source = regimen.source_text(row.source or "")
    return Verdict(regimen.id, regimen.title, not reasons, reasons, row.dated, source)


def _lacks(row: Indication, patient: Patient, her2: Her2Findings) -> Iterator[str]:
    """What a patient lacks for an indication."""
    if row.tumour != patient.tumour:
        yield f"it is for {row.tumour} cancer"
    if row.setting != patient.setting:
        yield f"it is for {row.setting} disease"
    if not her2.found & set(row.her2):
        yield f"HER2 must be {' or '.join(row.her2)}; it is {_shown(her2.status)}"
    for need in row.needs:
        if need not in patient.history:
            yield f"not told: {HISTORY[need]}"
    if patient.anti_her2_regimens_metastatic < row.prior_regimens_min:
        yield (
            f"at least {row.prior_regimens_min} anti-HER2 regimens for metastatic disease are "
            f"needed; there were {patient.anti_her2_regimens_metastatic}"
        )


def _shown(status: Her2Status) -> str:
    text: str = status.status
    if status.category not in ("none", status.status):
        text += f" ({status.category})"
    return text if status.next_step is None else f"{text}, {STEP_TEXT[status.next_step]}"


def eligibility_dict(status: Her2Status, verdicts: list[Verdict], region: Region) -> dict[str, Any]:
    """The answer as plain data, for JSON."""
    return {
        "region": region,
        "her2": status.as_dict(),
        "regimens": [
            {
                "regimen": v.regimen,
                "title": v.title,
                "label": "labelled" if v.labelled else "not labelled",
                "reasons": list(v.reasons),
                "dated": v.dated,
                "source": v.source,
            }
            for v in verdicts
        ],
    }
