"""Tumours of patients: receptors, clones, growth and immune genotype from tests or prevalences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Mask, Positions
from her2sim.biology.clones import addiction, clones_at_start, counted_lines
from her2sim.biology.ensemble import Members, member_value, patient_value
from her2sim.biology.lesion_model import has_lesion_model
from her2sim.biology.tumour_profile import (
    GENOTYPES,
    KnownTumours,
    TumourProfile,
    after_effects,
    tumour_facts,
)
from her2sim.biology.tumour_type import OF_PAYLOAD, described_types, of_type
from her2sim.errors import DataError
from her2sim.models.assembly import tag_of
from her2sim.patients.cohort import Cohort
from her2sim.patients.covariates import EARLIER_DRUGS
from her2sim.patients.her2_test import IHC
from her2sim.random import Purpose

OWNER = "tumour"
MUTATED_IHC = "2+"
"""The score of a tumour that was chosen by its mutation, if no lower one is told."""


@dataclass(frozen=True, eq=False)
class Tumours:
    """Parameters of the lesion model of each patient, and the clones at the start.

    ``parameters`` and ``start`` map names to arrays of shape (n,); ``affinity`` is that of the
    FcgRIIIa genotype relative to V/V; ``escape_share`` the part of the sensitive cells that are
    ligand-driven where that clone is added; ``kill_factor`` multiplies all kill by drugs, since
    what grows fast dies fast; ``earlier_drugs`` tells by tag who had a drug before; ``traits``
    holds what was given or drawn.
    """

    parameters: Mapping[str, Array]
    start: Mapping[str, Array]
    affinity: Array
    escape_share: Array
    kill_factor: Array
    earlier_drugs: Mapping[str, Mask]
    traits: Mapping[str, NDArray[Any]]

    @property
    def has_lesion_model(self) -> NDArray[np.bool_]:
        """Whose lesion is modelled: efficacy is worked out for these patients only, shape (n,)."""
        return has_lesion_model(self.traits["tumour_type"], self.traits["setting"])


def draw_tumours(
    cohort: Cohort,
    known: TumourProfile | KnownTumours | None = None,
    members: Members | None = None,
) -> Tumours:
    """Tumours of a cohort.

    Parameters
    ----------
    cohort : patients; a sum of diameters there is the baseline
    known : what is known of all of them, or of each
    members : those of the ensemble; member 0 if not given

    Raises
    ------
    DataError
        If somebody of the cohort has no tumour.
    """
    n = cohort.n_patients
    told = known if isinstance(known, KnownTumours) else _told(known or TumourProfile(), cohort)
    if "none" in cohort.covariates.get("tumour_type", ()):
        raise DataError(f"the people of {cohort.name!r} have no tumour; choose patients")
    members = members or Members(np.zeros(n, dtype=np.int64))
    numbers = _Numbers(cohort, members)
    value, traits = numbers.value, _traits(told, numbers)
    earlier = told.earlier_drugs or _earlier_drugs(cohort)
    lines = counted_lines(told.earlier_lines)
    parameters = {name: value(name) for name in _PLAIN}
    kill_factor = _paces(parameters, traits, lines, numbers)
    parameters["receptors_s"] = np.select(
        [told.ihc == ihc for ihc in IHC], [value(f"receptors_ihc{ihc[0]}") for ihc in IHC]
    )
    free = numbers.of_type("times_own_growth", np.ones(n))
    parameters |= addiction(parameters, told, traits["pik3ca"], earlier, value, free)
    for name, (what, before) in after_effects().items():
        if what in parameters:
            parameters[what] = parameters[what] * np.where(earlier[before], value(name), 1.0)
    told_mm = cohort.covariates.get("sum_of_diameters_mm")
    baseline_mm = value("baseline_mm") if told_mm is None else told_mm
    parameters["baseline_mm"] = np.asarray(baseline_mm, dtype=np.float64)
    lost = _has_lost_receptors(told, earlier, numbers)
    low_odds = numbers.of_type("times_low_odds", np.ones(n))
    lost_low = np.where(lost, numbers.of_type("low_share_when_lost", np.zeros(n)), 0.0)
    start = clones_at_start(told, traits["is_heterogeneous"], lost_low, lines, value, low_odds)
    facts, genotype = tumour_facts().parameter, traits["genotype"]
    affinity = np.select(
        [genotype == "VV", genotype == "VF"], [1.0, facts["affinity_vf"].value],
        facts["affinity_ff"].value,
    )  # fmt: skip
    return Tumours(parameters, start, affinity, value("share_e"), kill_factor, earlier, traits)


def _told(profile: TumourProfile, cohort: Cohort) -> KnownTumours:
    """What is known of each tumour; a mutation without a test of the gene is no amplification."""
    known, types = profile.of(cohort.n_patients), tumour_types(cohort)
    by_mutation = [one.id for one in described_types().values() if one.her2 == "mutation"]
    chosen = np.isin(types, by_mutation)
    if profile.is_amplified is not None or not chosen.any():
        return known
    return replace(
        known,
        ihc=np.where(chosen & (known.ihc == "3+"), MUTATED_IHC, known.ihc),
        is_amplified=known.is_amplified & ~chosen,
    )


@dataclass(frozen=True, eq=False)
class _Numbers:
    """Numbers of the tumour file for each patient of a cohort."""

    cohort: Cohort
    members: Members

    def value(self, name: str) -> Array:
        """A number of each patient: that of its member, and how it differs from others."""
        quantity = tumour_facts().parameter[name]
        return patient_value(f"{OWNER}:{name}", quantity, self.cohort, self.members)

    def share(self, name: str) -> Array:
        """A number of the member of each patient."""
        return member_value(f"{OWNER}:{name}", tumour_facts().parameter[name], self.members)

    def of_type(self, name: str, usual: Array) -> Array:
        """A number of the tumour type of each patient; the usual one where it has none."""
        return of_type(name, usual, tumour_types(self.cohort), self.members)

    def is_so(self, name: str, told: Mask | None, chance: Array) -> Mask:
        """A trait as told, or drawn with a chance."""
        found: Mask = _uniform(self.cohort, name) < chance if told is None else told
        return found


def _traits(told: KnownTumours, numbers: _Numbers) -> dict[str, NDArray[Any]]:
    """What was told or drawn of each tumour."""
    cohort, share, amplified = numbers.cohort, numbers.share, told.is_amplified
    nowhere = np.zeros(cohort.n_patients)
    mixing = numbers.of_type("heterogeneous", share("heterogeneous_breast"))
    positive = np.where(amplified, share("er_positive"), share("er_positive_not_amplified"))
    mixed = numbers.is_so("heterogeneous", told.is_heterogeneous, mixing) & amplified
    return {
        "tumour_type": tumour_types(cohort),
        "setting": np.full(cohort.n_patients, cohort.setting),
        "ihc": told.ihc,
        "pik3ca": numbers.is_so("pik3ca", told.pik3ca, share("pik3ca")),
        "genotype": _genotypes(cohort, told),
        "is_heterogeneous": mixed,
        "is_amplified": amplified,
        "is_er_positive": numbers.is_so("er_positive", told.is_er_positive, positive),
        "is_pd_l1_positive": numbers.is_so(
            "pd_l1_positive", told.is_pd_l1_positive, numbers.of_type("pd_l1_positive", nowhere)
        ),
        "earlier_lines": told.earlier_lines,
    }


def _paces(
    parameters: dict[str, Array],
    traits: Mapping[str, NDArray[Any]],
    lines: Positions,
    numbers: _Numbers,
) -> Array:
    """Growth and new lesions in ``parameters`` by tumour and line; returns the factor on kill."""
    value, amplified, later = numbers.value, traits["is_amplified"], np.maximum(lines, 0)
    of_type = np.where(
        traits["is_er_positive"], value("growth_er_positive"), value("growth_triple_negative")
    )
    usual = amplified | (traits["tumour_type"] != "breast")
    parameters["growth"] = parameters["growth"] * np.where(usual, 1.0, of_type)
    parameters["growth"] = parameters["growth"] * value("growth_by_line") ** later
    kill_factor = _follow_growth(parameters, numbers.members, value)
    elsewhere = np.where(amplified, 1.0, value("new_lesions_not_amplified"))
    elsewhere = elsewhere * value("new_lesions_by_line") ** later
    parameters["new_lesions"] = parameters["new_lesions"] * elsewhere
    one = np.ones(later.shape)
    faster = numbers.of_type("times_growth", one)
    fastest = tumour_facts().parameter["growth_fastest"].value
    parameters["growth"] = np.minimum(parameters["growth"] * faster, fastest)
    times = numbers.of_type("times_new_lesions", one)
    parameters["new_lesions"] = parameters["new_lesions"] * times
    return kill_factor


def _earlier_drugs(cohort: Cohort) -> dict[str, Mask]:
    """Who had a drug before as a cohort tells it, by tag; nobody where it tells nothing."""
    never = np.zeros(cohort.n_patients)
    tags = [tag_of(name) for name in EARLIER_DRUGS]
    return {tag: cohort.covariates.get(f"after_{tag}", never) > 0 for tag in tags}


def tumour_types(cohort: Cohort) -> NDArray[np.str_]:
    """Tumour type of each patient, shape (n,); breast where nothing is told."""
    told = cohort.covariates.get("tumour_type")
    return np.full(cohort.n_patients, "breast") if told is None else told.astype(str)


def _follow_growth(
    parameters: dict[str, Array], members: Members, value: Callable[[str], Array]
) -> Array:
    """Let what goes with growth follow it in ``parameters``; returns the factor on all kill."""
    facts = tumour_facts().parameter
    parameters["growth"] = np.minimum(parameters["growth"], facts["growth_fastest"].value)
    pace = parameters["growth"] / member_value(f"{OWNER}:growth", facts["growth"], members)
    kill_factor = pace ** value("kill_with_growth")
    parameters["regression"] = parameters["regression"] * kill_factor
    parameters["new_lesions"] = parameters["new_lesions"] * pace ** value("lesions_with_growth")
    return kill_factor


def _has_lost_receptors(told: KnownTumours, earlier: Mapping[str, Mask], numbers: _Numbers) -> Mask:
    """Whose tumour is HER2-negative after trastuzumab, where that is known of its type."""
    nobody = np.zeros(numbers.cohort.n_patients)
    chance = numbers.of_type("lost_after_trastuzumab", nobody)
    drawn: Mask = _uniform(numbers.cohort, "lost") < chance
    if told.is_retested is not None:
        drawn = drawn & ~told.is_retested
    return drawn & earlier[tag_of("trastuzumab")] & (told.share_l is None)


def exchange_relative(members: Members) -> Array:
    """Exchange of antibody in the members of an ensemble over that of the fact file."""
    kex = tumour_facts().parameter["kex"]
    return member_value(f"{OWNER}:kex", kex, members) / kex.value


def earlier_factor(tag: str, tumours: Tumours, members: Members) -> Array:
    """What earlier drugs leave of the effect of a drug (by its tag) in each patient, shape (n,)."""
    found = np.ones(members.ids.shape)
    for name, (what, before) in after_effects().items():
        if what == tag:
            factor = member_value(f"{OWNER}:{name}", tumour_facts().parameter[name], members)
            found = found * np.where(tumours.earlier_drugs[before], factor, 1.0)
    return found


def chemo_factor(tumours: Tumours, members: Members) -> Array:
    """Kill by cytotoxic drugs in each tumour over that in one with amplification, shape (n,)."""
    name = "chemo_not_amplified"
    factor = member_value(f"{OWNER}:{name}", tumour_facts().parameter[name], members)
    types, n = tumours.traits["tumour_type"], members.ids.shape
    factor = np.where(tumours.traits["is_amplified"] | (types != "breast"), 1.0, factor)
    return factor * of_type("times_chemo", np.ones(n), types, members)


def payload_factor(tag: str, tumours: Tumours, members: Members) -> Array:
    """Sensitivity of each tumour to the payload of a conjugate over that in breast cancer, (n,)."""
    n = members.ids.shape
    return of_type(f"{OF_PAYLOAD}{tag}", np.ones(n), tumours.traits["tumour_type"], members)


def potency_in_cells(members: Members) -> Array:
    """IC50 of reversible inhibitors in the cells of a patient over the enzymatic one."""
    name = "ic50_in_cells"
    return member_value(f"{OWNER}:{name}", tumour_facts().parameter[name], members)


_PLAIN = (
    "kex", "knet", "void", "cell_share", "receptor_density", "kd_iv", "kd_ii", "kd_both", "kon",
    "receptors_l", "block_iv", "block_ii", "cross_iv", "cross_ii", "ligand_share", "clustering",
    "hill_kinase", "stabilisation", "growth", "log_largest", "regression", "clearing", "adcc_max",
    "adcc_half", "effector_cells", "resist_immune", "resist_signal", "new_lesions", "growth_scale",
    "growth_memory", "access_cns", "ligand_share_e",
)  # fmt: skip


def _uniform(cohort: Cohort, name: str) -> Array:
    return cohort.stream(Purpose.BIOLOGY).uniform(f"{OWNER}:is {name}")


def _genotypes(cohort: Cohort, told: KnownTumours) -> NDArray[np.str_]:
    """FcgRIIIa genotype of each patient."""
    if told.genotype is not None:
        return told.genotype
    facts = tumour_facts().parameter
    edges = np.cumsum([facts["genotype_vv"].value, facts["genotype_vf"].value])
    return np.array(GENOTYPES)[np.searchsorted(edges, _uniform(cohort, "genotype"))]
