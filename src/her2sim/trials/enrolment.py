"""Patients of a trial: from its population, its HER2 scores and lines of treatment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from itertools import product

import numpy as np

from her2sim.arrays import Positions
from her2sim.biology.ensemble import Members
from her2sim.biology.heart import CardiacProfile
from her2sim.biology.tumour import TumourProfile
from her2sim.biology.virtual_cohort import VirtualCohort, draw_virtual_cohort
from her2sim.patients.cohort import draw_cohort
from her2sim.patients.population import Share, load_population
from her2sim.random import Purpose
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

    def yes(name: str, share: Share | None, usual: float) -> Positions:
        chance = usual if share is None else share.share
        return group(name, [1 - chance, chance])

    tested = arm.her2 or who.her2
    her2 = tested.shares
    earlier = arm.earlier_lines or who.earlier_lines
    lines = {"-1": 1.0} if earlier is None else earlier.shares
    ihc = group("ihc", list(her2.values()))
    line = group("lines", list(lines.values()))
    er = None if who.er_positive is None else yes("er", who.er_positive, 0.0)
    anthracycline = yes("anthracycline", who.after_anthracycline, 0.0)
    parts, order = list[VirtualCohort](), list[Positions]()
    choices = product(
        range(len(her2)), range(len(lines)), (0, 1), (None,) if er is None else (0, 1)
    )
    for i, k, after, positive in choices:
        chosen = (ihc == i) & (line == k) & (anthracycline == after)
        if er is not None:
            chosen &= er == positive
        rows = np.flatnonzero(chosen)
        if not rows.size:
            continue
        covariates = {name: values[rows] for name, values in cohort.covariates.items()}
        part = replace(cohort, numbers=numbers[rows], covariates=covariates)
        known = TumourProfile(
            ihc=list(her2)[i],
            is_amplified=tested.amplified,
            earlier_lines=int(list(lines)[k]),
            is_er_positive=None if positive is None else bool(positive),
        )
        median, least = (
            None if known is None else known.value for known in (who.lvef_median, who.lvef_least)
        )
        heart = CardiacProfile(bool(after), lvef_median_percent=median, lvef_least_percent=least)
        parts.append(draw_virtual_cohort(part, known, heart, members.take(rows)))
        order.append(rows)
    together = reduce(lambda a, b: a.beside(b), parts)
    return together.take(np.argsort(np.concatenate(order)))
