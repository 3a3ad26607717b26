"""Tumours of patients: receptors, clones, growth and immune genotype from tests or prevalences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from her2sim.arrays import Array
from her2sim.biology.ensemble import Members, member_value, patient_value
from her2sim.biology.lesion_model import has_lesion_model
from her2sim.errors import DataError, did_you_mean
from her2sim.facts import NumberFile, read_fact_file
from her2sim.patients.cohort import Cohort
from her2sim.patients.her2_test import Ihc
from her2sim.random import Purpose

Genotype = Literal["VV", "VF", "FF"]
AMPLIFIED_BY = {"positive": True, "negative": False}
"""Whether the gene is amplified by the result of a test; another result tells nothing."""
GENOTYPES: tuple[Genotype, ...] = ("VV", "VF", "FF")
OWNER = "tumour"


@cache
def tumour_facts() -> NumberFile:
    """The numbers that come with her2sim."""
    return read_fact_file(files("her2sim.biology").joinpath("tumour.toml"), NumberFile)


@dataclass(frozen=True)
class TumourProfile:
    """What is known of the tumours; what is not (None) is drawn from prevalences.

    ``earlier_lines`` is the number of lines of treatment before for metastatic disease, and -1 for
    early disease. ``is_amplified`` is what in situ hybridisation told; without it, tumours of 2+
    and 3+ are amplified and others are not.
    """

    ihc: Ihc = "3+"
    is_amplified: bool | None = None
    pik3ca: bool | None = None
    genotype: Genotype | None = None
    is_heterogeneous: bool | None = None
    is_er_positive: bool | None = None
    share_l: float | None = None
    earlier_lines: int = 0

    def __post_init__(self) -> None:
        if self.share_l is not None and not 0 < self.share_l < 1:
            raise DataError(f"share of HER2-low cells {self.share_l:g}: use 0 to 1, both left out")
        if self.genotype is not None and self.genotype not in GENOTYPES:
            hint = did_you_mean(self.genotype, GENOTYPES)
            raise DataError(f"unknown FcgRIIIa genotype {self.genotype!r}{hint}")
        if self.earlier_lines < -1:
            raise DataError(f"{self.earlier_lines} lines before: use -1 (early disease), 0 or more")

    @property
    def amplified(self) -> bool:
        """Whether the gene is amplified, as told or as the score lets one expect."""
        return self.ihc in ("2+", "3+") if self.is_amplified is None else self.is_amplified


@dataclass(frozen=True, eq=False)
class Tumours:
    """Parameters of the lesion model of each patient, and the clones at the start.

    ``parameters`` and ``start`` map names to arrays of shape (n,); ``affinity`` is that of the
    FcgRIIIa genotype relative to V/V; ``escape_share`` the part of the sensitive cells that are
    ligand-driven where that clone is added; ``kill_factor`` multiplies all kill by drugs, since
    what grows fast dies fast; ``traits`` holds what was given or drawn.
    """

    parameters: Mapping[str, Array]
    start: Mapping[str, Array]
    affinity: Array
    escape_share: Array
    kill_factor: Array
    traits: Mapping[str, NDArray[Any]]

    @property
    def has_lesion_model(self) -> NDArray[np.bool_]:
        """Whose lesion is modelled: efficacy is worked out for these patients only, shape (n,)."""
        return has_lesion_model(self.traits["tumour_type"], self.traits["setting"])


def draw_tumours(
    cohort: Cohort, known: TumourProfile | None = None, members: Members | None = None
) -> Tumours:
    """Tumours of a cohort.

    Parameters
    ----------
    cohort : patients; a sum of diameters there is the baseline
    known : what tests told of all of them
    members : those of the ensemble; member 0 if not given

    Raises
    ------
    DataError
        If somebody of the cohort has no tumour.
    """
    known = known or TumourProfile()
    if "none" in cohort.covariates.get("tumour_type", ()):
        raise DataError(f"the people of {cohort.name!r} have no tumour; choose patients")
    members = members or Members(np.zeros(cohort.n_patients, dtype=np.int64))
    facts = tumour_facts().parameter

    def value(name: str) -> Array:
        return patient_value(f"{OWNER}:{name}", facts[name], cohort, members)

    def is_so(name: str, told: bool | None, share: str) -> NDArray[np.bool_]:
        if told is not None:
            return np.full(cohort.n_patients, told)
        drawn = _uniform(cohort, name)
        return drawn < member_value(f"{OWNER}:{share}", facts[share], members)

    mutated = is_so("pik3ca", known.pik3ca, "pik3ca")
    is_gastric = tumour_types(cohort) == "gastric"
    mixed = np.where(
        is_gastric,
        is_so("heterogeneous", known.is_heterogeneous, "heterogeneous_gastric"),
        is_so("heterogeneous", known.is_heterogeneous, "heterogeneous_breast"),
    )
    mixed &= known.amplified
    prevalence = "er_positive" if known.amplified else "er_positive_not_amplified"
    er_positive = is_so("er_positive", known.is_er_positive, prevalence)
    genotype = _genotypes(cohort, known, members)
    parameters = {name: value(name) for name in _PLAIN}
    if not known.amplified:
        pace = np.where(er_positive, value("growth_er_positive"), value("growth_triple_negative"))
        parameters["growth"] = parameters["growth"] * np.where(is_gastric, 1.0, pace)
    kill_factor = _follow_growth(parameters, members, value)
    parameters["receptors_s"] = value(f"receptors_ihc{known.ihc[0]}")
    parameters |= _addiction(parameters, known, mutated, value)
    told_mm = cohort.covariates.get("sum_of_diameters_mm")
    baseline_mm = value("baseline_mm") if told_mm is None else told_mm
    parameters["baseline_mm"] = np.asarray(baseline_mm, dtype=np.float64)
    start = _clones_at_start(cohort, known, mixed, value)
    affinity = np.array([1.0, facts["affinity_vf"].value, facts["affinity_ff"].value])[genotype]
    traits: dict[str, NDArray[Any]] = {
        "tumour_type": tumour_types(cohort),
        "setting": np.full(cohort.n_patients, cohort.setting),
        "ihc": np.full(cohort.n_patients, known.ihc),
        "pik3ca": mutated,
        "genotype": np.array(GENOTYPES)[genotype],
        "is_heterogeneous": mixed,
        "is_amplified": np.full(cohort.n_patients, known.amplified),
        "is_er_positive": er_positive,
        "earlier_lines": np.full(cohort.n_patients, known.earlier_lines),
    }
    return Tumours(parameters, start, affinity, value("share_e"), kill_factor, traits)


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


def _clones_at_start(
    cohort: Cohort, known: TumourProfile, mixed: NDArray[np.bool_], value: Callable[[str], Array]
) -> dict[str, Array]:
    """Shares of the sensitive, the HER2-low and the resistant clone of each patient."""
    low = np.where(mixed, value("share_l_heterogeneous"), value("share_l"))
    if known.share_l is not None:
        low = np.full(cohort.n_patients, known.share_l)
    counted = min(known.earlier_lines, tumour_facts().parameter["lines_counted"].value)
    shifted = logit(value("share_m")) + counted * value("line_shift")
    resistant = (1 - low) * expit(shifted)
    return {"cells_s": 1 - low - resistant, "cells_l": low, "cells_m": resistant}


def _addiction(
    parameters: Mapping[str, Array],
    known: TumourProfile,
    mutated: NDArray[np.bool_],
    value: Callable[[str], Array],
) -> dict[str, Array]:
    """Share of growth that needs no HER2, of each clone."""
    if not known.amplified:
        return {f"own_growth_{clone}": value("own_growth_not_amplified") for clone in ("s", "l")}
    base = np.where(mutated, value("own_growth_pik3ca"), value("own_growth"))
    half, steepness = value("addiction_receptors"), value("addiction_steepness")
    return {
        f"own_growth_{clone}": _own_growth(base, half / parameters[f"receptors_{clone}"], steepness)
        for clone in ("s", "l")
    }


def _own_growth(base: Array, fewer: Array, steepness: Array) -> Array:
    """Share of growth that needs no HER2: ``base`` at very many receptors, all of it at very few.

    ``fewer`` is the receptors at half the addiction over those of the clone.
    """
    return 1 - (1 - base) / (1 + fewer**steepness)


def exchange_relative(members: Members) -> Array:
    """Exchange of antibody in the members of an ensemble over that of the fact file."""
    kex = tumour_facts().parameter["kex"]
    return member_value(f"{OWNER}:kex", kex, members) / kex.value


def potency_in_cells(members: Members) -> Array:
    """IC50 of reversible inhibitors in the cells of a patient over the enzymatic one."""
    name = "ic50_in_cells"
    return member_value(f"{OWNER}:{name}", tumour_facts().parameter[name], members)


_PLAIN = (
    "kex", "knet", "void", "cell_share", "receptor_density", "kd_iv", "kd_ii", "kd_both", "kon",
    "receptors_l", "block_iv", "block_ii", "cross_iv", "cross_ii", "ligand_share", "clustering",
    "hill_kinase", "stabilisation", "growth", "log_largest", "regression", "clearing", "adcc_max",
    "adcc_half", "effector_cells", "resist_immune", "resist_signal", "new_lesions", "growth_scale",
    "access_cns", "ligand_share_e",
)  # fmt: skip


def _uniform(cohort: Cohort, name: str) -> Array:
    return cohort.stream(Purpose.BIOLOGY).uniform(f"{OWNER}:is {name}")


def _genotypes(cohort: Cohort, known: TumourProfile, members: Members) -> NDArray[np.int64]:
    """Position of each patient's genotype in GENOTYPES."""
    if known.genotype is not None:
        return np.full(cohort.n_patients, GENOTYPES.index(known.genotype))
    facts = tumour_facts().parameter
    edges = np.cumsum([facts["genotype_vv"].value, facts["genotype_vf"].value])
    return np.searchsorted(edges, _uniform(cohort, "genotype")).astype(np.int64)
