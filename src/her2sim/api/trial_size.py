"""How many patients a trial needs, and what other designs of it give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from her2sim.api.arguments import Count, Told, checked
from her2sim.api.result import Reported, Result, seed_or_drawn, typed_frame
from her2sim.api.sources import trial_facts
from her2sim.arrays import no_progress

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.studies.trial.grid import GridReport
    from her2sim.studies.trial.size import SizeReport
    from her2sim.trials.run import TrialRun
    from her2sim.trials.trial import Trial

Share = Annotated[float, Field(ge=0.05, le=0.99)]
Level = Annotated[float, Field(ge=0.0001, le=0.5)]


@dataclass(frozen=True, eq=False, repr=False)
class TrialSize(Reported, Result):
    """Fewest patients for a power, and the power around them."""

    report: SizeReport

    @property
    def patients(self) -> int | None:
        """Fewest patients of both arms; None where no size reaches the power."""
        return None if self.report.found is None else self.report.found.patients

    def heading(self) -> str:
        """Trial, comparison, power and what was found."""
        from her2sim.report.size_view import heading

        return heading(self.report)

    def tables(self) -> tuple[Table, ...]:
        """Sizes and their power."""
        from her2sim.report.size_view import size_table

        return (size_table(self.report),)

    def frame(self) -> pl.DataFrame:
        """Sizes and their power, one row each."""
        from her2sim.studies.trial.size import SizeRow

        return typed_frame(SizeRow, self.report.rows)

    def plot(self) -> Figure:
        """Power against the number of patients."""
        from her2sim.report.size_view import size_figure

        return size_figure(self.report)

    def sources(self) -> pl.DataFrame:
        """Sources of the trial, the drugs, the labels, and the models of tumour and organs."""
        return trial_facts(self.report.trial)


@checked
def trial_size(
    name: str | Path,
    power: Share = 0.8,
    seed: int | None = None,
    *,
    endpoint: str | None = None,
    arm: str | None = None,
    alpha: Level = 0.05,
    trials: Annotated[int, Field(ge=100, le=100_000)] = 1_000,
    pool: Annotated[int, Field(ge=50, le=20_000)] = 400,
    members: Count | None = None,
    workers: Count = 1,
    progress: Told = None,
) -> TrialSize:
    """Fewest patients for a power of the log-rank test, when the numbers are uncertain.

    The trial is simulated once, with ``pool`` patients an arm for each member of the ensemble;
    trials of any size are drawn from those of one member at a time.

    Parameters
    ----------
    name : one of the trials that come with her2sim, or a trial file of your own with a hazard ratio
    power : wanted, averaged over the members (assurance)
    seed : decides everything; drawn, and shown, without it
    endpoint, arm : which comparison is meant, as in ``"PFS"``; the first of the file without them
    alpha : two-sided level
    trials : drawn at each size
    pool : simulated patients of an arm and member
    members : members of the ensemble; all without it
    workers : processes; with more than one, a script needs its ``if __name__ == "__main__"``
    progress : told what was done, and what is to be done in all

    Raises
    ------
    Her2SimError
        If a name is unknown, or the trial does not compare this.
    """
    from her2sim.studies.trial.size import chosen_comparison, size_report
    from her2sim.trials.library import load_trial

    trial = load_trial(str(name))
    row = chosen_comparison(trial, endpoint, arm)
    with _simulated(trial, pool, members, seed, workers, progress) as run:
        return TrialSize(size_report(run, row, power, alpha, trials))


@contextmanager
def _simulated(
    trial: Trial,
    pool: int,
    members: int | None,
    seed: int | None,
    workers: int,
    progress: Told,
) -> Iterator[TrialRun]:
    """Patients of a trial, ``pool`` an arm for each member of the ensemble, while they are kept."""
    from her2sim.biology.ensemble import ensemble
    from her2sim.trials.folder import TrialFolder
    from her2sim.trials.run import BEST_OF, RunSettings, run_trial

    n_members = members or len(ensemble().draws)
    n = pool * n_members * BEST_OF // (BEST_OF - 1) if n_members > 1 else pool
    asked = RunSettings(n, seed_or_drawn(seed), n_members)
    with TrialFolder(None) as store:
        yield run_trial(trial, asked, store, workers=workers, progress=progress or no_progress)


@dataclass(frozen=True, eq=False, repr=False)
class DesignGrid(Reported, Result):
    """Power and duration by arm size, follow-up and size of the effect."""

    report: GridReport

    def heading(self) -> str:
        """Trial, comparison, and how many designs."""
        from her2sim.report.grid_view import heading

        return heading(self.report)

    def tables(self) -> tuple[Table, ...]:
        """Designs, one row each."""
        from her2sim.report.grid_view import grid_table

        return (grid_table(self.report),)

    def frame(self) -> pl.DataFrame:
        """Designs, one row each."""
        from her2sim.studies.trial.grid import GridCell

        return typed_frame(GridCell, self.report.cells)

    def plot(self) -> Figure:
        """Power by size and follow-up, a panel for each effect."""
        from her2sim.report.grid_view import grid_figure

        return grid_figure(self.report)

    def sources(self) -> pl.DataFrame:
        """Sources of the trial, the drugs, the labels, and the models of tumour and organs."""
        return trial_facts(self.report.trial)


@checked
def design_grid(
    name: str | Path,
    per_arm: tuple[int, ...] = (50, 100, 200, 400),
    follow_up_month: tuple[float, ...] = (6.0, 12.0, 24.0),
    effect_percent: tuple[float, ...] = (100.0, 50.0, 0.0),
    seed: int | None = None,
    *,
    endpoint: str | None = None,
    arm: str | None = None,
    alpha: Level = 0.05,
    trials: Annotated[int, Field(ge=100, le=20_000)] = 400,
    pool: Annotated[int, Field(ge=50, le=20_000)] = 200,
    members: Count | None = None,
    workers: Count = 1,
    progress: Told = None,
) -> DesignGrid:
    """Power, duration and patients of many designs of one trial.

    Parameters
    ----------
    name : one of the trials that come with her2sim, or a trial file of your own with a hazard ratio
    per_arm : patients in an arm of weight 1
    follow_up_month : from the last patient to the data cut
    effect_percent : part of the predicted effect that is really there
    seed : decides everything; drawn, and shown, without it
    endpoint, arm : which comparison is meant; the first of the file without them
    alpha : two-sided level of the log-rank test
    trials : drawn for each design
    pool : simulated patients of an arm and member
    members : members of the ensemble; all without it
    workers : processes
    progress : told what was done, and what is to be done in all

    Raises
    ------
    Her2SimError
        If a name is unknown, the trial does not compare this, or the grid is too large.
    """
    from her2sim.studies.trial.grid import GridAsked, followed_longest, grid_report
    from her2sim.studies.trial.size import FEWEST_PATIENTS, MOST_PATIENTS, chosen_comparison
    from her2sim.trials.library import load_trial

    grid = GridAsked(per_arm, follow_up_month, effect_percent)
    _require_within(per_arm, "patients an arm", FEWEST_PATIENTS, MOST_PATIENTS)
    _require_within(follow_up_month, "follow-up in months", 0.1, 180)
    _require_within(effect_percent, "effect in %", 0, 100)
    trial = followed_longest(load_trial(str(name)), grid)
    row = chosen_comparison(trial, endpoint, arm)
    with _simulated(trial, pool, members, seed, workers, progress) as run:
        return DesignGrid(grid_report(run, row, grid, alpha, trials, progress or no_progress))


def _require_within(values: Sequence[float], what: str, low: float, high: float) -> None:
    from her2sim.errors import DataError

    wrong = [f"{value:g}" for value in values if not low <= value <= high]
    if wrong:
        raise DataError(f"{what}: {', '.join(wrong)}; use {low:g} to {high:g}")
