"""Visual predictive checks of event tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from her2sim.api.arguments import Told, checked
from her2sim.api.result import Reported, Result, seed_or_drawn, typed_frame
from her2sim.api.sources import sources_frame
from her2sim.arrays import no_progress

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.studies.vpc import VpcReport


@dataclass(frozen=True, eq=False, repr=False)
class PredictiveCheck(Reported, Result):
    """Observed percentiles beside those of simulated studies."""

    report: VpcReport

    def heading(self) -> str:
        """Table, model, simulated studies, and how many percentiles lie inside."""
        from her2sim.report.vpc_view import heading

        return heading(self.report)

    def tables(self) -> tuple[Table, ...]:
        """Observed and simulated percentiles of each bin."""
        from her2sim.report.vpc_view import vpc_table

        return (vpc_table(self.report),)

    def frame(self) -> pl.DataFrame:
        """One row a bin and percentile."""
        from her2sim.studies.vpc import VpcRow

        return typed_frame(VpcRow, self.report.rows)

    def simulations(self) -> pl.DataFrame:
        """All simulated observations: one row a replicate and observation record."""
        return self.report.simulations()

    def plot(self) -> Figure:
        """Bands of the simulated percentiles with what was observed over them."""
        from her2sim.report.vpc_view import vpc_figure

        return vpc_figure(self.report)

    def sources(self) -> pl.DataFrame:
        """Sources of the drug's model."""
        from her2sim.drugs.drug import load_pk

        return sources_frame([(self.report.model, load_pk(self.report.model))])


@checked
def vpc(
    events: str | Path,
    drug: str,
    replicates: Annotated[int, Field(ge=20, le=10_000)] = 500,
    seed: int | None = None,
    *,
    covariates: Sequence[str] = (),
    ignore: Sequence[str] = (),
    time_unit: Literal["h", "day"] = "h",
    carry: Literal["nocb", "locf"] = "nocb",
    against: Literal["time", "after-dose"] = "time",
    corrected: bool = False,
    progress: Told = None,
) -> PredictiveCheck:
    """Simulate the study of an event table again and again, and lay what was observed over it.

    Parameters
    ----------
    events : path of the table (CSV), with observations in DV in the unit of the drug
    drug : drug or ``DRUG:MODEL`` whose model is checked; random effects and residual error are its
    replicates : simulated studies; the first is the one of :func:`her2sim.simulate`
    seed : decides them; drawn, and shown, without it
    covariates, ignore, time_unit, carry : see :func:`her2sim.simulate`
    against : the time of the table, or the time after the last dose
    corrected : whether values are corrected by the population prediction (doses that differ)
    progress : told studies done and in all

    Raises
    ------
    DataError
        With all faults of the table; or if no residual error of the model is known.
    """
    from her2sim.studies.vpc import vpc_report

    return PredictiveCheck(
        vpc_report(
            Path(events), drug, replicates, seed_or_drawn(seed), constants=covariates,
            ignore=ignore, time_unit=time_unit, carry=carry, against=against,
            is_corrected=corrected, progress=progress or no_progress,
        )
    )  # fmt: skip
