"""What became of patients of a population, chunk by chunk."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Whole
from her2sim.biology.lesion_model import (
    disease_of,
    diseases,
    evidence_texts,
    is_early_breast,
)
from her2sim.early.run import EarlyPlan, GivenRegimen, run_early
from her2sim.protocol.decisions import Decision
from her2sim.virtual_patient.outcomes import PatientOutcomes, joined, patient_outcomes
from her2sim.virtual_patient.treat import Treated


@dataclass
class Gathered:
    """One number a patient, by name, chunk by chunk; and patients by rule and decision."""

    parts: list[PatientOutcomes] = field(default_factory=list)
    members: list[Whole] = field(default_factory=list)
    diseases: Counter[str] = field(default_factory=Counter)
    tumour_types: set[str] = field(default_factory=set)
    acted: dict[tuple[str, str], int] = field(default_factory=dict)
    confirmed: dict[str, bool] = field(default_factory=dict)
    followed: dict[str, list[Array]] = field(default_factory=dict)
    early: list[dict[str, NDArray[Any]]] = field(default_factory=list)
    told_of_early: set[str] = field(default_factory=set)
    evidence: dict[str, None] = field(default_factory=dict)

    def without_model(self) -> Counter[str]:
        """How many patients have which disease; early breast cancer only where it is not shown."""
        shown = disease_of("breast", "early") if any(self.early) else ""
        return Counter({name: n for name, n in self.diseases.items() if name != shown})

    def outcomes(self) -> PatientOutcomes:
        """Outcomes of all patients; NaN for those whose model does not have one."""
        return joined(self.parts, [ids.size for ids in self.members])

    def early_columns(self) -> dict[str, NDArray[Any]]:
        """What becomes of early disease, of all patients; empty without any."""
        known = next((part for part in self.early if part), {})
        missing: dict[str, Any] = {name: _NOT_THERE[v.dtype.kind] for name, v in known.items()}
        return {
            name: np.concatenate(
                [
                    part[name] if part else np.full(ids.size, missing[name])
                    for part, ids in zip(self.early, self.members, strict=True)
                ]
            )
            for name in known
        }

    def add(self, treated: Treated, early: dict[str, NDArray[Any]]) -> None:
        """Keep what became of some patients; ``early`` is empty but for early breast cancer."""
        members, traits = treated.people.members.ids, treated.people.tumours.traits
        self.early.append(early)
        if early:
            self.told_of_early |= set(treated.people.cohort.covariates)
        self.tumour_types |= set(traits["tumour_type"].tolist())
        self.diseases += diseases(traits["tumour_type"], traits["setting"])
        texts = evidence_texts(traits["tumour_type"], traits["setting"])
        self.evidence |= dict.fromkeys(texts)
        self.members.append(members)
        self.parts.append(patient_outcomes(treated))
        log = treated.protocol_run.log
        for plan in treated.protocol_run.protocol.plans:
            for rule in plan.label.rule if plan.label is not None else ():
                self.confirmed[rule.id] = rule.is_confirmed
        for number, rule_id in enumerate(log.rules):
            for decision in Decision:
                chosen = (log.rule == number) & (log.decision == decision)
                n = np.unique(log.patient[chosen]).size
                if n:
                    key = (rule_id, decision.name.lower())
                    self.acted[key] = self.acted.get(key, 0) + n


_NOT_THERE = {"f": np.nan, "U": "none", "b": np.nan, "i": np.nan}
"""What stands for a patient without early disease, by the kind of column."""


def early_of(treated: Treated, end_day: float, threads: int | None) -> dict[str, NDArray[Any]]:
    """What becomes of patients with early breast cancer after surgery; nothing of others."""
    people, record = treated.people, treated.protocol_run.record
    traits = people.tumours.traits
    if not is_early_breast(str(traits["tumour_type"][0]), str(traits["setting"][0])):
        return {}
    everyone = np.arange(people.cohort.n_patients)
    drugs = [drug.treatment for drug in treated.whole.drugs]
    course = GivenRegimen(drugs, everyone, record, 0.0, end_day)
    columns = run_early(EarlyPlan(), people, [course], everyone, threads=threads)
    return {**columns, "is_cured": np.asarray(columns["is_cured"], dtype=np.float64)}
