"""`her2sim shortage`: what a supply interruption does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from her2sim.cli.questions import answers
from her2sim.errors import DataError
from her2sim.terminal import progress_bar, reports_errors, show, treats_patients


@click.command()
@treats_patients
@click.option("--weeks", help="weeks in which the drug is missing, as in 12-18 [all]")
@click.option("--probability", type=float, default=1.0, show_default=True, help="at each visit")
@click.option(
    "--policy",
    type=click.Choice(["delay", "skip", "substitute"]),
    default="delay",
    show_default=True,
    help="ask again every week, leave the dose out, or give the substitute",
)
@click.option("--substitute", help="regimen of the same model, as q3w-iv; or biosimilar")
@click.option(
    "--reload",
    "reload",
    type=click.Choice(["label", "never"]),
    default="label",
    show_default=True,
    help="whether a late dose is a loading dose again",
)
@click.option("--region", type=click.Choice(["us", "eu"]), default="us", show_default=True)
@click.option("--cycles", type=click.IntRange(2, 100), default=18, show_default=True)
@answers
@reports_errors
def shortage(
    drug: str,
    population: str,
    patients: int | None,
    weeks: str | None,
    as_json: bool,
    figure: Path | None,
    **how: Any,
) -> None:
    """DRUG not to be had for some weeks, or now and then, beside the undisturbed course."""
    from her2sim.api.shortage import shortage as answer

    when = None if weeks is None else _weeks(weeks)
    with progress_bar(f"{drug} in a shortage") as progress:
        found = answer(drug, population, patients, weeks=when, progress=progress, **how)
    show(found, as_json, figure=figure)


def _weeks(text: str) -> tuple[float, float]:
    """The first and the last week, as in 12-18."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)", text)
    if found is None:
        raise DataError(f"--weeks {text}: write the first and the last week, as in 12-18")
    return float(found[1]), float(found[2])
