"""Which numbers that are not known move an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from her2sim.api.arguments import Count, Told, checked
from her2sim.api.asked import asked_of_regimen
from her2sim.api.patients import Patients
from her2sim.api.result import Reported, Result, typed_frame
from her2sim.api.sources import patient_facts, sources_frame
from her2sim.arrays import no_progress
from her2sim.patients.her2_test import Ihc

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.studies.sensitivity import SensitivityReport

PATIENTS = 20


@dataclass(frozen=True, eq=False, repr=False)
class SobolIndices(Reported, Result):
    """Share of the variance of each outcome that a number moves, alone and in all."""

    report: SensitivityReport

    def heading(self) -> str:
        """Regimen, patients and sets of numbers."""
        from her2sim.report.sensitivity_tables import sensitivity_heading

        return sensitivity_heading(self.report)

    def tables(self, top: int = 8) -> tuple[Table, ...]:
        """The numbers that move each outcome most."""
        from her2sim.report.sensitivity_tables import sensitivity_table

        return (sensitivity_table(self.report, top),)

    def frame(self) -> pl.DataFrame:
        """One row an outcome and number, the most important first."""
        from her2sim.studies.sensitivity import Moved

        return typed_frame(Moved, self.report.rows)

    def plot(self) -> Figure:
        """A tornado: each outcome with a number low and high."""
        from her2sim.report.forest_figure import tornado_figure

        return tornado_figure(self.report)

    def sources(self) -> pl.DataFrame:
        """Sources of the drugs, and of the models of tumour and organs."""
        return sources_frame(patient_facts(self.report.combination.treatments, "us"))


@checked
def sensitivity(
    regimen: str,
    patients: Patients | Path | str = "mbc",
    n: int | None = None,
    seed: int | None = None,
    *,
    weeks: Annotated[int, Field(ge=6, le=260)] = 36,
    samples: Literal[16, 32, 64, 128, 256, 512, 1024] = 128,
    ihc: Ihc = "3+",
    ish: Literal["positive", "negative"] | None = None,
    progress: Told = None,
    threads: Count | None = None,
) -> SobolIndices:
    """Rank the numbers that are not known by what they move (Sobol indices).

    A number that moves much and is assumed is where the model rests on weak evidence.

    Parameters
    ----------
    regimen : a named regimen, or drugs joined by ``+``; all doses are given as planned
    patients : those of :func:`her2sim.population`, or the name of a population
    n : how many are treated with every set of numbers; 20 at most without it
    seed : decides everything about them; drawn, and shown, without it
    weeks : how long they are treated
    samples : sets of numbers; that many times the numbers and two are run
    ihc, ish : HER2 test of all patients; without ``ish`` 2+ and 3+ count as positive
    progress : told runs done and in all

    Raises
    ------
    Her2SimError
        If a name is unknown, or the input has faults.
    """
    from her2sim.biology.tumour_profile import AMPLIFIED_BY, TumourProfile
    from her2sim.studies.sensitivity import sensitivity_report

    combination, whom = asked_of_regimen(regimen, patients, n, seed)
    most = min(whom.n, PATIENTS) if n is None else whom.n
    tumour = TumourProfile(ihc, AMPLIFIED_BY.get(ish or ""))
    report = sensitivity_report(
        combination, whom.found, most, samples, weeks, whom.seed, tumour,
        progress=progress or no_progress, threads=threads,
    )  # fmt: skip
    return SobolIndices(report)
