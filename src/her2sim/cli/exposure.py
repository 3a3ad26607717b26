"""`her2sim exposure` and `her2sim washout`: one drug in a population."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import Number, Whole
from her2sim.cli.named import FILE
from her2sim.cli.options import printed_as_json, restart, treats_patients, with_figure
from her2sim.terminal import progress_bar, show

if TYPE_CHECKING:
    from her2sim.drugs.interactions import Kind


@command()
@treats_patients
@printed_as_json
@with_figure("concentration bands")
@click.option(
    "-o",
    "--output",
    type=FILE,
    help="write one row a patient and cycle (Parquet)",
)
@restart
@click.option("--with", "medicines", multiple=True, metavar="NAME", help="co-medication")
@click.option("--food", metavar="NAME", help="food, as in high-fat")
@click.option("--hepatic", metavar="CLASS", help="hepatic impairment: mild, moderate, severe")
@click.option("--renal", metavar="CLASS", help="renal impairment")
def exposure(
    drug: str,
    regimen: str | None,
    population: str,
    patients: int | None,
    seed: int | None,
    as_json: bool,
    figure: Path | None,
    output: Path | None,
    restart: bool,
    threads: int | None,
    medicines: tuple[str, ...],
    food: str | None,
    hepatic: str | None,
    renal: str | None,
) -> None:
    """Exposure of DRUG in a population, beside what was published.

    DRUG is an INN, a brand name, or DRUG:MODEL; `her2sim drug list` shows them all.
    """
    from her2sim.api.exposure import exposure as answer

    interactions: list[tuple[Kind, str]] = [("co-medication", name) for name in medicines]
    impairments: tuple[tuple[Kind, str | None], ...] = (
        ("food", food), ("hepatic", hepatic), ("renal", renal),
    )  # fmt: skip
    interactions += [(kind, name) for kind, name in impairments if name]
    with progress_bar(f"{drug} {regimen or ''}".strip()) as progress:
        found = answer(
            drug, population, patients, seed, regimen=regimen, interactions=interactions,
            output=output, restart=restart, progress=progress, threads=threads,
        )  # fmt: skip
    show(found, as_json, figure=figure, output=output)


@command()
@treats_patients
@click.option(
    "--cycles",
    type=Whole(1, 200),
    default=17,
    show_default=True,
    help="cycles of treatment before it stops; 17 of three weeks are a year",
)
@click.option(
    "--level",
    type=Number(0, min_open=True),
    default=1.0,
    show_default=True,
    help="concentration, in the unit in which the drug is shown",
)
@click.option(
    "--weeks",
    type=Whole(1, 260),
    default=40,
    show_default=True,
    help="follow-up after the last dose",
)
@printed_as_json
@with_figure("share against time")
def washout(
    drug: str,
    regimen: str | None,
    population: str,
    patients: int | None,
    seed: int | None,
    cycles: int,
    level: float,
    weeks: int,
    as_json: bool,
    figure: Path | None,
    threads: int | None,
) -> None:
    """Share of patients below a concentration after the last dose of DRUG."""
    from her2sim.api.washout import washout as answer

    with progress_bar(drug) as progress:
        found = answer(
            drug, population, patients, seed, regimen=regimen, cycles=cycles, level=level,
            weeks=weeks, progress=progress, threads=threads,
        )  # fmt: skip
    show(found, as_json, figure=figure)
