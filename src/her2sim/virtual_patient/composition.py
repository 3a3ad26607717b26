"""The model of a whole patient: the drugs of a regimen, lesions and organs, composed by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from her2sim.arrays import Array
from her2sim.biology.ensemble import patient_values
from her2sim.biology.tumour import (
    Tumours,
    chemo_factor,
    earlier_factor,
    exchange_relative,
    payload_factor,
    potency_in_cells,
)
from her2sim.biology.tumour_profile import tumour_facts
from her2sim.biology.tumour_type import described_types
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.drugs.mechanism import load_mechanism
from her2sim.drugs.variability import apply_random_effects, draw_random_effects
from her2sim.engine.model import Component, Model, Symbol, compose
from her2sim.errors import DataError
from her2sim.models import pharmacokinetics as pk
from her2sim.models.agent import KPD
from her2sim.models.assembly import renamed
from her2sim.models.lesion import Lesion
from her2sim.models.lesion_symbols import lesion_symbols
from her2sim.models.symbols import SYMBOLS
from her2sim.patients.cohort import Cohort
from her2sim.pk.treatment import Treatment
from her2sim.units import convert
from her2sim.virtual_patient.drugs import Organ, PatientDrug, patient_drugs
from her2sim.virtual_patient.organs import Organs
from her2sim.virtual_patient.switches import check_switches, clones_off, numbers_off

NONE_LEFT = 1e-300
"""Cells relative to the first volume that stand for none where their logarithm is taken."""
_SLOW_PAYLOAD = (pk.payload_release, pk.payload_disposition, pk.area_under_payload)


@dataclass(frozen=True, eq=False)
class VirtualPatient:
    """The composed model, and which drugs, lesions and organs it has.

    ``off`` names mechanisms that are switched off (see :mod:`her2sim.virtual_patient.switches`).
    """

    drugs: tuple[PatientDrug, ...]
    lesions: tuple[Lesion, ...]
    organs: Organs
    model: Model
    off: tuple[str, ...] = ()

    def drug(self, tag: str) -> PatientDrug:
        """A drug by its part of names."""
        return next(drug for drug in self.drugs if drug.tag == tag)

    def parameters(self, people: VirtualCohort) -> Array:
        """Parameters of all patients, shape (n_parameters, n)."""
        n = people.cohort.n_patients
        values: dict[str, Array] = dict(people.tumours.parameters)
        for drug in self.drugs:
            values |= _drug_values(drug, people)
        for lesion in self.lesions:
            values[lesion.name("baseline_mm")] = people.tumours.parameters["baseline_mm"]
        values |= self.organs.parameters(people)
        model = self.model
        missing = [name for name in model.parameters if name not in values]
        if missing:
            raise DataError(f"no value of {', '.join(missing)}")
        values |= dict.fromkeys(numbers_off(self.off, self.drugs), np.zeros(n))
        return np.array([np.broadcast_to(values[name], n) for name in model.parameters])

    def start(self, people: VirtualCohort) -> Array:
        """States before the first dose, shape (n_states, n)."""
        n = people.cohort.n_patients
        values = {name: np.zeros(n) for name in self.model.states}
        values |= self.organs.start(people)
        for lesion in self.lesions:
            for name, cells in people.tumours.start.items():
                values[lesion.name(name)] = cells
            if lesion.has_escape:
                sensitive, share = lesion.name("cells_s"), people.tumours.escape_share
                values[lesion.name("cells_e")] = values[sensitive] * share
                values[sensitive] = values[sensitive] * (1 - share)
            for clone in clones_off(self.off):
                sensitive, left_out = lesion.name("cells_s"), lesion.name(clone)
                values[sensitive] = values[sensitive] + values[left_out]
                values[left_out] = np.zeros(n)
            for clone in lesion.clones:
                cells = np.maximum(values[lesion.name(f"cells_{clone}")], NONE_LEFT)
                values[lesion.name(f"log_cells_{clone}")] = np.log(cells)
            for agent in lesion.of_kind(*KPD):
                values[lesion.name("fading", agent.tag)] = np.ones(n)
            values[lesion.name("mean_gain")] = people.tumours.parameters["growth"]
        return np.array([values[name] for name in self.model.states])

    def scale(self, cohort: Cohort) -> Array:
        """Bioavailability of what enters each state, shape (n_states, n)."""
        scale = np.ones((len(self.model.states), cohort.n_patients))
        for drug in (d for d in self.drugs if d.has_concentration):
            values = _pk_values(drug, cohort)
            for route, state in drug.treatment.pk.structural.dosed.items():
                if route != "iv" and "f" in values and drug.symbol(state) in self.model.states:
                    scale[self.model.index("states", drug.symbol(state))] = values["f"]
        return scale


def virtual_patient(
    treatments: Sequence[Treatment],
    sites: Sequence[str] = ("",),
    organs: Sequence[Organ] = (),
    off: Sequence[str] = (),
    has_escape: bool = False,
) -> VirtualPatient:
    """Compose the model of a patient under some treatments.

    Parameters
    ----------
    treatments : drugs, each with its regimen and the interactions it meets
    sites : lesions; the empty one is outside the brain, ``cns`` is in it
    organs : ``heart``, ``blood`` and ``lung``, as wanted
    off : mechanisms that are switched off
    has_escape : whether there is a clone whose signalling is ligand-driven

    Raises
    ------
    DataError
        If nothing is known of how a drug acts.
    """
    check_switches(off)
    unknown = [t.drug.id for t in treatments if load_mechanism(t.drug.id) is None]
    if unknown:
        raise DataError(
            f"how {', '.join(unknown)} acts on a tumour is not modelled; leave it out of the "
            "regimen, or ask for levels only (her2sim exposure)"
        )
    drugs = tuple(patient_drugs(treatments, organs))
    agents = tuple(drug.mechanism.agent for drug in drugs)
    lesions = tuple(Lesion(agents, site, has_escape) for site in sites)
    body = Organs(tuple(organs), drugs)
    key = tuple((drug.tag, drug.treatment.pk.structure, drug.has_concentration) for drug in drugs)
    whole_key = (key, lesions, body.organs)
    if whole_key not in _MODELS:  # the same drugs and lesions share one, and its compiled code
        _MODELS[whole_key] = _composed(drugs, lesions, body)
    return VirtualPatient(drugs, lesions, body, _MODELS[whole_key], tuple(off))


def require_mechanisms(whole: VirtualPatient, names: Sequence[str]) -> None:
    """Refuse to switch off what a patient does not have.

    Raises
    ------
    UnknownNameError, DataError
        If there is no such mechanism at all, or not in this patient.
    """
    check_switches(names)
    absent = [
        name
        for name in names
        if not (clones_off([name]) and whole.lesions)
        and set(whole.model.parameters).isdisjoint(numbers_off([name], whole.drugs))
    ]
    if absent:
        raise DataError(f"without {', '.join(absent)}: these patients and drugs have no such thing")


_MODELS: dict[tuple[object, ...], Model] = {}


def _composed(drugs: Sequence[PatientDrug], lesions: tuple[Lesion, ...], organs: Organs) -> Model:
    components: list[Component] = []
    agents = tuple(drug.mechanism.agent for drug in drugs)
    symbols: dict[str, Symbol] = lesion_symbols(lesions, agents)
    infused, fading, stiff = list[str](), list[tuple[str, ...]](), list[str]()
    for drug in (d for d in drugs if d.has_concentration):
        structure = drug.treatment.pk.structural
        names = {name: drug.symbol(name) for name in (*SYMBOLS, *_OWN)}
        symbols |= {
            names[s.name]: replace(s, name=names[s.name], meaning=f"{s.meaning}, {drug.tag}")
            for s in SYMBOLS.values()
        }
        components += [renamed(component, names) for component in _levels(drug)]
        amounts = [drug.symbol(name) for name in structure.compartments]
        infused += amounts
        fading.append(tuple(amounts))
        stiff += amounts if structure.is_stiff else []
    for lesion in lesions:
        components += lesion.components()
    components += organs.components()
    symbols |= organs.symbols()
    title = "+".join((*(drug.tag for drug in drugs), *organs.organs))
    sites = "+".join(lesion.site for lesion in lesions if lesion.site)
    watched = [*(lesion.name("elsewhere") for lesion in lesions), *organs.watched]
    return compose(
        f"patient:{title}:{sites}", components, symbols, (), infused, fading, watched, bool(stiff),
        stiff,
    )  # fmt: skip


_OWN = ("mass", "payload_mass", "plasma", "plasma_payload")


def _levels(drug: PatientDrug) -> list[Component]:
    """Components of a drug's levels: areas are left out, a payload follows its conjugate."""
    components = drug.treatment.pk.structural.components
    kept = [c for c in components if c not in _SLOW_PAYLOAD]
    if drug.mechanism.is_permeable:
        return [*kept, pk.payload_at_once, pk.in_plasma, pk.payload_in_plasma]
    return kept if drug.mechanism.kind in KPD else [*kept, pk.in_plasma]


