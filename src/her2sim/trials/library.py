"""Trials that come with her2sim, and files of one's own."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from her2sim.errors import UnknownNameError, did_you_mean
from her2sim.facts import read_fact_file
from her2sim.patients.covariates import Setting, TumourTypeId
from her2sim.trials.trial import Trial


@cache
def trial_names() -> tuple[str, ...]:
    """Names of the trials that come with her2sim: cleopatra, emilia, ..."""
    folder = files("her2sim.trials").joinpath("facts")
    names = (p.name for p in folder.iterdir())
    return tuple(sorted(n.removesuffix(".toml") for n in names if n.endswith(".toml")))


@cache
def _shipped(name: str) -> Trial:
    return read_fact_file(files("her2sim.trials").joinpath("facts", f"{name}.toml"), Trial)


QUESTION = "early-"


@cache
def question_names() -> tuple[str, ...]:
    """Names of the questions of early disease: trials of which nothing was published."""
    folder = files("her2sim.trials").joinpath("questions")
    names = (p.name for p in folder.iterdir())
    return tuple(sorted(QUESTION + n.removesuffix(".toml") for n in names if n.endswith(".toml")))


@cache
def _question(name: str) -> Trial:
    file = f"{name.removeprefix(QUESTION)}.toml"
    return read_fact_file(files("her2sim.trials").joinpath("questions", file), Trial)


def load_trial(name: str) -> Trial:
    """A trial by name (or another name of it), a question, or from the path of a TOML file.

    Raises
    ------
    UnknownNameError
        If there is no such trial.
    DataError
        With all faults of the file, each with its place.
    """
    if name.endswith(".toml"):
        return read_fact_file(Path(name), Trial)
    wanted = name.casefold()
    if wanted in question_names():
        return _question(wanted)
    if wanted in trial_names():
        return _shipped(wanted)
    for other in trial_names():
        trial = _shipped(other)
        if wanted in (text.casefold() for text in (trial.id, *trial.aliases)):
            return trial
    raise UnknownNameError(
        f"unknown trial {name!r}{did_you_mean(name, (*trial_names(), *question_names()))} (a file "
        "of your own ends in .toml)"
    )


def raw_trial(name: str) -> dict[str, Any]:
    """The file of a trial that comes with her2sim, as it was read.

    Raises
    ------
    UnknownNameError
        If there is no such trial.
    """
    names = {_shipped(one).id: one for one in trial_names()}
    found = None if name.endswith(".toml") else load_trial(name).id
    if found not in names:
        raise UnknownNameError(f"unknown trial {name!r}{did_you_mean(name, trial_names())}")
    file = files("her2sim.trials").joinpath("facts", f"{names[found]}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


@cache
def metastatic_trials() -> tuple[Trial, ...]:
    """Trials of metastatic breast cancer that come with her2sim."""
    return _metastatic("breast")


@cache
def _metastatic(tumour_type: TumourTypeId) -> tuple[Trial, ...]:
    found = (t for t in map(load_trial, trial_names()) if t.setting == "metastatic")
    return tuple(trial for trial in found if trial.tumour_type == tumour_type)


@cache
def early_trials() -> tuple[Trial, ...]:
    """Trials of early breast cancer that come with her2sim and tell of pCR or relapse."""
    return tuple(t for t in map(load_trial, trial_names()) if t.early is not None)


def trials_of(setting: Setting, tumour_type: TumourTypeId = "breast") -> tuple[Trial, ...]:
    """Trials of a setting of a tumour type that come with her2sim and tell of efficacy."""
    if setting == "early":
        return early_trials() if tumour_type == "breast" else ()
    return _metastatic(tumour_type)


def trials_like(trial: Trial) -> tuple[Trial, ...]:
    """Trials of the setting and the tumour type of one."""
    return trials_of(trial.setting, trial.tumour_type)
