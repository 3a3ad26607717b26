"""Whom a regimen is given to."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    _known: Population | Cohort = field(init=False, repr=False)

    def __post_init__(self) -> None:
        from her2sim.formats.patients import patients_named

        object.__setattr__(self, "_known", patients_named(self.name, self.setting))

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing but the distributions themselves."""
        return ()

    def load(self, n: int | None, seed: int) -> tuple[Population | Cohort, int]:
        """The population or the patients of the table, and how many of them are treated.

        Raises
        ------
        DataError
            If there are not so many.
        """
        from her2sim.formats.patients import seeded, sized

        return seeded(self._known, seed), sized(self._known, n)

    @checked
    def draw(self, n: int | None = None, seed: int = 1) -> Cohort:
        """Some of the patients with their characteristics."""
        from her2sim.pk.exposure_run import cohort_chunks

        found, n_found = self.load(n, seed)
        (cohort,) = cohort_chunks(found, n_found, seed, n_found)
        return cohort

    def _shown(self, seed: int = 1) -> Cohort:
        return self.draw(SHOWN_PATIENTS if self._is_drawn() else None, seed)

    def _is_drawn(self) -> bool:
        from her2sim.patients.population import Population

        return isinstance(self._known, Population)

    def heading(self) -> str:
        """Name, title and setting."""
        title = getattr(self._known, "title", "a table of patients")
        return f"{self._known.name}: {title}; {self._known.setting}"

    def tables(self) -> tuple[Table, ...]:
        """Median, 5th and 95th percentile of each characteristic."""
        from her2sim.report.population_view import characteristics_table

        return (characteristics_table(self._shown()),)

    @checked
    def frame(self, n: int | None = None, seed: int = 1) -> pl.DataFrame:
        """Characteristics of some patients, one row each (2,000 of a population)."""
        cohort = self._shown(seed) if n is None else self.draw(n, seed)
        return cohort.frame()

    def plot(self) -> Figure:
        """Histograms of the characteristics."""
        from her2sim.report.population_view import characteristics_figure

        return characteristics_figure(self._shown(), self.heading())

    def sources(self) -> pl.DataFrame:
        """Sources of the distributions; none for a table of patients."""
        from her2sim.patients.population import Population

        known = self._known
        return sources_frame([(self.name, known if isinstance(known, Population) else None)])

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
    return Patients(str(name), setting)


def patients_of(who: Patients | Path | str) -> Patients:
    """Patients that were given as such, or by name."""
    return who if isinstance(who, Patients) else population(who)


def patient_of(given: Patient | Path | str) -> Patient:
    """One patient that was given as such, or by the path of a TOML file."""
    from her2sim.patients.patient import Patient, load_patient

    return given if isinstance(given, Patient) else load_patient(Path(given))
