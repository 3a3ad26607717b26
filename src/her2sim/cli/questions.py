"""`her2sim delay`, `switch`, `interval` and `weight`: questions about one drug's regimen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from her2sim.errors import DataError
from her2sim.terminal import chooses_patients, progress_bar, reports_errors, show, treats_patients

F = TypeVar("F", bound=Callable[..., Any])


def answers(function: F) -> F:
    """What every question can be asked with: --target, --json, --figure."""
    options = (
        click.option("--target", type=float, help="trough wanted, in the drug's unit [the drug's]"),
        click.option("--json", "as_json", is_flag=True, help="print JSON instead of a table"),
        click.option("--figure", type=click.Path(path_type=Path), help="write the figure"),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.command()
@treats_patients
@click.option("--dose", type=int, default=7, show_default=True, help="number of the late dose")
@click.option("--weeks", type=float, default=3.0, show_default=True, help="how late it is")
@answers
@reports_errors
def delay(
    drug: str, population: str, patients: int | None, as_json: bool, figure: Path | None, **how: Any
) -> None:
    """A dose of DRUG given late, with and without a loading dose again."""
    from her2sim.api.plans import delay as answer

    with progress_bar(drug) as progress:
        found = answer(drug, population, patients, progress=progress, **how)
    show(found, as_json, figure=figure)


@click.command()
@click.argument("first")
@click.argument("second")
@chooses_patients
@click.option("--after", type=int, default=4, show_default=True, help="doses before the switch")
@answers
@reports_errors
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


@click.command()
@treats_patients
@click.option("--weeks", type=float, default=4.0, show_default=True, help="the other interval")
@click.option(
    "--for", "length_weeks", type=float, default=48.0, show_default=True, help="weeks of treatment"
)
@answers
@reports_errors
def interval(
    drug: str, population: str, patients: int | None, as_json: bool, figure: Path | None, **how: Any
) -> None:
    """DRUG every so many weeks instead of as on its label."""
    from her2sim.api.plans import interval as answer

    with progress_bar(drug) as progress:
        found = answer(drug, population, patients, progress=progress, **how)
    show(found, as_json, figure=figure)


@click.command()
@treats_patients
@click.option(
    "--weights",
    default="45,60,75,90,120",
    show_default=True,
    help="body weights in kg, separated by commas",
)
@answers
@reports_errors
def weight(
    drug: str,
    population: str,
    patients: int | None,
    weights: str,
    as_json: bool,
    figure: Path | None,
    **how: Any,
) -> None:
    """Exposure of DRUG at steady state, had all patients a given body weight."""
    from her2sim.api.weight import weight as answer

    try:
        wanted = [float(text) for text in weights.split(",")]
    except ValueError:
        raise DataError(f"--weights {weights}: numbers in kg, as in 45,70,120") from None
    with progress_bar(drug) as progress:
        found = answer(drug, population, patients, weights_kg=wanted, progress=progress, **how)
    show(found, as_json, figure=figure)
