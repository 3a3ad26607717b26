"""How long a drug is still there after its last dose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from her2sim.api.arguments import Count, Told, checked
from her2sim.api.asked import asked_of_drug
from her2sim.api.patients import Patients
from her2sim.api.result import Reported, Result
from her2sim.api.sources import exposure_facts, sources_frame

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.studies.washout import WashoutReport


@dataclass(frozen=True, eq=False, repr=False)
class Washout(Reported, Result):
    """Share of patients below a concentration, by time since the last dose."""

    report: WashoutReport

    def heading(self) -> str:
        """Model, regimen and patients."""
        from her2sim.report.tables import patients_text, treatment_text

        asked = f"{treatment_text(self.report.treatment)}; {patients_text(self.report)}"
        return f"{asked}; {self.report.cycles} cycles"

    def tables(self) -> tuple[Table, ...]:
        """Days until below, and the share below week by week."""
        from her2sim.report.tables import washout_table

        return washout_table(self.report)

    def frame(self) -> pl.DataFrame:
        """Share of patients below: one row a time after the last dose."""
        return self.report.frame()

    def patients(self) -> pl.DataFrame:
        """Days until each patient is below for good; infinite if not within the follow-up."""
        import polars as pl

        return pl.DataFrame({"below_day": self.report.below_day})

    def plot(self) -> Figure:
        """Share below against time."""
        from her2sim.report.washout_figure import washout_figure

        return washout_figure(self.report)

    def sources(self) -> pl.DataFrame:
        """Sources of the model and the regimen."""
        return sources_frame(exposure_facts(self.report.treatment))


@checked
def washout(
    drug: str,
    patients: Patients | Path | str = "mbc",
    n: int | None = None,
    seed: int | None = None,
    *,
    regimen: str | None = None,
    cycles: Annotated[int, Field(ge=1, le=200)] = 17,
    level: float = 1.0,
    weeks: Annotated[int, Field(ge=1, le=260)] = 40,
    progress: Told = None,
    threads: Count | None = None,
) -> Washout:
    """Share of patients below a concentration after the last dose of a drug.

    Parameters
    ----------
    drug : an INN, a brand name or ``DRUG:MODEL``; with its regimen, as in ``trastuzumab/q3w``
    patients, n, seed : who; see :func:`her2sim.exposure`
    cycles : cycles of treatment before it stops; 17 of three weeks are a year
    level : concentration, in the unit in which the drug is shown
    weeks : follow-up after the last dose

    Raises
    ------
    Her2SimError
        If a name is unknown, or the input has faults.
    """
    from her2sim.studies.washout import washout_report

    treatment, whom = asked_of_drug(drug, regimen, patients, n, seed)
    return Washout(
        washout_report(
            treatment, whom.found, whom.n, whom.seed, cycles, level, weeks, progress, threads
        )
    )
