"""Concentrations of one drug in many patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from her2sim.api.arguments import Count, Told, checked
from her2sim.api.asked import asked_of_drug
from her2sim.api.patients import Patients
from her2sim.api.result import Reported, Result, typed_frame, without_nan
from her2sim.api.sources import exposure_facts, sources_frame
from her2sim.drugs.interactions import Kind

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.studies.exposure import ExposureReport

_NOT_PUBLISHED = "No published exposure of this regimen in this population is in the facts."


@dataclass(frozen=True, eq=False, repr=False)
class Exposure(Reported, Result):
    """Exposure of a drug in some patients, beside what was published."""

    report: ExposureReport
    who: Patients

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the model."""
        missing = () if self.report.published else (_NOT_PUBLISHED,)
        return (*missing, *self.report.notes)

    def heading(self) -> str:
        """Model, regimen and patients."""
        from her2sim.report.tables import exposure_heading

        return exposure_heading(self.report)

    def tables(self) -> tuple[Table, ...]:
        """Predicted exposures, and the published ones beside them."""
        from her2sim.report.tables import comparison_table, exposure_table

        found = exposure_table(self.report)
        return (found, comparison_table(self.report)) if self.report.published else (found,)

    def frame(self) -> pl.DataFrame:
        """Exposures over the patients: one row an analyte, cycle and metric."""
        return without_nan(self.report.frame())

    def published(self) -> pl.DataFrame:
        """Published exposures with the predicted ones and their ratio, one row each."""
        from her2sim.studies.exposure import PublishedComparison

        return typed_frame(PublishedComparison, self.report.published)

    def patients(self) -> pl.DataFrame:
        """Exposure of each patient: one row a patient and cycle, with characteristics.

        It is worked out when it is asked for, from the same random numbers.
        """
        import polars as pl

        from her2sim.pk.exposure_run import CHUNK, cohort_chunks, simulate
        from her2sim.studies.exposure_chunks import patient_frame

        report = self.report
        found, n = self.who.load(report.patients, report.seed)
        chunks = cohort_chunks(found, n, report.seed, CHUNK)
        return pl.concat(
            patient_frame(simulate(report.treatment, cohort, report.n_cycles)) for cohort in chunks
        )

    def plot(self) -> Figure:
        """Concentration bands over time, with published troughs and peaks."""
        from her2sim.report.exposure_figure import bands_figure
        from her2sim.studies.bands import concentration_bands

        report = self.report
        found, n = self.who.load(report.patients, report.seed)
        bands = concentration_bands(
            report.treatment, found, n, report.seed, report.steady_state_cycle
        )
        return bands_figure([(report, bands)])

    def sources(self) -> pl.DataFrame:
        """Sources of the model, the regimen, the published exposures and interactions."""
        return sources_frame(exposure_facts(self.report.treatment))


@checked
def exposure(
    drug: str,
    patients: Patients | Path | str = "mbc",
    n: int | None = None,
    seed: int | None = None,
    *,
    regimen: str | None = None,
    interactions: Sequence[tuple[Kind, str]] = (),
    output: Path | None = None,
    restart: bool = False,
    progress: Told = None,
    threads: Count | None = None,
) -> Exposure:
    """Exposure of a drug in a population up to steady state, beside what was published.

    Parameters
    ----------
    drug : an INN, a brand name or ``DRUG:MODEL``; with its regimen, as in ``trastuzumab/q3w``
    patients : those of :func:`her2sim.population`, or the name of a population
    n : how many; 10,000 of a population or all of a table without it
    seed : decides everything about them; drawn, and shown, without it
    regimen : of the label; the first one of the drug without it
    interactions : pairs of kind and name, as in ``("co-medication", "itraconazole")``
    output : Parquet file for one row a patient and cycle; an equal run that was broken off goes on
    restart : replace what another run left at ``output``; it is refused otherwise
    progress : told patients done and in all

    Raises
    ------
    Her2SimError
        If a name is unknown, or the input has faults.
    """
    from her2sim.studies import exposure as studies

    treatment, whom = asked_of_drug(drug, regimen, patients, n, seed, interactions)
    report = studies.exposure(
        treatment, whom.found, whom.n, whom.seed, output=output, restart=restart,
        progress=progress, threads=threads,
    )  # fmt: skip
    return Exposure(report, whom.who)
