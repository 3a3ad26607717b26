"""The numbers behind a stage of the chain: value, unit, status and source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from her2sim.biology.blood import blood_facts
from her2sim.biology.heart import heart_facts
from her2sim.biology.tumour_profile import tumour_facts
from her2sim.drugs.drug import load_drug
from her2sim.drugs.mechanism import load_mechanism
from her2sim.facts import FactFile, Quantity
from her2sim.pk.combination import load_combination
from her2sim.regimens.library import load_regimen
from her2sim.trials.death import death_facts
from her2sim.web.charts import number
from her2sim.web.patient_question import PatientQuestion

OF_TUMOUR: Mapping[str, tuple[str, ...]] = {
    "receptors": ("receptors_ihc3", "receptors_ihc2", "receptors_ihc1", "receptors_ihc0",
                  "receptors_l", "stabilisation"),
    "occupancy": ("kd_iv", "kd_ii", "kd_both", "kon", "kex", "void", "knet"),
    "kinase": ("hill_kinase", "ic50_in_cells", "stabilisation"),
    "signal": ("block_iv", "block_ii", "cross_iv", "cross_ii", "ligand_share", "own_growth",
               "addiction_receptors"),
    "tumour": ("growth", "growth_by_line", "adcc_max", "share_l", "share_m", "resist_signal",
               "resist_immune", "reading_error"),
    "outcome": ("new_lesions", "new_lesions_by_line", "growth"),
}  # fmt: skip
OF_MECHANISM: Mapping[str, tuple[str, ...]] = {
    "occupancy": ("mass",),
    "kinase": ("unbound", "ic50", "kinact", "ki"),
    "payload": ("dar", "influx", "kout", "kex_payload", "clipping", "payload_mass"),
    "tumour": ("kmax", "kc50", "hill", "sensitivity", "chemo_kill", "waning", "resist",
               "fc_affinity"),
}  # fmt: skip


@dataclass(frozen=True)
class StageNumber:
    """A number of a fact file as text."""

    of: str
    meaning: str
    value: str
    unit: str
    status: str
    source: str


@lru_cache(maxsize=256)
def numbers_behind(stage: str, question: PatientQuestion) -> tuple[StageNumber, ...]:
    """Numbers that a stage of this patient rests on."""
    return tuple(_found(stage, question))


def _found(stage: str, question: PatientQuestion) -> Iterator[StageNumber]:
    treatments = load_combination(question.changed_regimen()).treatments
    if stage == "levels":
        for treatment in treatments:
            yield from _rows(treatment.drug.id, treatment.pk, treatment.pk.parameter, None)
    if stage == "heart":
        yield from _rows("heart", heart_facts(), heart_facts().parameter, None)
    if stage == "survival":
        yield from _rows("death", death_facts(), death_facts().parameter, None)
    if stage == "next":
        yield from _doses(question)
    if stage == "counts":
        yield from _rows("blood", blood_facts(), blood_facts().parameter, None)
    tumour = tumour_facts()
    yield from _rows("tumour", tumour, tumour.parameter, OF_TUMOUR.get(stage, ()))
    for treatment in treatments:
        mechanism = load_mechanism(treatment.drug.id)
        if mechanism is not None:
            names = OF_MECHANISM.get(stage, ())
            yield from _rows(treatment.drug.id, mechanism, mechanism.parameter, names)


def _doses(question: PatientQuestion) -> Iterator[StageNumber]:
    """Doses of the label, before the sliders change them."""
    for part in load_regimen(question.regimen).part:
        drug = load_drug(part.drug)
        facts = drug.labelled_regimen(part.regimen)
        source = drug.source_text(facts.source) if facts.source else (facts.reason or "")
        for meaning, dose in (("first dose", facts.loading), ("each dose", facts.maintenance)):
            if dose is not None:
                yield StageNumber(drug.id, f"{meaning}, every {facts.interval_day:g} days",
                                  number(dose.amount), dose.unit, facts.status, source)  # fmt: skip


def _rows(
    of: str, file: FactFile, known: Mapping[str, Quantity], names: Iterable[str] | None
) -> Iterator[StageNumber]:
    """Rows of some numbers of a file, of all of them with None."""
    for name in known if names is None else names:
        if name in known:
            one = known[name]
            source = file.source_text(one.source) if one.source else (one.reason or "")
            meaning = getattr(one, "meaning", "") or name
            yield StageNumber(of, meaning, number(one.value), one.unit, one.status, source)
