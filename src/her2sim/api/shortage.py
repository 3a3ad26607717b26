"""What a supply interruption does."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from her2sim.api.arguments import Count, Told, checked
from her2sim.api.asked import asked_of_drug
from her2sim.api.patients import Patients
from her2sim.api.result import Reported, Result, without_nan
from her2sim.api.sources import exposure_facts, sources_frame
from her2sim.protocol.label import Region
from her2sim.protocol.supply import Policy, Reloading

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.studies.shortage import ShortageReport


@dataclass(frozen=True, eq=False, repr=False)
class ShortSupply(Reported, Result):
    """The undisturbed course beside the one with a shortage, in the same patients."""

    report: ShortageReport

    def heading(self) -> str:
        """What is missing and when, and the patients."""
        from her2sim.report.shortage_figure import shortage_text

        return shortage_text(self.report)

    def tables(self) -> tuple[Table, ...]:
        """Troughs cycle by cycle, and what is counted per patient."""
        from her2sim.report.protocol_tables import shortage_tables

        return shortage_tables(self.report)

    def frame(self) -> pl.DataFrame:
        """Trough at the end of each cycle: one row a course and cycle."""
        return self.report.frame()

    def per_patient(self) -> pl.DataFrame:
        """Dose intensity, doses, reloads and exposure over the patients: one row a course each."""
        return without_nan(self.report.per_patient_frame())

    def plot(self) -> Figure:
        """Troughs with and without the shortage."""
        from her2sim.report.shortage_figure import shortage_figure

        return shortage_figure(self.report)

    def sources(self) -> pl.DataFrame:
        """Sources of the model, the regimen and the label."""
        from her2sim.protocol.label import load_label

        drug, region = self.report.treatment.drug.id, self.report.region
        label = (f"{drug} label ({region})", load_label(drug, region))
        return sources_frame([*exposure_facts(self.report.treatment), label])


@checked
def shortage(
    drug: str,
    patients: Patients | Path | str = "mbc",
    n: int | None = None,
    seed: int | None = None,
    *,
    regimen: str | None = None,
    weeks: tuple[float, float] | None = None,
    probability: float = 1.0,
    policy: Policy = "delay",
    substitute: str | None = None,
    reload: Reloading = "label",
    region: Region = "us",
    cycles: Annotated[int, Field(ge=2, le=100)] = 18,
    target: float | None = None,
    progress: Told = None,
    threads: Count | None = None,
) -> ShortSupply:
    """A drug that is missing for some weeks, or now and then, beside the undisturbed course.

    Parameters
    ----------
    drug : an INN, a brand name or ``DRUG:MODEL``; with its regimen, as in ``trastuzumab/q3w``
    patients, n, seed : who; see :func:`her2sim.exposure`
    weeks : first and last week in which it is missing; always without it
    probability : that it is missing at a visit in these weeks
    policy : ``delay`` asks again every week, ``skip`` leaves the dose out, ``substitute`` gives
        what ``substitute`` names: a regimen of the same model, or ``biosimilar``
    reload : whether a late dose is a loading dose by the label, or ``never``
    cycles : cycles of the regimen
    target : trough that is wanted, in the unit of the drug; that of the drug's facts without it

    Raises
    ------
    Her2SimError
        If a name is unknown, or the input has faults.
    """
    from her2sim.errors import DataError
    from her2sim.protocol.supply import Shortage
    from her2sim.studies.shortage import shortage_report, substitute_phase
    from her2sim.studies.target import wanted_target
    from her2sim.units import DAY_PER_WEEK

    if weeks is None and probability == 1:
        raise DataError("say when the drug is missing: some weeks, or a probability below 1")
    treatment, whom = asked_of_drug(drug, regimen, patients, n, seed)
    first, last = (DAY_PER_WEEK * week for week in weeks or (0.0, math.inf))
    missing = Shortage(
        treatment.drug.id, policy, first, last, probability, reload,
        instead=substitute_phase(treatment, substitute),
    )  # fmt: skip
    wanted = wanted_target(treatment, target)
    return ShortSupply(
        shortage_report(
            treatment,
            missing,
            whom.found,
            whom.n,
            whom.seed,
            cycles,
            wanted,
            region,
            progress,
            threads,
        )
    )
