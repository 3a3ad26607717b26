"""How trials that took no part in the calibration are predicted."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from her2sim import __version__
from her2sim.api.arguments import Count, Told, checked
from her2sim.api.result import Answer, seed_or_drawn, typed_frame, with_notice
from her2sim.api.sources import sources_frame
from her2sim.arrays import Progress, no_progress
from her2sim.patients.covariates import Setting, TumourTypeId

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from her2sim.calibration.crossvalidation import CrossValidation, Fold
    from her2sim.calibration.fold_folder import FoldFolder
    from her2sim.studies.crossvalidation import EndpointSkill, LeftOut

Folds = Literal["trial", "6"]
FEWEST_TRIALS = 4


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidated(Answer):
    """Predictions of trials that were left out, beside guesses without a model."""

    figures: tuple[LeftOut, ...]
    skills: tuple[EndpointSkill, ...]
    asked: dict[str, Any]

    @property
    def notes(self) -> tuple[str, ...]:
        """What the errors do not tell."""
        from her2sim.report.crossvalidation_page import NOTES

        return NOTES

    def heading(self) -> str:
        """What was left out, and how it was refitted."""
        how = "one by one" if self.asked["folds"] == "trial" else "in six groups"
        held = f", without {', '.join(self.asked['without'])}" if self.asked["without"] else ""
        return (
            f"Cross-validation: {self.asked['n_trials']} trials left out {how}, "
            f"{self.asked['n_folds']} refits of {self.asked['patients']} patients an arm, seed "
            f"{self.asked['seed']}{held}"
        )

    def tables(self) -> tuple[Table, ...]:
        """Errors and intervals by endpoint, then each figure."""
        from her2sim.report.crossvalidation_page import tables

        return tuple(tables(self.skills))

    def frame(self) -> pl.DataFrame:
        """One row a figure that was left out."""
        from her2sim.studies.crossvalidation import FigureRow, figure_rows

        rows = [row for skill in self.skills for row in figure_rows(skill)]
        return typed_frame(FigureRow, rows)

    def sources(self) -> pl.DataFrame:
        """Sources of the trials."""
        from her2sim.trials.library import load_trial

        names = dict.fromkeys(row.trial for row in self.figures)
        return sources_frame((name, load_trial(name)) for name in names)

    def markdown(self) -> str:
        """The page of the documentation."""
        from her2sim.report.crossvalidation_page import markdown

        of = self.asked["setting"], self.asked["tumour"]
        return markdown(self.heading(), self.skills, self.figures, *of)

    def html(self) -> str:
        """The answer as one HTML file."""
        return self._repr_html_()

    def as_dict(self) -> dict[str, Any]:
        """The answer as plain data, for JSON."""
        return with_notice({**self.asked, "figures": self.frame().to_dicts()})


@checked
def crossvalidate(
    names: Sequence[str] = (),
    *,
    setting: Setting = "metastatic",
    tumour: TumourTypeId = "breast",
    folds: Folds = "trial",
    patients: Annotated[int, Field(ge=50, le=5000)] = 192,
    seed: int = 1,
    without: tuple[str, ...] = (),
    folder: Path | None = None,
    workers: Count = 1,
    progress: Told = None,
) -> CrossValidated:
    """Refit the calibration without each trial in turn, and predict what was left out.

    Parameters
    ----------
    names : of the trials, at least four, all of one setting and tumour; all of them without any
    setting : metastatic or early disease
    tumour : the tumour type, one whose numbers were fitted
    folds : each trial alone, or six groups of trials
    patients : of each arm in the refits
    seed : of the starts of the refits
    without : parts of the model that are held where they do nothing, by their names in the plan
    folder : keeps finished folds; a run that was stopped goes on from there
    workers : threads
    progress : told folds done and in all

    Raises
    ------
    DataError
        If there are too few trials, nothing of the tumour is fitted, or the folder holds folds of
        another run.
    UnknownNameError
        If there is no such trial, or no such part.
    """
    from her2sim.calibration.crossvalidation import CrossValidation, six_groups, whole_trials
    from her2sim.calibration.evidence import Evidence
    from her2sim.calibration.fold_folder import FoldFolder
    from her2sim.calibration.plan import calibration_plan
    from her2sim.studies.crossvalidation import endpoint_skill, judged_endpoints, left_out_figures

    chosen_trials, seed = _chosen(names, setting, tumour), seed_or_drawn(seed)
    plan = calibration_plan(setting, tumour)
    evidence = Evidence(patients, workers, chosen_trials, plan, hold=without)
    told = evidence.anchors
    asked = {
        "her2sim": __version__, "setting": setting, "tumour": tumour,
        "trials": list(chosen_trials), "folds": folds,
        "patients": patients, "seed": seed, "without": list(without),
        "plan": zlib.crc32(evidence.plan.model_dump_json().encode()),
        "numbers": zlib.crc32(evidence.parameters.shipped().tobytes()),
        "anchors": zlib.crc32(repr([(a.trial, a.text, a.value, a.sd) for a in told]).encode()),
    }  # fmt: skip
    chosen = (whole_trials if folds == "trial" else six_groups)(evidence)
    store, note = FoldFolder(folder, asked), progress or no_progress
    figures = left_out_figures(_folds(CrossValidation(evidence), store, chosen, seed, note))
    judged = [e for e in judged_endpoints(setting, tumour) if any(f.endpoint == e for f in figures)]
    skills = tuple(endpoint_skill(endpoint, figures) for endpoint in judged)
    counts = {"n_folds": len(chosen), "n_trials": sum(map(len, chosen))}
    return CrossValidated(figures, skills, {**asked, **counts})


def _folds(
    run: CrossValidation,
    store: FoldFolder,
    chosen: Sequence[tuple[str, ...]],
    seed: int,
    note: Progress,
) -> list[Fold]:
    """Folds that are kept, and those that are made now."""
    found: list[Fold] = []
    for number, trials in enumerate(chosen):
        note(number, len(chosen))
        fold = store.read(trials, run.evidence.anchors)
        if fold is None:
            fold = run.fold(trials, seed + number)
            store.write(fold)
        found.append(fold)
    note(len(chosen), len(chosen))
    return found


def _chosen(names: Sequence[str], setting: Setting, tumour: TumourTypeId) -> tuple[str, ...]:
    """Ids of the trials that are asked for; none stands for all of the setting and tumour."""
    from her2sim.errors import DataError
    from her2sim.trials.library import load_trial, trials_of

    trials = {trial.id: trial for trial in map(load_trial, names)}
    if 0 < len(trials) < FEWEST_TRIALS:
        raise DataError(f"{len(trials)} trials: name {FEWEST_TRIALS} or more, or none for all")
    other = [name for name, trial in trials.items() if trial.setting != setting]
    if other:
        raise DataError(f"{', '.join(other)}: not of {setting} disease; name trials of one setting")
    foreign = [name for name, trial in trials.items() if trial.tumour_type != tumour]
    if foreign:
        raise DataError(
            f"{', '.join(foreign)}: not of tumour type {tumour}; name trials of one type, "
            "and the type by --tumour"
        )
    known = [trial.id for trial in trials_of(setting, tumour)]
    if len(known) < FEWEST_TRIALS:
        raise DataError(
            f"{tumour}: trials that come with her2sim: {len(known)}; {FEWEST_TRIALS} are needed to "
            "leave some out"
        )
    own = [name for name in trials if name not in known]
    if own:
        raise DataError(f"{', '.join(own)}: only trials that come with her2sim can take part")
    return tuple(name for name in known if name in trials)
