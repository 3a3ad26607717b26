"""`her2sim exposure` and `her2sim washout`: one drug in a population."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from her2sim.terminal import progress_bar, reports_errors, show, treats_patients

if TYPE_CHECKING:
    from her2sim.drugs.interactions import Kind


@click.command()
@treats_patients
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of tables")
@click.option(
    "--figure", type=click.Path(path_type=Path), help="write concentration bands (PNG, PDF, SVG)"
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="write one row a patient and cycle (Parquet)",
)
@click.option("--restart", is_flag=True, help="replace what another run left there")
@click.option("--with", "medicines", multiple=True, metavar="NAME", help="co-medication")
@click.option("--food", metavar="NAME", help="food, as in high-fat")
@click.option("--hepatic", metavar="CLASS", help="hepatic impairment: mild, moderate, severe")
@click.option("--renal", metavar="CLASS", help="renal impairment")
@reports_errors
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


@click.command()
@treats_patients
@click.option(
    "--cycles",
    type=click.IntRange(1, 200),
    default=17,
    show_default=True,
    help="cycles of treatment before it stops; 17 of three weeks are a year",
)
@click.option(
    "--level",
    type=float,
    default=1.0,
    show_default=True,
    help="concentration, in the unit in which the drug is shown",
)
@click.option(
    "--weeks",
    type=click.IntRange(1, 260),
    default=40,
    show_default=True,
    help="follow-up after the last dose",
)
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of a table")
@click.option("--figure", type=click.Path(path_type=Path), help="write share against time")
@reports_errors
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
