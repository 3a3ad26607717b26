"""`her2sim exposure` and `her2sim washout`: one drug in a population."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from her2sim.notice import NOTICE
from her2sim.terminal import (
    draw_seed,
    print_json,
    print_tables,
    progress_bar,
    reports_errors,
    show,
    treats_patients,
)

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
            output=output, progress=progress, threads=threads,
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
    from her2sim.drugs.drug import first_regimen
    from her2sim.formats.patient_table import load_patients
    from her2sim.pk.exposure_run import load_treatment
    from her2sim.regimens.library import require_one_drug
    from her2sim.report.tables import washout_table
    from her2sim.studies import washout as reports

    require_one_drug(drug)
    treatment = load_treatment(drug, regimen or first_regimen(drug))
    number = draw_seed() if seed is None else seed
    people, n = load_patients(population, patients, number)
    with progress_bar(f"{treatment.drug.id} {treatment.regimen.name}") as progress:
        report = reports.washout(
            treatment, people, n, number, cycles, level, weeks, progress, threads
        )
    if figure is not None:
        from her2sim.report.canvas import write_figure
        from her2sim.report.washout_figure import washout_figure

        write_figure(figure, washout_figure(report))
    if as_json:
        print_json(report.as_dict())
        return
    click.echo(
        f"{treatment.pk.name}, {treatment.regimen.title}; {report.population}, "
        f"{n} patients, seed {number}"
    )
    print_tables(*washout_table(report))
    for note in report.notes:
        click.echo(f"Note: {note}")
    if figure is not None:
        click.echo(f"wrote {figure}")
    click.echo(NOTICE)
