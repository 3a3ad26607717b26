"""`her2sim shortage`: what a supply interruption does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import Matching, Number, OneOf, Whole
from her2sim.cli.options import answers, region, treats_patients
from her2sim.terminal import progress_bar, show

WEEKS = Matching(
    r"(\d{1,4}(?:\.\d+)?)-(\d{1,4}(?:\.\d+)?)",
    lambda found: (float(found[1]), float(found[2])),
    "write the first and the last week, as in 12-18",
)


@command()
@treats_patients
@click.option(
    "--weeks",
    type=WEEKS,
    metavar="FROM-TO",
    help="weeks in which the drug is missing, as in 12-18 [all]",
)
@click.option(
    "--probability",
    type=Number(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="at each visit",
)
@click.option(
    "--policy",
    type=OneOf(["delay", "skip", "substitute"]),
    default="delay",
    show_default=True,
    help="ask again every week, leave the dose out, or give the substitute",
)
@click.option("--substitute", help="regimen of the same model, as q3w-iv; or biosimilar")
@click.option(
    "--reload",
    "reload",
    type=OneOf(["label", "never"]),
    default="label",
    show_default=True,
    help="whether a late dose is a loading dose again",
)
@region
@click.option("--cycles", type=Whole(2, 100), default=18, show_default=True)
@answers
def shortage(
    drug: str,
    population: str,
    patients: int | None,
    weeks: tuple[float, float] | None,
    as_json: bool,
    figure: Path | None,
    **how: Any,
) -> None:
    """DRUG not to be had for some weeks, or now and then, beside the undisturbed course."""
    from her2sim.api.shortage import shortage as answer

    with progress_bar(f"{drug} in a shortage") as progress:
        found = answer(drug, population, patients, weeks=weeks, progress=progress, **how)
    show(found, as_json, figure=figure)
