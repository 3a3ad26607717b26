"""A virtual two-arm study of exposure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from her2sim.api.arguments import checked
from her2sim.api.drugs import arm_of
from her2sim.api.patients import Patients, patients_of
from her2sim.api.result import Reported, Result, seed_or_drawn, typed_frame
from her2sim.api.sources import exposure_facts, sources_frame

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.studies.comparison import TwoArms


@dataclass(frozen=True, eq=False, repr=False)
class TwoArmStudy(Reported, Result):
    """Exposure of one treatment over that of another, in parallel groups."""

    report: TwoArms

    def heading(self) -> str:
        """Both arms and the patients."""
        from her2sim.report.tables import two_arms_text

        return two_arms_text(self.report)

    def tables(self) -> tuple[Table, ...]:
        """Geometric means and their ratio."""
        from her2sim.report.tables import ratio_table

        return (ratio_table(self.report),)

    def frame(self) -> pl.DataFrame:
        """Ratios of geometric means with their 90 % intervals, one row a metric."""
        from her2sim.studies.comparison import GeometricRatio

        return typed_frame(GeometricRatio, self.report.rows)

    def patients(self) -> pl.DataFrame:
        """Exposure of each patient: one row a patient, numbered through both arms."""
        return self.report.patient_frame()

    def plot(self) -> Figure:
        """Distributions of both arms."""
        from her2sim.report.comparison_figure import study_figure

        return study_figure(self.report)

    def sources(self) -> pl.DataFrame:
        """Sources of both models and regimens."""
        arms = (self.report.test, self.report.reference)
        return sources_frame(named for arm in arms for named in exposure_facts(arm))


@checked
def compare(
    test: str,
    reference: str,
    patients: Patients | Path | str = "ebc",
    per_arm: Annotated[int, Field(ge=2)] = 250,
    seed: int | None = None,
    *,
    cycle: Annotated[int, Field(ge=1, le=200)] = 7,
) -> TwoArmStudy:
    """A virtual two-arm study: exposure under one treatment over that under another.

    Parameters
    ----------
    test, reference : as in ``trastuzumab-sc/q3w`` and ``trastuzumab-sc/q3w-iv``; compare routes
        inside one model
    patients : a population to draw from, each arm its own patients
    per_arm : patients in each arm
    seed : decides everything about them; drawn, and shown, without it
    cycle : whose exposure is compared

    Raises
    ------
    Her2SimError
        If a name is unknown, the arms are in different units, or the patients are a table.
    """
    from her2sim.errors import DataError
    from her2sim.patients.population import Population
    from her2sim.studies.comparison import two_arms

    arms, number = (arm_of(test), arm_of(reference)), seed_or_drawn(seed)
    found, _ = patients_of(patients).load(None, number)
    if not isinstance(found, Population):
        raise DataError(f"{found.name}: each arm draws its own patients; give a population")
    return TwoArmStudy(two_arms(*arms, found, per_arm, cycle, number))
