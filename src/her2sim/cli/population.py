"""`her2sim population`: what happens to many patients on a regimen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from her2sim.studies.population import PopulationReport


@click.command()
@click.option("--regimen", required=True, help="named regimen, or drugs joined by +")
@chooses_patients
@chooses_setting
@click.option("--weeks", type=click.IntRange(3, 520), default=104, show_default=True)
@click.option("--region", type=click.Choice(["us", "eu"]), default="us", show_default=True)
@click.option(
    "--protocol",
    type=click.Choice(["on", "off"]),
    default="on",
    show_default=True,
    help="the labels' rules; off: nothing but progression changes the plan",
)
@click.option(
    "--unconfirmed",
    type=click.Choice(["on", "off"]),
    default="on",
    show_default=True,
    help="rules whose text was not read",
)
@click.option("--confirm", is_flag=True, help="a hold needs a second measurement that agrees")
@click.option("--ihc", type=click.Choice(["0", "1+", "2+", "3+"]), default="3+", show_default=True)
@click.option(
    "--ish",
    type=click.Choice(["positive", "negative"]),
    help="in situ hybridisation; without it 2+ and 3+ count as positive",
)
@click.option("--earlier-lines", type=click.IntRange(0, 10), default=0, show_default=True)
@click.option("--after-anthracycline", is_flag=True, help="all had an anthracycline before")
@click.option(
    "--scan",
    type=click.Choice(["echo", "muga", "none"]),
    default="echo",
    show_default=True,
    help="how the LVEF is measured; none: without error",
)
@click.option(
    "--given-with", multiple=True, help="what is taken against adverse events: loperamide, ..."
)
@click.option(
    "--without", "off", multiple=True, help="a mechanism that is switched off: adcc, payload, ..."
)
@click.option(
    "--members",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="members of the ensemble; with more than one the spread is shown",
)
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of tables")
@click.option("--figure", type=click.Path(path_type=Path), help="write bands over time")
@reports_errors
def population(
    regimen: str,
    population: str,
    patients: int | None,
    seed: int | None,
    threads: int | None,
    setting: Any,
    weeks: int,
    region: Any,
    protocol: str,
    unconfirmed: str,
    confirm: bool,
    ihc: Any,
    ish: str | None,
    earlier_lines: int,
    after_anthracycline: bool,
    scan: str,
    given_with: tuple[str, ...],
    off: tuple[str, ...],
    members: int,
    as_json: bool,
    figure: Path | None,
) -> None:
    """Response, adverse events, doses and decisions of a population on a regimen.

    Readings come from the patients' own heart, blood, lung, gut and liver, and the labels' rules
    act on them visit by visit.
    """
    from her2sim.biology.heart import CardiacProfile
    from her2sim.biology.tumour import AMPLIFIED_BY, TumourProfile
    from her2sim.errors import all_of
    from her2sim.formats.patient_table import load_patients
    from her2sim.pk.combination import load_combination
    from her2sim.studies.population import population_report
    from her2sim.virtual_patient.switches import check_switches
    from her2sim.virtual_patient.treat import TreatmentPlan, known_measures

    number = draw_seed() if seed is None else seed
    combination, (who, n), _ = all_of(
        lambda: load_combination(regimen),
        lambda: load_patients(population, patients, number, setting),
        lambda: check_switches(off),
    )
    known_measures(combination.treatments, given_with)
    how = TreatmentPlan(
        weeks * 7.0, who.setting, region, protocol == "on",
        unconfirmed == "on", confirm, scan, given_with, off,
    )  # fmt: skip
    amplified = AMPLIFIED_BY.get(ish or "")
    tumour = TumourProfile(
        ihc, amplified, earlier_lines=-1 if who.setting == "early" else earlier_lines
    )
    with progress_bar(combination.name) as progress:
        report = population_report(
            combination, who, n, number, how, tumour, CardiacProfile(after_anthracycline),
            members=members, progress=progress, threads=threads,
        )  # fmt: skip
    _show(report, as_json, figure)


def _show(report: PopulationReport, as_json: bool, figure: Path | None) -> None:
    """Write the figure, and print tables or JSON."""
    from her2sim.report.canvas import write_figure
    from her2sim.report.population_view import bands_figure, heading, population_tables

    if figure is not None:
        write_figure(figure, bands_figure(report))
    if as_json:
        print_json(report.as_dict())
        return
    click.echo(heading(report))
    print_tables(*population_tables(report))
    for note in report.notes:
        click.echo(f"Note: {note}")
    if figure is not None:
        click.echo(f"wrote {figure}")
    click.echo(NOTICE)
