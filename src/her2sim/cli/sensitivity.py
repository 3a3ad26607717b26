"""`her2sim sensitivity`: what rests on weak evidence and matters."""

from __future__ import annotations

from typing import Any

import click

from her2sim.notice import NOTICE
from her2sim.terminal import (
    chooses_patients,
    chooses_setting,
    draw_seed,
    print_json,
    print_tables,
    progress_bar,
    reports_errors,
)

PATIENTS = 20


@click.command()
@click.option("--regimen", required=True, help="named regimen, or drugs joined by +")
@chooses_patients
@chooses_setting
@click.option("--weeks", type=click.IntRange(6, 260), default=36, show_default=True)
@click.option(
    "--samples",
    type=click.Choice(["16", "32", "64", "128", "256", "512", "1024"]),
    default="128",
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
    samples: str,
    ihc: Any,
    ish: str | None,
    top: int,
    as_json: bool,
) -> None:
    """Rank the numbers that are not known by what they move (Sobol indices).

    The same patients (20 if --patients is not given) are treated with every set. A number that
    moves much and is assumed is where the model rests on weak evidence.
    """
    from her2sim.biology.tumour import AMPLIFIED_BY, TumourProfile
    from her2sim.formats.patient_table import load_patients
    from her2sim.pk.combination import load_combination
    from her2sim.report.sensitivity_tables import sensitivity_table
    from her2sim.studies.sensitivity import sensitivity_report

    combination = load_combination(regimen)
    tumour = TumourProfile(ihc, AMPLIFIED_BY.get(ish or ""))
    number = draw_seed() if seed is None else seed
    most = PATIENTS if patients is None else patients
    who, n = load_patients(population, most, number, setting)
    with progress_bar(combination.name) as progress:
        report = sensitivity_report(
            combination, who, n, int(samples), weeks, number, tumour,
            progress=progress, threads=threads,
        )  # fmt: skip
    if as_json:
        print_json(report.as_dict())
        return
    click.echo(
        f"{combination.title}; {report.population}, {n} patients, {samples} samples, {weeks} weeks,"
        f" seed {number}"
    )
    print_tables(sensitivity_table(report, top))
    for note in report.notes:
        click.echo(f"Note: {note}")
    click.echo(NOTICE)
