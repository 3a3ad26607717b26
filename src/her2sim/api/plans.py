"""Questions about the regimen of one drug: a late dose, a switch, another interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from her2sim.api.arguments import Count, Told, Weeks, checked
from her2sim.api.asked import asked
from her2sim.api.drugs import arm_of, treatment_of
from her2sim.api.patients import Patients
from her2sim.api.result import Reported, Result
from her2sim.api.sources import exposure_facts, sources_frame

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.studies.plans import PlanComparison, PlanQuestion

Doses = Annotated[int, Field(le=400)]


@dataclass(frozen=True, eq=False, repr=False)
class ComparedPlans(Reported, Result):
    """Plans of one drug beside each other, in the same patients."""

    report: PlanComparison

    def heading(self) -> str:
        """The question and the patients."""
        from her2sim.report.tables import patients_text

        return f"{self.report.question}; {patients_text(self.report)}"

    def tables(self) -> tuple[Table, ...]:
        """Troughs dose by dose, then the exposure between the last two doses."""
        from her2sim.report.tables import plans_table, trough_table

        return trough_table(self.report), plans_table(self.report)

    def main_table(self) -> Table:
        """Exposure between the last two doses."""
        return self.tables()[1]

    def frame(self) -> pl.DataFrame:
        """Trough before each dose: one row a plan and dose."""
        return self.report.frame()

    def plot(self) -> Figure:
        """Concentration bands of the plans, and the share at the target."""
        from her2sim.report.plans_figure import plans_figure

        return plans_figure(self.report)

    def sources(self) -> pl.DataFrame:
        """Sources of the model and the regimens."""
        return sources_frame(exposure_facts(self.report.plans[0].treatment))


@checked
def delay(
    drug: str,
    patients: Patients | Path | str = "mbc",
    n: int | None = None,
    seed: int | None = None,
    *,
    regimen: str | None = None,
    dose: Doses = 7,
    weeks: Annotated[float, Field(le=520)] = 3.0,
    target: float | None = None,
    progress: Told = None,
    threads: Count | None = None,
) -> ComparedPlans:
    """A dose that is given late, with and without a loading dose again.

    Parameters
    ----------
    drug : an INN, a brand name or ``DRUG:MODEL``; with its regimen, as in ``trastuzumab/q3w``
    patients, n, seed : who; see :func:`her2sim.exposure`
    dose : number of the late dose
    weeks : how late it is
    target : trough that is wanted, in the unit of the drug; that of the drug's facts without it

    Raises
    ------
    Her2SimError
        If a name is unknown, or the input has faults.
    """
    from her2sim.studies.plans import delay_question

    def question() -> PlanQuestion:
        return delay_question(treatment_of(drug, regimen), dose, weeks)

    return _compared(question, patients, n, seed, target, progress, threads)


@checked
def interval(
    drug: str,
    patients: Patients | Path | str = "mbc",
    n: int | None = None,
    seed: int | None = None,
    *,
    regimen: str | None = None,
    weeks: Annotated[float, Field(le=104)] = 4.0,
    length_weeks: Weeks = 48.0,
    target: float | None = None,
    progress: Told = None,
    threads: Count | None = None,
) -> ComparedPlans:
    """A drug every so many weeks instead of as on its label.

    Parameters
    ----------
    drug : an INN, a brand name or ``DRUG:MODEL``; with its regimen, as in ``trastuzumab/q3w``
    patients, n, seed : who; see :func:`her2sim.exposure`
    weeks : the other interval
    length_weeks : how long the drug is given
    target : trough that is wanted, in the unit of the drug; that of the drug's facts without it

    Raises
    ------
    Her2SimError
        If a name is unknown, or the input has faults.
    """
    from her2sim.studies.plans import interval_question

    def question() -> PlanQuestion:
        return interval_question(treatment_of(drug, regimen), weeks, length_weeks)

    return _compared(question, patients, n, seed, target, progress, threads)


@checked
def switch(
    first: str,
    second: str,
    patients: Patients | Path | str = "mbc",
    n: int | None = None,
    seed: int | None = None,
    *,
    after: Doses = 4,
    target: float | None = None,
    progress: Told = None,
    threads: Count | None = None,
) -> ComparedPlans:
    """A switch between two regimens of one drug model.

    Parameters
    ----------
    first, second : as in ``trastuzumab-sc/q3w-iv`` and ``trastuzumab-sc/q3w``
    patients, n, seed : who; see :func:`her2sim.exposure`
    after : doses before the switch
    target : trough that is wanted, in the unit of the drug; that of the drug's facts without it

    Raises
    ------
    Her2SimError
        If a name is unknown, the two are not of one model, or the input has faults.
    """
    from her2sim.errors import DataError, all_of
    from her2sim.studies.plans import switch_question

    def question() -> PlanQuestion:
        before, then = all_of(lambda: arm_of(first), lambda: arm_of(second))
        if first == second:
            raise DataError(f"{first}: is both regimens; a switch needs two different ones")
        return switch_question(before, then, after)

    return _compared(question, patients, n, seed, target, progress, threads)


def _compared(
    question: Callable[[], PlanQuestion],
    patients: Patients | Path | str,
    n: int | None,
    seed: int | None,
    target: float | None,
    progress: Told,
    threads: int | None,
) -> ComparedPlans:
    """The plans of a question in the same patients."""
    from her2sim.studies.plans import compare_plans
    from her2sim.studies.target import wanted_target

    found, whom = asked(question, lambda one: [t for _, t in one.plans], patients, n, seed)
    wanted = wanted_target(found.plans[0][1], target)
    return ComparedPlans(
        compare_plans(found, whom.found, whom.n, whom.seed, wanted, progress, threads)
    )
