"""Virtual patients whose random effects are known, and who are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from her2sim.drugs.variability import draw_random_effects
from her2sim.individuals.map_estimates import Measurements
from her2sim.individuals.of_drug import (
    FittedModel,
    KnownOverTime,
    Levels,
    labelled_doses,
    model_of_levels,
    subjects_of,
)
from her2sim.individuals.subjects import Subjects
from her2sim.patients.cohort import Cohort, draw_cohort
from her2sim.patients.population import load_population
from her2sim.pk.treatment import load_treatment

Asked = tuple[FittedModel, KnownOverTime, np.ndarray]


def patients_on(drug: str, regimen: str, n: int, seed: int = 1) -> Asked:
    """A model, patients of the population mbc, and their true random effects (n_effects, n)."""
    treatment = load_treatment(drug, regimen)
    cohort = draw_cohort(load_population("mbc"), np.arange(1, n + 1), seed)
    fitted = model_of_levels(treatment)
    drawn = draw_random_effects(treatment.pk, cohort.numbers, seed)
    true = np.array([drawn[effect.name] for effect in fitted.effects])
    return fitted, KnownOverTime.always(cohort), true


def read_on(asked: Asked, days: Sequence[float]) -> tuple[Subjects, Measurements]:
    """What would be read of them on some days, on the label's doses; values are all one."""
    fitted, known, _ = asked
    cohort: Cohort = known.cohort
    n, m = cohort.n_patients, len(days)
    doses = labelled_doses(fitted.treatment, cohort, max(days) - 1e-6)
    levels = Levels(
        np.repeat(np.arange(n), m), np.tile(np.asarray(days, dtype=float), n),
        np.zeros(n * m, dtype=np.int64), np.ones(n * m), np.zeros(n * m, dtype=bool),
    )  # fmt: skip
    return subjects_of(fitted, known, doses, levels)


def measured_on(
    asked: Asked, days: Sequence[float], seed: int = 3
) -> tuple[Subjects, Measurements]:
    """The same with levels as they would be measured, with the model's residual error."""
    subjects, measured = read_on(asked, days)
    true = subjects.levels(asked[2], np.arange(asked[1].n_patients))
    noise = np.random.default_rng(seed).standard_normal(true.size)
    value = np.maximum(measured.scatter.observed(true, noise), 1e-6)
    return subjects, replace(measured, value=value)
