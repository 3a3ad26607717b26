"""Predictions for an event table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from her2sim.api.arguments import checked
from her2sim.api.result import Result, seed_or_drawn, with_notice
from her2sim.api.sources import sources_frame

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.pk.dataset_run import DatasetPrediction
    from her2sim.regimens.event_table import EventTable

SHOWN_ROWS = 12


@dataclass(frozen=True, eq=False, repr=False)
class Predictions(Result):
    """Predictions at the observation records of an event table."""

    path: Path
    model: str
    drug: str | None
    table: EventTable
    prediction: DatasetPrediction
    notes_found: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the run."""
        return self.notes_found

    def heading(self) -> str:
        """Table and model."""
        n = self.prediction.record.size
        return f"{self.path.name}: {n} predictions with {self.model}"

    def tables(self) -> tuple[Table, ...]:
        """The first predictions."""
        from her2sim.report.prediction_view import prediction_table

        return (prediction_table(self.frame(), SHOWN_ROWS),)

    def frame(self) -> pl.DataFrame:
        """One row an observation record: ID, TIME, ANALYTE, PRED, IPRED, DV, UNIT (and SIM).

        TIME and DV are those of the table as numbers; a DV that is not there (``.``) is null.
        """
        import polars as pl

        from her2sim.studies.dataset import prediction_frame

        found = prediction_frame(self.table, self.prediction)
        numbers = pl.col("TIME", "DV").cast(pl.Float64, strict=False)
        return found.with_columns(numbers)

    def doses(self) -> pl.DataFrame:
        """The flat dose list: one row a dose that the table leads to."""
        from her2sim.studies.dataset import dose_frame

        return dose_frame(self.prediction)

    def plot(self) -> Figure:
        """Predictions over time, one line a subject, and observed values."""
        from her2sim.errors import DataError
        from her2sim.report.prediction_view import prediction_figure

        if not self.prediction.record.size:
            raise DataError(f"{self.path}: has no observation record (EVID 0), so nothing is drawn")

        return prediction_figure(self.frame(), self.heading())

    def sources(self) -> pl.DataFrame:
        """Sources of the drug's model; none for a named structure, whose numbers are yours."""
        from her2sim.drugs.drug import load_pk

        facts = None if self.drug is None else load_pk(self.drug)
        return sources_frame([(self.model, facts)])

    def as_dict(self) -> dict[str, Any]:
        """The answer as plain data, for JSON."""
        rows = self.frame().to_dicts()
        return with_notice({"model": self.model, "predictions": rows, "notes": list(self.notes)})


@checked
def simulate(
    events: str | Path,
    drug: str | None = None,
    seed: int | None = None,
    *,
    structure: str | None = None,
    settings: Sequence[str] = (),
    typical: bool = False,
    covariates: Sequence[str] = (),
    ignore: Sequence[str] = (),
    time_unit: Literal["h", "day"] = "h",
    carry: Literal["nocb", "locf"] = "nocb",
    lag_column: str | None = None,
    f_column: str | None = None,
    rate_column: str | None = None,
    duration_column: str | None = None,
    acts_on: str = "central",
    observations: bool = False,
) -> Predictions:
    """Predictions for a NONMEM-style table, one row for each EVID 0 record. Amounts are in mg.

    Parameters
    ----------
    events : path of the table (CSV)
    drug : drug or ``DRUG:MODEL`` whose model is used; or a ``structure`` with its ``settings``
    seed : decides the random effects; drawn, and shown, without it
    structure : a named structure (``one_compartment_iv``)
    settings : its parameters, as in ``("cl=1.1*(WT/70)^0.75",)``, with columns of the table
    typical : no random effects; what is not known of a patient is typical
    covariates : characteristics of all subjects that the table does not tell, ``("NAME=VALUE",)``
    ignore : columns that are not to be used
    time_unit : unit of TIME, II, DUR, rates and settings
    carry : whether the next record's values hold backwards, or the last one's on
    lag_column, f_column, rate_column, duration_column : columns with lag time, bioavailability,
        and what RATE -1 and -2 ask for
    acts_on : compartment whose doses lag and bioavailability change, or ``all``
    observations : whether observations with the residual error of the drug's model are simulated
        too (column SIM)

    Raises
    ------
    DataError
        With all faults of the table.
    """
    from her2sim.drugs.drug import load_pk
    from her2sim.errors import DataError
    from her2sim.studies.dataset import run_events

    if seed is not None and (structure is not None or (typical and not observations)):
        raise DataError(f"seed {seed}: nothing is drawn here; leave it out")
    table, prediction, notes = run_events(
        Path(events), drug=drug, structure=structure, settings=settings, typical=typical,
        constants=covariates, ignore=ignore, time_unit=time_unit, carry=carry,
        lag_column=lag_column, f_column=f_column, rate_column=rate_column,
        duration_column=duration_column, acts_on=acts_on, seed=seed_or_drawn(seed),
        observations=observations,
    )  # fmt: skip
    model = load_pk(drug).name if drug is not None else structure or ""
    return Predictions(Path(events), model, drug, table, prediction, tuple(notes))
