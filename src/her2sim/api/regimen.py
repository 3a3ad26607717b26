"""Exposure of all drugs of a regimen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from her2sim.api.arguments import Count, Told, checked
from her2sim.api.asked import asked_of_regimen
from her2sim.api.patients import Patients
from her2sim.api.result import Reported, Result, without_nan
from her2sim.api.sources import exposure_facts, sources_frame

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.studies.regimen_exposure import TogetherReport


@dataclass(frozen=True, eq=False, repr=False)
class RegimenExposure(Reported, Result):
    """Exposure of every drug of a regimen, cycle by cycle of three weeks."""

    report: TogetherReport
    who: Patients

    def heading(self) -> str:
        """Regimen, patients and cycles."""
        from her2sim.report.tables import patients_text

        report = self.report
        cycles = f"{report.n_cycles} cycles of three weeks"
        return f"{report.combination.title}; {patients_text(report)}; {cycles}"

    def tables(self) -> tuple[Table, ...]:
        """Exposure in the first and the last cycle in which each drug is given."""
        from her2sim.report.tables import together_table

        return (together_table(self.report),)

    def frame(self) -> pl.DataFrame:
        """Exposures over the patients: one row a drug, analyte, cycle and metric."""
        return without_nan(self.report.frame())

    def plot(self) -> Figure:
        """Concentration bands of each drug over its first three cycles."""
        from her2sim.report.exposure_figure import bands_figure
        from her2sim.studies.regimen_exposure import bands_together

        report = self.report
        found, n = self.who.load(report.patients, report.seed)
        bands = bands_together(report.combination, found, n, report.seed, report.n_cycles)
        title = f"{report.combination.name}, {report.population}"
        return bands_figure([(None, band) for band in bands], title)

    def sources(self) -> pl.DataFrame:
        """Sources of the models, the regimens and the interactions."""
        treatments = self.report.combination.treatments
        return sources_frame(named for t in treatments for named in exposure_facts(t))


@checked
def regimen_exposure(
    regimen: str,
    patients: Patients | Path | str = "mbc",
    n: int | None = None,
    seed: int | None = None,
    *,
    cycles: Annotated[int, Field(ge=1, le=200)] = 18,
    output: Path | None = None,
    restart: bool = False,
    progress: Told = None,
    threads: Count | None = None,
) -> RegimenExposure:
    """Exposure of every drug of a regimen in a population.

    What one drug does to another acts by itself, or a note says that nothing is known.

    Parameters
    ----------
    regimen : a named regimen, or drugs joined by ``+``, each
        ``DRUG[:MODEL][/REGIMEN][*DOSES][@DAY]``, as in ``pertuzumab + trastuzumab + docetaxel*6``
    patients, n, seed : who; see :func:`her2sim.exposure`
    cycles : cycles of three weeks
    output : Parquet file for one row a patient, drug and cycle; an equal run that was broken off
        goes on
    restart : replace what another run left at ``output``; it is refused otherwise

    Raises
    ------
    Her2SimError
        If a name is unknown, or the input has faults.
    """
    from her2sim.studies.regimen_exposure import exposure_together

    combination, whom = asked_of_regimen(regimen, patients, n, seed)
    report = exposure_together(
        combination, whom.found, whom.n, whom.seed, cycles,
        output=output, restart=restart, progress=progress, threads=threads,
    )  # fmt: skip
    return RegimenExposure(report, whom.who)
