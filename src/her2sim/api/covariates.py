"""What each characteristic of a patient does to exposure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from her2sim.api.arguments import Count, checked
from her2sim.api.asked import asked_of_drug
from her2sim.api.patients import Patients
from her2sim.api.result import Reported, Result, typed_frame
from her2sim.api.sources import exposure_facts, sources_frame

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.studies.covariates import CovariateReport

PATIENTS = 2_000


@dataclass(frozen=True, eq=False, repr=False)
class CovariateEffects(Reported, Result):
    """Exposure over that of the reference patient, with one characteristic changed at a time."""

    report: CovariateReport

    def heading(self) -> str:
        """Model, regimen, and whose percentiles were taken."""
        from her2sim.report.tables import patients_text, treatment_text

        asked = f"{treatment_text(self.report.treatment)}; {patients_text(self.report)}"
        return f"{asked}; steady state in cycle {self.report.cycle}"

    def tables(self) -> tuple[Table, ...]:
        """Ratios of AUC and trough."""
        from her2sim.report.tables import covariates_table

        return (covariates_table(self.report),)

    def frame(self) -> pl.DataFrame:
        """One row a characteristic and value."""
        from her2sim.studies.covariates import CovariateEffect

        return typed_frame(CovariateEffect, self.report.rows)

    def plot(self) -> Figure:
        """A forest plot: AUC and trough over those of the reference patient."""
        from her2sim.report.forest_figure import covariate_figure

        return covariate_figure(self.report)

    def sources(self) -> pl.DataFrame:
        """Sources of the model and the regimen."""
        return sources_frame(exposure_facts(self.report.treatment))


@checked
def covariates(
    drug: str,
    patients: Patients | Path | str = "mbc",
    n: int | None = None,
    seed: int | None = None,
    *,
    regimen: str | None = None,
    threads: Count | None = None,
) -> CovariateEffects:
    """What each characteristic does to exposure at steady state, one at a time.

    Each is set to its 5th and 95th percentile in the population (a yes or no is turned) in the
    reference patient of the model, without random effects.

    Parameters
    ----------
    drug : an INN, a brand name or ``DRUG:MODEL``; with its regimen, as in ``trastuzumab/q3w``
    patients, n, seed : whose percentiles are taken; 2,000 of a population without a number

    Raises
    ------
    Her2SimError
        If a name is unknown, or the model depends on no characteristic.
    """
    from her2sim.studies.covariates import covariate_report

    treatment, whom = asked_of_drug(drug, regimen, patients, n, seed)
    most = min(whom.n, PATIENTS) if n is None else whom.n
    return CovariateEffects(
        covariate_report(treatment, whom.found, most, whom.seed, threads=threads)
    )
