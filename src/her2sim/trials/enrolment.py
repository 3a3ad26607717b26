"""Patients of a trial: from its population, its HER2 scores and lines of treatment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import ndtr, ndtri

from her2sim.arrays import Array, Mask, Positions
from her2sim.biology.early_disease import early_number
from her2sim.biology.ensemble import Members
from her2sim.biology.heart import CardiacProfile
from her2sim.biology.tumour_profile import KnownTumours
from her2sim.biology.virtual_cohort import VirtualCohort, draw_virtual_cohort
from her2sim.models.assembly import tag_of
from her2sim.patients.cohort import Cohort, draw_cohort
from her2sim.patients.covariates import EARLIER_DRUGS
from her2sim.patients.population import Share, load_population
from her2sim.random import Purpose
from her2sim.trials.early_design import NODE_CLASSES
from her2sim.trials.enrolled import Enrolled
from her2sim.trials.trial import Arm, Trial


def enrol(trial: Trial, arm: Arm, numbers: Positions, seed: int, members: Members) -> VirtualCohort:
    """Patients with some numbers: the same in every arm, chunk and process.

    Parameters
    ----------
    trial, arm : what they are like
    numbers : patient numbers, shape (n,)
    seed : with the number, it decides everything about a patient
    members : of the ensemble, shape (n,)
    """
    who = trial.enrolled
    population = load_population(who.base)
    if who.asian is not None:
        population = population.model_copy(update={"asian": who.asian})
    cohort = replace(draw_cohort(population, numbers, seed), setting=trial.setting)

    def group(name: str, shares: Sequence[float]) -> Positions:
        drawn = cohort.stream(Purpose.COVARIATES).uniform(f"trial:{name}")
        return np.searchsorted(np.cumsum(shares)[:-1], drawn, side="right")

    def yes(name: str, share: Share | None) -> Mask:
        chance = 0.0 if share is None else share.share
        found: Mask = group(name, [1 - chance, chance]) == 1
        return found

    def told(name: str, share: Share | None) -> Mask | None:
        return None if share is None else yes(name, share)

    tested = arm.her2 or who.her2
    earlier = arm.earlier_lines or who.earlier_lines
    lines = {"-1": 1.0} if earlier is None else earlier.shares
    ihc = np.array(list(tested.shares))[group("ihc", list(tested.shares.values()))]
    line = np.array([int(k) for k in lines])[group("lines", list(lines.values()))]
    drugs = who.earlier_drugs if arm.earlier_drugs is None else arm.earlier_drugs
    known = KnownTumours(
        ihc=ihc,
        is_amplified=cohort.stream(Purpose.COVARIATES).uniform("trial:amplified")
        < tested.chance_amplified(ihc),
        earlier_lines=line,
        earlier_drugs={
            tag_of(name): yes(f"after {name}", drugs.get(name)) for name in EARLIER_DRUGS
        }
        if drugs is not None
        else None,
        is_er_positive=told("er", who.er_positive),
        is_pd_l1_positive=told("pd_l1", who.pd_l1_positive),
        is_heterogeneous=told("heterogeneous", arm.heterogeneous or who.heterogeneous),
        is_retested=told("retested", who.retested),
    )
    cohort = _with_primary(cohort, who)
    median, least = (
        None if known is None else known.value for known in (who.lvef_median, who.lvef_least)
    )
    after = yes("anthracycline", who.after_anthracycline)
    heart = CardiacProfile(after, lvef_median_percent=median, lvef_least_percent=least)
    return draw_virtual_cohort(cohort, known, heart, members)


def _with_primary(cohort: Cohort, who: Enrolled) -> Cohort:
    """The same patients with size and nodes of the primary tumour as the trial takes them."""
    stream, found = cohort.stream(Purpose.COVARIATES), dict[str, Array]()
    score = stream.normal("trial:tumour size")
    if who.tumour_mm is not None:
        size = who.tumour_mm
        edges = np.log([size.low_mm, size.high_mm]) - np.log(size.median_mm)
        low, high = ndtr(edges / size.spread)
        within = ndtri(low + ndtr(score) * (high - low))
        found["tumour_mm"] = size.median_mm * np.exp(size.spread * within)
    if who.nodes is not None:
        rho = early_number("size_with_nodes")
        of_nodes = ndtr(rho * score + np.sqrt(1 - rho**2) * stream.normal("trial:nodes"))
        classes = sorted(who.nodes.shares, key=lambda name: NODE_CLASSES[name])
        edges = np.cumsum([who.nodes.shares[name] for name in classes])[:-1]
        place = np.searchsorted(edges, of_nodes, side="right")
        least, most = np.array([NODE_CLASSES[name] for name in classes])[place].T
        drawn = stream.uniform("trial:number of nodes")
        found["positive_nodes"] = np.floor(least + drawn * (most - least + 1)).astype(np.float64)
    if who.locally_advanced is not None:
        drawn = stream.uniform("trial:locally advanced")
        found["locally_advanced"] = (drawn < who.locally_advanced.share).astype(np.float64)
    return replace(cohort, covariates={**cohort.covariates, **found}) if found else cohort
