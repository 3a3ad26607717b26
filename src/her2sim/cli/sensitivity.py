"""`her2sim sensitivity`: what rests on weak evidence and matters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import OneOf, Whole
from her2sim.cli.options import (
    chooses_patients,
    chooses_setting,
    printed_as_json,
    tests_her2,
    whole_regimen,
    with_figure,
)
from her2sim.terminal import progress_bar, show


@command()
@whole_regimen
@chooses_patients
@chooses_setting
@click.option("--weeks", type=Whole(6, 260), default=36, show_default=True)
@click.option(
    "--samples",
    type=OneOf([16, 32, 64, 128, 256, 512, 1024]),
    default=128,
    show_default=True,
    help="sets of numbers; that many times the numbers and two are run",
)
@tests_her2
@click.option("--top", type=Whole(1, 100), default=8, show_default=True)
@printed_as_json
@with_figure("a tornado")
def sensitivity(
    regimen: str,
    population: str,
    patients: int | None,
    seed: int | None,
    threads: int | None,
    setting: Any,
    weeks: int,
    samples: Any,
    ihc: Any,
    ish: Any,
    top: int,
    as_json: bool,
    figure: Path | None,
) -> None:
    """Rank the numbers that are not known by what they move (Sobol indices).

    The same patients (20 if --patients is not given) are treated with every set. A number that
    moves much and is assumed is where the model rests on weak evidence.
    """
    from her2sim.api.patients import population as patients_named
    from her2sim.api.sensitivity import sensitivity as answer

    who = patients_named(population, setting)
    with progress_bar(regimen) as progress:
        found = answer(
            regimen, who, patients, seed, weeks=weeks, samples=samples, ihc=ihc, ish=ish,
            progress=progress, threads=threads,
        )  # fmt: skip
    show(found, as_json, tables=found.tables(top), figure=figure)