def _pk_values(drug: PatientDrug, cohort: Cohort) -> Mapping[str, Array]:
    """Parameters of the levels of a drug in each patient, interactions included."""
    treatment = drug.treatment
    effects = draw_random_effects(treatment.pk, cohort.numbers, cohort.seed, cohort.replicate)
    return apply_random_effects(treatment.typical(cohort.covariate, cohort.n_patients), effects)


def _drug_values(drug: PatientDrug, people: VirtualCohort) -> dict[str, Array]:
    """All parameters of a drug by their names in the model."""
    facts, cohort, tumours = drug.mechanism.parameter, people.cohort, people.tumours
    values = patient_values(drug.mechanism.drug, facts, cohort, people.members)
    for name, unit in _UNITS.items():
        if name in values:
            values[name] = values[name] * convert(1.0, facts[name].unit, unit)
    _in_tumour(drug, people, values)
    fastest = tumour_facts().parameter["kill_fastest"].value
    for name in ("chemo_kill", "kmax"):
        if name in values:
            values[name] = np.minimum(values[name] * tumours.kill_factor, fastest)
    if "kc50" in values:
        values["kc50"] = values["kc50"] * exchange_relative(people.members)
    if "ic50" in values:
        values["ic50"] = values["ic50"] * potency_in_cells(people.members)
    if "fc_affinity" in values:
        values["fc_affinity"] = values["fc_affinity"] * tumours.affinity ** values["fc_genotype"]
    found = {drug.symbol(name): value for name, value in values.items()}
    if "access_cns" in values:
        found[f"access_{drug.tag}_cns"] = values["access_cns"]
    if drug.has_concentration:
        found |= {drug.symbol(name): value for name, value in _pk_values(drug, cohort).items()}
    if drug.mechanism.kind in KPD:
        found[drug.symbol("given")] = np.zeros(cohort.n_patients)
    return found


