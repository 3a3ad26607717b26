"""Exposure at given body weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from her2sim.api.arguments import Count, Numbers, Told, checked
from her2sim.api.asked import asked_of_drug
from her2sim.api.patients import Patients
from her2sim.api.result import Reported, Result, without_nan
from her2sim.api.sources import exposure_facts, sources_frame

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.studies.weight import WeightReport


@dataclass(frozen=True, eq=False, repr=False)
class ExposureByWeight(Reported, Result):
    """Exposure at steady state, had all patients one weight after another."""

    report: WeightReport

    def heading(self) -> str:
        """Model, regimen and patients."""
        from her2sim.report.tables import patients_text, treatment_text

        asked = f"{treatment_text(self.report.treatment)}; {patients_text(self.report)}"
        return f"{asked}; steady state in cycle {self.report.cycle}"

    def tables(self) -> tuple[Table, ...]:
        """Exposure at each weight."""
        from her2sim.report.tables import weights_table

        return (weights_table(self.report),)

    def frame(self) -> pl.DataFrame:
        """One row a weight and metric."""
        return without_nan(self.report.frame())

    def plot(self) -> Figure:
        """Exposure against body weight."""
        from her2sim.report.weight_figure import weights_figure

        return weights_figure(self.report)

    def sources(self) -> pl.DataFrame:
        """Sources of the model and the regimen."""
        return sources_frame(exposure_facts(self.report.treatment))


@checked
def weight(
    drug: str,
    patients: Patients | Path | str = "mbc",
    n: int | None = None,
    seed: int | None = None,
    *,
    regimen: str | None = None,
    weights_kg: Numbers = (45.0, 60.0, 75.0, 90.0, 120.0),
    target: float | None = None,
    progress: Told = None,
    threads: Count | None = None,
) -> ExposureByWeight:
    """Exposure of a drug at steady state, had all patients a given body weight.

    Parameters
    ----------
    drug : an INN, a brand name or ``DRUG:MODEL``; with its regimen, as in ``trastuzumab/q3w``
    patients, n, seed : who; see :func:`her2sim.exposure`
    weights_kg : two weights or more, each 20 to 300 kg
    target : trough that is wanted, in the unit of the drug; that of the drug's facts without it

    Raises
    ------
    Her2SimError
        If a name is unknown, or the input has faults.
    """
    from her2sim.studies.target import wanted_target
    from her2sim.studies.weight import exposure_by_weight

    treatment, whom = asked_of_drug(drug, regimen, patients, n, seed)
    wanted = wanted_target(treatment, target)
    return ExposureByWeight(
        exposure_by_weight(
            treatment, whom.found, whom.n, whom.seed, weights_kg, wanted, progress, threads
        )
    )
