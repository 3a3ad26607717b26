"""How often predictions of published trials are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from her2sim.api.arguments import Count, Told, checked
from her2sim.api.result import Answer, seed_or_drawn, typed_frame, with_notice
from her2sim.api.sources import sources_frame
from her2sim.arrays import no_progress

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from her2sim.studies.trial.report import TrialReport
    from her2sim.studies.trial.scorecard import Score
    from her2sim.trials.seen_subgroups import SeenContrast


@dataclass(frozen=True, eq=False, repr=False)
class Scorecard(Answer):
    """Published figures of some trials, and whether their predictions are within stated limits."""

    reports: tuple[TrialReport, ...]
    scores: tuple[Score, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing but the figures themselves."""
        return ()

    def heading(self) -> str:
        """Which trials."""
        from her2sim.report.tables import counted

        names = [report.trial.id for report in self.reports]
        asked = self.reports[0].run.asked
        each = f"{asked.per_arm} patients an arm, seed {asked.seed}"
        each += f", {counted(asked.members, 'member')}"
        return f"{counted(len(names), 'trial')}, {each}: {', '.join(names)}"

    def tables(self) -> tuple[Table, ...]:
        """Criteria and how many figures meet them; then those without a prediction."""
        from her2sim.report.trial_tables import contrast_table, score_tables, skill_table
        from her2sim.studies.trial.scorecard import skills

        first, *others = score_tables(self.scores)
        contrasts = self.contrasts()
        seen = (contrast_table(contrasts, is_of_many=True),) if contrasts else ()
        return (first, skill_table(skills(self.reports)), *seen, *others)

    def contrasts(self) -> tuple[SeenContrast, ...]:
        """What trials saw of traits by which treatment could be chosen, beside predictions."""
        return tuple(row for report in self.reports for row in report.contrasts)

    def frame(self) -> pl.DataFrame:
        """One row a criterion and published figure."""
        from her2sim.studies.trial.scorecard import Judged

        asked = [(score, row) for score in self.scores for row in score.asked]
        first = {
            "criterion": [score.title for score, _ in asked],
            "role_asked": [score.role for score, _ in asked],
        }
        return typed_frame(Judged, [row for _, row in asked], first)

    def sources(self) -> pl.DataFrame:
        """Sources of the published trials."""
        return sources_frame((report.trial.id, report.trial) for report in self.reports)

    def markdown(self) -> str:
        """The page of the documentation."""
        from her2sim.report.trial_docs import trials_markdown

        return trials_markdown(self.reports)

    def html(self) -> str:
        """All reports as one HTML file."""
        from her2sim.report.trial_page import page_text

        return page_text(self.reports, "Virtual trials beside published ones")

    def as_dict(self) -> dict[str, Any]:
        """The figures as plain data, for JSON."""
        seen = [row.model_dump() for row in self.contrasts()]
        return with_notice({"figures": self.frame().to_dicts(), "subgroups": seen})


@checked
def score(
    names: Sequence[str] = (),
    per_arm: Annotated[int, Field(ge=2)] = 4800,
    seed: int = 1,
    *,
    members: Count | None = None,
    workers: Count = 1,
    progress: Told = None,
) -> Scorecard:
    """Run published trials, and count how often predictions were right.

    Parameters
    ----------
    names : of the trials; all that come with her2sim without any
    per_arm : patients of an arm of weight 1
    seed : decides everything
    members : members of the ensemble; all without it
    workers : processes; with more than one, a script needs its ``if __name__ == "__main__"``
    progress : told trials done and in all

    Raises
    ------
    UnknownNameError
        If there is no such trial.
    """
    from her2sim.biology.ensemble import ensemble
    from her2sim.errors import DataError, all_of
    from her2sim.studies.trial.runs import all_reports
    from her2sim.studies.trial.scorecard import scorecard
    from her2sim.trials.library import load_trial, trial_names

    chosen = tuple(names) or trial_names()
    trials = all_of(*(lambda name=name: load_trial(name) for name in chosen))
    ids = [trial.id for trial in trials]
    if repeated := sorted({one for one in ids if ids.count(one) > 1}):
        raise DataError(f"{', '.join(repeated)}: named more than once; name each trial once")
    told, count = progress or no_progress, iter(range(len(chosen)))
    reports = tuple(
        all_reports(
            chosen, per_arm, members or len(ensemble().draws), seed_or_drawn(seed),
            workers=workers, begins=lambda name: told(next(count), len(chosen)),
        )
    )  # fmt: skip
    return Scorecard(reports, tuple(scorecard(reports)))