def _in_tumour(drug: PatientDrug, people: VirtualCohort, values: dict[str, Array]) -> None:
    """Change numbers of a drug by the kind of tumour, by the regimen and by drugs before."""
    tumours, members = people.tumours, people.members
    amplified = tumours.traits["is_amplified"]
    left = earlier_factor(drug.tag, tumours, members)
    if drug.mechanism.kind == "endocrine":
        values["chemo_kill"] = values["chemo_kill"] * tumours.traits["is_er_positive"] * left
    elif drug.mechanism.kind == "checkpoint":
        _require_known_pd_l1(drug, tumours)
        values["chemo_kill"] = values["chemo_kill"] * tumours.traits["is_pd_l1_positive"]
    elif drug.mechanism.kind == "cytotoxic":
        kill = values["chemo_kill"] * left * chemo_factor(tumours, members)
        values["chemo_kill"] = kill * drug.schedule_factor(members)
    elif "sensitivity" in values:
        sensitivity = values["sensitivity"]
        wider = values.get("not_amplified_spread", np.ones(sensitivity.shape))
        without = sensitivity**wider * values.get("not_amplified", 1.0)
        of_tissue = payload_factor(drug.tag, tumours, members)
        values["sensitivity"] = np.where(amplified, sensitivity, without) * left * of_tissue
    elif "ic50" in values:
        values["ic50"] = values["ic50"] / left
    elif "kinact" in values:
        values["kinact"] = values["kinact"] * left


def _require_known_pd_l1(drug: PatientDrug, tumours: Tumours) -> None:
    """Refuse a checkpoint inhibitor where no trial told how it acts: its effect is not zero."""
    types = set(tumours.traits["tumour_type"][tumours.has_lesion_model].tolist())
    told = described_types()
    unknown = sorted(t for t in types if t not in told or "pd_l1_positive" not in told[t].parameter)
    if unknown:
        raise DataError(
            f"how {drug.treatment.drug.id} acts on a tumour is not modelled in "
            f"{', '.join(unknown)} cancer; leave it out"
        )


_UNITS = {"mass": "mg/nmol", "payload_mass": "mg/nmol"}
