"""One patient as a file tells it: tumour, HER2 test, history and body."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from her2sim.errors import DataError, did_you_mean
from her2sim.facts import FactFile, FactModel, read_fact_file
from her2sim.patients.cardiac_risk import risk_table
from her2sim.patients.cohort import Cohort
from her2sim.patients.contradictions import body_contradictions, contradictions
from her2sim.patients.covariates import COVARIATES, WHOLE, Setting, with_derived
from her2sim.patients.earlier_drugs import earlier_drug_ids
from her2sim.patients.her2_report import Her2Report
from her2sim.patients.her2_specimens import Her2Findings, read_reports
from her2sim.patients.her2_table import Guideline
from her2sim.patients.her2_test import Tumour
from her2sim.patients.history import EARLY_ANTI_HER2, HISTORY, with_what_follows
from her2sim.units import outside_text


class Biology(FactModel):
    """Test results of the tumour and the patient beside HER2; what is not told is drawn."""

    pik3ca: bool | None = None
    fcgr3a: Literal["VV", "VF", "FF"] | None = None
    her2_heterogeneous: bool | None = None


def _one_or_several(schema: dict[str, Any]) -> None:
    """The JSON schema of a list that may be told as its one element."""
    several = dict(schema)
    schema.clear()
    schema["anyOf"] = [several["items"], several]


class Patient(FactFile):
    """A patient file: tumour, setting, HER2 test, history, heart and body.

    ``her2_test`` is the report of one specimen, or of several. ``history`` lists facts that labels
    ask for, ``anti_her2_regimens_metastatic`` and ``_early`` count anti-HER2 regimens by the
    disease that they were given for, ``earlier_drugs`` are those given before that change how later
    ones act, ``heart`` factors of cardiovascular risk; ``lvef_percent`` is the baseline; ``body``
    has characteristics of the register, each named with its unit.
    """

    tumour: Tumour
    setting: Setting
    her2_test: tuple[Her2Report, ...] = Field(json_schema_extra=_one_or_several)
    history: tuple[str, ...] = ()
    anti_her2_regimens_metastatic: int = Field(default=0, ge=0)
    anti_her2_regimens_early: int = Field(default=0, ge=0)
    earlier_drugs: tuple[str, ...] = ()
    heart: tuple[str, ...] = ()
    lvef_percent: float | None = Field(default=None, ge=5, le=90)
    body: dict[str, float] = Field(default_factory=dict)
    biology: Biology = Biology()

    @field_validator("her2_test", mode="before")
    @classmethod
    def _has_reports(cls, told: Any) -> Any:
        reports = (told,) if isinstance(told, dict | Her2Report) else told
        if isinstance(reports, list | tuple) and not reports:
            raise ValueError("tell of one specimen at least")
        return reports

    @field_validator("body", mode="before")
    @classmethod
    def _are_numbers(cls, told: Any) -> Any:
        if isinstance(told, dict):
            wrong = {name: value for name, value in told.items() if isinstance(value, bool | str)}
            if wrong:
                raise ValueError(
                    "; ".join(f"{name}: write a number, not {v!r}" for name, v in wrong.items())
                )
        return told

    @model_validator(mode="after")
    def _is_possible(self) -> Patient:
        faults = [
            f"history: unknown {name!r}{did_you_mean(name, HISTORY)}"
            for name in self.history
            if name not in HISTORY
        ]
        heart = risk_table().told()
        faults += [
            f"heart: unknown {name!r}{did_you_mean(name, heart)}"
            for name in self.heart
            if name not in heart
        ]
        for name, value in self.body.items():
            if name not in COVARIATES:
                faults.append(f"body: unknown {name!r}{did_you_mean(name, COVARIATES)}")
                continue
            known = COVARIATES[name]
            fault = outside_text(name, value, known.low, known.high, known.unit)
            if fault:
                faults.append(f"body: {fault}")
            elif name in WHOLE and value != int(value):
                faults.append(f"body: {name} {value:g}: write a whole number")
        faults += body_contradictions(self.setting, self.body)
        faults += contradictions(
            self.setting, self.history, self.anti_her2_regimens_metastatic, self.is_female
        )
        checks = (lambda: earlier_drug_ids(self.earlier_drugs), self.her2)
        for check in checks:  # unknown drugs, and what no laboratory can report
            try:
                check()
            except DataError as error:
                faults.append(str(error))
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def her2(self, guideline: Guideline | None = None) -> Her2Findings:
        """HER2 status from all specimens, by a guideline (the usual one if None).

        Raises
        ------
        DataError
            If a report contradicts itself or lacks what the guideline needs, with all faults.
        """
        return read_reports(self.her2_test, self.tumour, self.setting, guideline)

    @property
    def drugs_before(self) -> tuple[str, ...]:
        """Drugs given before that change how later ones act."""
        told = ("trastuzumab",) if "prior_trastuzumab" in with_what_follows(self.history) else ()
        return tuple(dict.fromkeys((*told, *earlier_drug_ids(self.earlier_drugs))))

    @property
    def told(self) -> frozenset[str]:
        """Facts of the history, with what follows from them and from the regimens so far."""
        treated = ("prior_systemic",) if self.anti_her2_regimens_metastatic else ()
        return with_what_follows((*self.history, *treated))

    @property
    def anti_her2_regimens(self) -> int:
        """Anti-HER2 regimens in any setting: those that are counted, and any that is told."""
        early = max(self.anti_her2_regimens_early, int(bool(EARLY_ANTI_HER2 & self.told)))
        return max(self.anti_her2_regimens_metastatic + early, int(bool(self.drugs_before)))

    @property
    def is_hormone_receptor_positive(self) -> bool | None:
        """Whether hormone receptors are positive; None if it is not told."""
        told = {"hormone_receptor_positive": True, "hormone_receptor_negative": False}
        return next((told[name] for name in self.history if name in told), None)

    @property
    def is_female(self) -> bool | None:
        """Whether the patient is a woman; None if it is not told."""
        female = self.body.get("female")
        return None if female is None else female > 0

    def numbers(self) -> dict[str, float]:
        """Characteristics by name, with what follows from them and the LVEF if it is known."""
        known = with_derived({name: np.array([value]) for name, value in self.body.items()})
        found = {name: float(values[0]) for name, values in known.items()}
        if {"weight_kg", "height_cm"} <= found.keys():
            found["bmi_kg_per_m2"] = found["weight_kg"] / (found["height_cm"] / 100) ** 2
        if self.lvef_percent is not None:
            found["lvef_percent"] = self.lvef_percent
        return found

    def cohort(self, seed: int) -> Cohort:
        """The patient as a cohort of one."""
        values = {name: np.array([value]) for name, value in self.body.items()}
        known = with_derived(values)
        known["tumour_type"] = np.array([self.tumour])
        return Cohort("one patient", np.array([1]), known, seed, setting=self.setting)


def load_patient(path: Path) -> Patient:
    """Read a patient file (TOML), refusing it with all its faults."""
    return read_fact_file(path, Patient)
