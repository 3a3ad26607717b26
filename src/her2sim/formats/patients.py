"""Who is treated, as a user names it: a population, a population file or a table of patients."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from her2sim.errors import DataError, did_you_mean
from her2sim.patients.cohort import MOST_PATIENTS, Cohort
from her2sim.patients.covariates import SETTINGS, Setting
from her2sim.patients.population import Population, load_population

DEFAULT_PATIENTS = 10_000


def patients_named(name: str, setting: Setting | None = None) -> Population | Cohort:
    """The patients behind ``mbc``, ``mine.toml`` or ``patients.csv``.

    ``setting`` replaces that of a population; patients of a table are metastatic without it.

    Raises
    ------
    UnknownNameError, DataError
        If there is no such population or setting, or the file has faults (all of them are listed).
    """
    if setting not in (None, *SETTINGS):
        raise DataError(f"setting {setting!r}{did_you_mean(str(setting), SETTINGS)}")
    if name.endswith(".csv"):
        from her2sim.formats.patient_table import read_patient_table

        cohort = read_patient_table(Path(name), 0)
        return cohort if setting is None else replace(cohort, setting=setting)
    population = load_population(name)
    if setting in (None, population.setting):
        return population
    changed = {"name": f"{population.name} ({setting})", "setting": setting}
    changed |= {"title": f"{population.title}, taken as {setting} disease"}
    return population.model_copy(update=changed)


def seeded(found: Population | Cohort, seed: int) -> Population | Cohort:
    """The same; patients of a table get the seed of their random effects."""
    return replace(found, seed=seed) if isinstance(found, Cohort) else found


def sized(found: Population | Cohort, patients: int | None) -> int:
    """How many patients are treated; without a number 10,000 of a population, all of a table.

    Raises
    ------
    DataError
        If there are not so many.
    """
    if patients is not None and not 1 <= patients <= MOST_PATIENTS:
        raise DataError(f"{patients} patients: give a number from 1 to {MOST_PATIENTS}")
    if isinstance(found, Population):
        return patients or DEFAULT_PATIENTS
    if patients is not None and patients > found.n_patients:
        raise DataError(f"{found.name}: has {found.n_patients} patients; {patients} are asked for")
    return patients or found.n_patients
