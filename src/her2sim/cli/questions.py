"""`her2sim delay`, `switch`, `interval`, `weight`, `covariates`: questions about one drug."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import Number, Whole, numbers
from her2sim.cli.named import ARM
from her2sim.cli.options import (
    answers,
    chooses_patients,
    printed_as_json,
    treats_patients,
    with_figure,
)
from her2sim.terminal import progress_bar, show


@command()
@treats_patients
@click.option(
    "--dose", type=Whole(1, 400), default=7, show_default=True, help="number of the late dose"
)
@click.option(
    "--weeks",
    type=Number(0, 520, min_open=True),
    default=3.0,
    show_default=True,
    help="how late it is",
)
@answers
def delay(
    drug: str, population: str, patients: int | None, as_json: bool, figure: Path | None, **how: Any
) -> None:
    """A dose of DRUG given late, with and without a loading dose again."""
    from her2sim.api.plans import delay as answer

    with progress_bar(drug) as progress:
        found = answer(drug, population, patients, progress=progress, **how)
    show(found, as_json, figure=figure)


@command()
@click.argument("first", type=ARM)
@click.argument("second", type=ARM)
@chooses_patients
@click.option(
    "--after", type=Whole(1, 400), default=4, show_default=True, help="doses before the switch"
)
@answers
def switch(
    first: str,
    second: str,
    population: str,
    patients: int | None,
    as_json: bool,
    figure: Path | None,
    **how: Any,
) -> None:
    """A switch from the regimen FIRST to SECOND of one drug model.

    Both are written DRUG[:MODEL]/REGIMEN, as in trastuzumab-sc/q3w-iv and trastuzumab-sc/q3w.
    """
    from her2sim.api.plans import switch as answer

    with progress_bar(f"{first}, then {second}") as progress:
        found = answer(first, second, population, patients, progress=progress, **how)
    show(found, as_json, figure=figure)


@command()
@treats_patients
@click.option(
    "--weeks", type=Number(0.1, 104), default=4.0, show_default=True, help="the other interval"
)
@click.option(
    "--for",
    "length_weeks",
    type=Number(1, 1040),
    default=48.0,
    show_default=True,
    help="weeks of treatment",
)
@answers
def interval(
    drug: str, population: str, patients: int | None, as_json: bool, figure: Path | None, **how: Any
) -> None:
    """DRUG every so many weeks instead of as on its label."""
    from her2sim.api.plans import interval as answer

    with progress_bar(drug) as progress:
        found = answer(drug, population, patients, progress=progress, **how)
    show(found, as_json, figure=figure)


@command()
@treats_patients
@click.option(
    "--weights",
    type=numbers(20, 300, "write numbers from 20 to 300 kg, as in 45,70,120"),
    default="45,60,75,90,120",
    show_default=True,
    help="body weights in kg, separated by commas",
)
@answers
def weight(
    drug: str,
    population: str,
    patients: int | None,
    weights: list[float],
    as_json: bool,
    figure: Path | None,
    **how: Any,
) -> None:
    """Exposure of DRUG at steady state, had all patients a given body weight."""
    from her2sim.api.weight import weight as answer

    with progress_bar(drug) as progress:
        found = answer(drug, population, patients, weights_kg=weights, progress=progress, **how)
    show(found, as_json, figure=figure)


@command()
@treats_patients
@printed_as_json
@with_figure("a forest plot")
def covariates(
    drug: str,
    regimen: str | None,
    population: str,
    patients: int | None,
    seed: int | None,
    threads: int | None,
    as_json: bool,
    figure: Path | None,
) -> None:
    """What each characteristic of a patient does to the exposure of DRUG at steady state.

    One at a time is set to its 5th and 95th percentile in the population (2000 patients if
    --patients is not given), in the reference patient of the model.
    """
    from her2sim.api.covariates import covariates as answer

    found = answer(drug, population, patients, seed, regimen=regimen, threads=threads)
    show(found, as_json, figure=figure)
