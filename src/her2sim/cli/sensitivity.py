"""`her2sim sensitivity`: what rests on weak evidence and matters."""

from __future__ import annotations

from typing import Any

import click

from her2sim.terminal import (
    chooses_patients,
    chooses_setting,
    progress_bar,
    reports_errors,
    show,
)


@click.command()
@click.option("--regimen", required=True, help="named regimen, or drugs joined by +")
@chooses_patients
@chooses_setting
@click.option("--weeks", type=click.IntRange(6, 260), default=36, show_default=True)
@click.option(
    "--samples",
    type=click.Choice([16, 32, 64, 128, 256, 512, 1024]),
    default=128,
    show_default=True,
    help="sets of numbers; that many times the numbers and two are run",
)
@click.option("--ihc", type=click.Choice(["0", "1+", "2+", "3+"]), default="3+", show_default=True)
@click.option(
    "--ish",
    type=click.Choice(["positive", "negative"]),
    help="in situ hybridisation; without it 2+ and 3+ count as positive",
)
@click.option("--top", type=click.IntRange(1, 100), default=8, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of a table")
@reports_errors
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
    show(found, as_json, tables=found.tables(top))
