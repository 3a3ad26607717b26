"""Whom a regimen is given to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from her2sim.api.arguments import checked
from her2sim.api.result import Result, with_notice
from her2sim.api.sources import sources_frame
from her2sim.patients.covariates import Setting

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.patients.cohort import Cohort
    from her2sim.patients.patient import Patient
    from her2sim.patients.population import Population

SHOWN_PATIENTS = 2_000
"""Patients that are drawn to show a population."""


@dataclass(frozen=True, eq=False, repr=False)
class Patients(Result):
    """Patients to be treated: a population that is drawn from, or those of a table.

    ``name`` is that of a population (``mbc``) or a file (``.toml``, ``.csv``); ``setting`` replaces
    that of a population (``early``, ``metastatic``).
    """

    name: str
    setting: Setting | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing but the distributions themselves."""
        return ()

    def load(self, n: int | None, seed: int) -> tuple[Population | Cohort, int]:
        """The population or the patients of the table, and how many of them are treated.

        Raises
        ------
        DataError
            If there are not so many, or the file has faults.
        """
        from her2sim.formats.patient_table import load_patients

        return load_patients(self.name, n, seed, self.setting)

    @checked
    def draw(self, n: int | None = None, seed: int = 1) -> Cohort:
        """Some of the patients with their characteristics."""
        from her2sim.pk.exposure_run import cohort_chunks

        found, n_found = self.load(n, seed)
        (cohort,) = cohort_chunks(found, n_found, seed, n_found)
        return cohort

    def _shown(self) -> Cohort:
        return self.draw(SHOWN_PATIENTS if not self.name.endswith(".csv") else None)

    def heading(self) -> str:
        """Name, title and setting."""
        found, _ = self.load(None, 1)
        title = getattr(found, "title", "a table of patients")
        return f"{found.name}: {title}; {found.setting}"

    def tables(self) -> tuple[Table, ...]:
        """Median, 5th and 95th percentile of each characteristic."""
        from her2sim.report.population_view import characteristics_table

        return (characteristics_table(self._shown()),)

    @checked
    def frame(self, n: int | None = None, seed: int = 1) -> pl.DataFrame:
        """Characteristics of some patients, one row each (2,000 of a population)."""
        cohort = self._shown() if n is None else self.draw(n, seed)
        return cohort.frame()

    def plot(self) -> Figure:
        """Histograms of the characteristics."""
        from her2sim.report.population_view import characteristics_figure

        return characteristics_figure(self._shown(), self.heading())

    def sources(self) -> pl.DataFrame:
        """Sources of the distributions; none for a table of patients."""
        from her2sim.patients.population import Population

        found, _ = self.load(None, 1)
        return sources_frame([(self.name, found if isinstance(found, Population) else None)])

    def as_dict(self) -> dict[str, Any]:
        """Characteristics of some patients as plain data."""
        columns = self.frame().to_dict(as_series=False)
        return with_notice({"name": self.name, "setting": self.setting, "patients": columns})


@checked
def population(name: str | Path, setting: Setting | None = None) -> Patients:
    """Patients by the name of a population, or from a file.

    Parameters
    ----------
    name : ``mbc``, ``ebc``, ``agc``, ``mcrc``, ``healthy``; or a path, ``mine.toml`` with
        distributions or ``patients.csv`` with one row a patient
    setting : ``early`` or ``metastatic``, in place of that of the population

    Raises
    ------
    UnknownNameError, DataError
        If there is no such population, or the file has faults (all of them are listed).
    """
    found = Patients(str(name), setting)
    found.load(None, 1)
    return found


def patients_of(who: Patients | Path | str, setting: Setting | None = None) -> Patients:
    """Patients that were given as such, or by name."""
    if isinstance(who, Patients):
        return who
    return population(who, setting)


def patient_of(given: Patient | Path | str) -> Patient:
    """One patient that was given as such, or by the path of a TOML file."""
    from her2sim.patients.patient import Patient, load_patient

    return given if isinstance(given, Patient) else load_patient(Path(given))
