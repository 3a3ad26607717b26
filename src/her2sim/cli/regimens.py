"""`her2sim regimen`: several drugs given together."""

from __future__ import annotations

from pathlib import Path

import click

from her2sim.cli.command import Command, Group
from her2sim.cli.kinds import Whole
from her2sim.cli.named import FILE
from her2sim.cli.options import chooses_patients, printed_as_json, restart, with_figure
from her2sim.notice import NOTICE
from her2sim.terminal import progress_bar, show


@click.group(cls=Group)
def regimen() -> None:
    """Several drugs given together."""


@regimen.command("list", cls=Command)
def regimen_list() -> None:
    """All named regimens."""
    from her2sim.api.library import regimen_list as answer

    show(answer(), as_json=False)


@regimen.command("show", cls=Command)
@click.argument("name")
def regimen_show(name: str) -> None:
    """Drugs, doses, sources and interactions of NAME."""
    from her2sim.api.library import regimen as answer

    click.echo(answer(name).text())
    click.echo(NOTICE)


@regimen.command("run", cls=Command)
@click.argument("name")
@chooses_patients
@click.option(
    "--cycles",
    type=Whole(1, 200),
    default=18,
    show_default=True,
    help="cycles of three weeks",
)
@printed_as_json
@with_figure("concentration bands")
@click.option(
    "-o",
    "--output",
    type=FILE,
    help="write one row a patient, drug and cycle (Parquet)",
)
@restart
def regimen_run(
    name: str,
    population: str,
    patients: int | None,
    seed: int | None,
    threads: int | None,
    cycles: int,
    as_json: bool,
    figure: Path | None,
    output: Path | None,
    restart: bool,
) -> None:
    """Exposure of every drug of NAME in a population.

    NAME is a named regimen, or drugs joined by +, each DRUG[:MODEL][/REGIMEN][*DOSES][@DAY], as in
    "pertuzumab + trastuzumab + docetaxel*6". What one drug does to another acts by itself, or a
    note says that nothing is known.
    """
    from her2sim.api.regimen import regimen_exposure

    with progress_bar(name) as progress:
        found = regimen_exposure(
            name, population, patients, seed, cycles=cycles, output=output, restart=restart,
            progress=progress, threads=threads,
        )  # fmt: skip
    show(found, as_json, figure=figure, output=output)
