"""A virtual trial beside the published one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from her2sim.api.arguments import Count, Told, checked
from her2sim.api.result import Reported, Result, seed_or_drawn, typed_frame, without_nan
from her2sim.api.sources import trial_facts
from her2sim.arrays import no_progress

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.studies.trial.courses import ArmCourses
    from her2sim.studies.trial.report import TrialReport
    from her2sim.trials.folder import TrialFolder
    from her2sim.trials.trial import Trial


@dataclass(frozen=True, eq=False, repr=False)
class TrialResult(Reported, Result):
    """A trial that was run, laid beside what was published."""

    report: TrialReport
    _store: TrialFolder = field(repr=False)
    _written: dict[str, tuple[int, int]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._written.update({arm: _stamp(path) for arm, path in self.report.run.paths.items()})

    def heading(self) -> str:
        """Trial, patients, seed and members."""
        from her2sim.report.trial_tables import heading

        return heading(self.report)

    def tables(self) -> tuple[Table, ...]:
        """Arms, endpoints, hazard ratios, adverse events, treatment and power."""
        from her2sim.report.trial_tables import trial_tables

        return tuple(trial_tables(self.report))

    def main_table(self) -> Table:
        """Hazard ratios; the endpoints of a trial of one arm."""
        from her2sim.report.trial_tables import endpoint_table, ratio_table

        return ratio_table(self.report) if self.report.ratios else endpoint_table(self.report)

    def frame(self) -> pl.DataFrame:
        """Endpoints, hazard ratios and adverse events with what was published, one row each."""
        import polars as pl

        parts = (self.hazard_ratios(), self.endpoints(), self.adverse_events())
        kinds = ("hazard ratio", "endpoint", "adverse event")
        named = [
            frame.select(pl.lit(kind).alias("kind"), pl.all())
            for kind, frame in zip(kinds, parts, strict=True)
        ]
        return pl.concat(named, how="diagonal_relaxed")

    def hazard_ratios(self) -> pl.DataFrame:
        """Hazard ratios, predicted and published, one row each."""
        from her2sim.studies.trial.rows import HazardRatioRow

        return typed_frame(HazardRatioRow, self.report.ratios)

    def endpoints(self) -> pl.DataFrame:
        """Endpoints of each arm, predicted and published, one row each."""
        from her2sim.studies.trial.rows import EndpointRow

        return typed_frame(EndpointRow, self.report.endpoints)

    def adverse_events(self) -> pl.DataFrame:
        """Adverse events of each arm in per cent, predicted and published, one row each."""
        from her2sim.studies.trial.rows import SafetyRow

        return typed_frame(SafetyRow, self.report.safety)

    @checked
    def patients(self, arm: str) -> pl.DataFrame:
        """What became of each patient of an arm, one row each.

        Raises
        ------
        UnknownNameError, DataError
            If the trial has no such arm, or its outcomes are gone or were overwritten.
        """
        import polars as pl

        from her2sim.errors import DataError, UnknownNameError, did_you_mean

        paths = self.report.run.paths
        if arm not in paths:
            hint = did_you_mean(arm, paths)
            raise UnknownNameError(f"{self.report.trial.id} has no arm {arm!r}{hint}")
        path = paths[arm]
        if not path.is_file():
            raise DataError(f"{path}: is not there any more; run the trial again, with a folder")
        if _stamp(path) != self._written[arm]:
            raise DataError(f"{path}: was written by another run since; use a folder for each run")
        return without_nan(pl.read_parquet(paths[arm]))

    def plot(self) -> Figure:
        """The Kaplan-Meier curves with published points."""
        return self.plot_km()

    def plot_km(self) -> Figure:
        """Kaplan-Meier curves of all endpoints, published points on them, numbers at risk below."""
        from her2sim.report.trial_figure import trial_figure

        return trial_figure(self.report)

    def plot_forest(self) -> Figure:
        """Hazard ratios, predicted with their ranges and published with their intervals."""
        from her2sim.report.forest_figure import hazard_figure

        return hazard_figure(self.report)

    def courses(self, patients: int = 60) -> tuple[ArmCourses, ...]:
        """The first patients of each arm, scan by scan (200 an arm at most)."""
        from her2sim.studies.trial.courses import trial_courses

        return trial_courses(self.report.run, patients)

    def plot_waterfall(self, patients: int = 60) -> Figure:
        """Best change of the sum of diameters of the first patients of each arm."""
        from her2sim.report.patients_figures import waterfall_figure

        return waterfall_figure(self.courses(patients), self.report.trial.id)

    def plot_spider(self, patients: int = 60) -> Figure:
        """Change of the sum of diameters over time of the first patients of each arm."""
        from her2sim.report.patients_figures import spider_figure

        return spider_figure(self.courses(patients), self.report.trial.id)

    def plot_swimmer(self, patients: int = 40) -> Figure:
        """Time in the trial of the first patients of each arm, with what happened to them."""
        from her2sim.report.patients_figures import swimmer_figure

        return swimmer_figure(self.courses(patients), self.report.trial.id)

    def sources(self) -> pl.DataFrame:
        """Sources of the published trial, the drugs, the labels and the models."""
        return trial_facts(self.report.trial)


def _stamp(path: Path) -> tuple[int, int]:
    """When a file was written, and its size."""
    told = path.stat()
    return told.st_mtime_ns, told.st_size


def require_plots(trial: Trial, kinds: Sequence[str]) -> None:
    """Refuse figures that a trial cannot have, before it is run.

    Parameters
    ----------
    trial : what is run
    kinds : ``curves``, ``forest``, ``waterfall``, ``spider``, ``swimmer``

    Raises
    ------
    DataError
        With all that cannot be, and why.
    """
    from her2sim.errors import DataError, Faults
    from her2sim.trials.measures import CURVES

    is_scanned = trial.setting == "metastatic"
    has_lesion = is_scanned and any(endpoint != "safety" for endpoint in trial.endpoints)
    needs = {
        "curves": (any(e in CURVES and e != "DoR" for e in trial.endpoints), "an endpoint in time"),
        "forest": (bool(trial.comparison), "a hazard ratio of two arms"),
        **dict.fromkeys(
            ("waterfall", "spider", "swimmer"), (has_lesion, "lesions that are scanned")
        ),
    }
    faults = Faults(f"figures of {trial.id}")
    for kind in kinds:
        is_there, what = needs[kind]
        if not is_there:
            faults.add(f"{kind}: needs {what}, which this trial does not have; leave it out")
    faults.raise_if_any(DataError)


@checked
def run_trial(
    name: str | Path,
    per_arm: int | None = None,
    seed: int | None = None,
    *,
    patients: int | None = None,
    replicates: Count = 1,
    members: Count | None = None,
    also_without_rules: bool = False,
    folder: Path | None = None,
    workers: Count = 1,
    cluster: str | None = None,
    chunk: Count | None = None,
    restart: bool = False,
    progress: Told = None,
) -> TrialResult:
    """Run a trial arm by arm, and lay it beside what was published.

    Parameters
    ----------
    name : one of the trials that come with her2sim (``cleopatra``), a question of early disease
        (``early-duration``), or a trial file of your own
    per_arm : patients of an arm of weight 1; 2,400 without it and without ``patients``
    seed : decides everything; drawn, and shown, without it
    patients : patients of the whole trial, in place of ``per_arm``
    replicates : trials of this size, each with patients of its own (power)
    members : members of the ensemble; one for 100 patients without it, and ten from 150 on
    also_without_rules : whether the same patients without any rule stand beside them
    folder : where outcomes of each patient are kept; a run that was stopped goes on from there
    workers : processes; with more than one, a script needs its ``if __name__ == "__main__"``
    cluster : address of a Dask scheduler, instead
    chunk : patients of a task
    restart : replace what another run left in the folder; it is refused otherwise
    progress : told patients done and in all

    Raises
    ------
    Her2SimError
        If a name is unknown, or the input has faults.
    """
    from her2sim.biology.ensemble import ensemble
    from her2sim.errors import DataError
    from her2sim.studies.trial.runs import asked_reports
    from her2sim.trials.folder import TrialFolder
    from her2sim.trials.library import load_trial
    from her2sim.trials.run import CHUNK, RunSettings, sizes, usual_members

    if restart and folder is None:
        raise DataError("restart: there is no folder whose outcomes could be replaced; name one")

    trial = load_trial(str(name))
    n = sizes(trial, patients, per_arm)
    usual = usual_members(n, replicates, len(ensemble().draws))
    asked = RunSettings(n, seed_or_drawn(seed), members or usual, replicates)
    store = TrialFolder(folder)
    try:
        report = asked_reports(
            trial, asked, store, also_without_rules=also_without_rules, workers=workers,
            cluster=cluster, chunk=chunk or CHUNK, progress=progress or no_progress,
            restart=restart,
        )  # fmt: skip
    except BaseException:
        store.close()
        raise
    return TrialResult(report, store)
