"""`her2sim shortage`: what a supply interruption does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from her2sim.cli.questions import answers, close_answer, one_treatment, wanted_target
from her2sim.errors import DataError
from her2sim.terminal import (
    draw_seed,
    print_json,
    print_tables,
    progress_bar,
    reports_errors,
    treats_patients,
)

if TYPE_CHECKING:
    from her2sim.pk.exposure_run import Treatment

BIOSIMILAR = "biosimilar"


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
    "reloading",
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
    regimen: str | None,
    population: str,
    patients: int | None,
    seed: int | None,
    threads: int | None,
    weeks: str | None,
    probability: float,
    policy: Any,
    substitute: str | None,
    reloading: Any,
    region: Any,
    cycles: int,
    target: float | None,
    as_json: bool,
    figure: Path | None,
) -> None:
    """DRUG not to be had for some weeks, or now and then, beside the undisturbed course."""
    from her2sim.formats.patient_table import load_patients
    from her2sim.protocol.supply import Shortage
    from her2sim.report.canvas import write_figure
    from her2sim.report.protocol_tables import shortage_tables
    from her2sim.report.shortage_figure import shortage_figure, shortage_text
    from her2sim.studies import shortage as reports

    treatment = one_treatment(drug, regimen)
    first, last = _days(weeks)
    if weeks is None and probability == 1:
        raise DataError("say when the drug is missing: --weeks 12-18, or --probability below 1")
    asked = Shortage(
        treatment.drug.id, policy, first, last, probability, reloading,
        instead=_instead(treatment, substitute),
    )  # fmt: skip
    number = draw_seed() if seed is None else seed
    people, n = load_patients(population, patients, number)
    wanted = wanted_target(treatment, target)
    with progress_bar(f"{treatment.drug.id} in a shortage") as progress:
        report = reports.shortage_report(
            treatment, asked, people, n, number, cycles, wanted, region, progress, threads
        )
    if figure is not None:
        write_figure(figure, shortage_figure(report))
    if as_json:
        print_json(report.as_dict())
        return
    click.echo(shortage_text(report))
    print_tables(*shortage_tables(report))
    close_answer(report.notes, figure)


def _days(weeks: str | None) -> tuple[float, float]:
    if weeks is None:
        return 0.0, float("inf")
    found = re.fullmatch(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)", weeks)
    if found is None:
        raise DataError(f"--weeks {weeks}: write the first and the last week, as in 12-18")
    return 7 * float(found[1]), 7 * float(found[2])


def _instead(treatment: Treatment, substitute: str | None) -> Any:
    """How the substitute is given: another regimen of the model, or the same by a biosimilar."""
    from her2sim.regimens.regimen import labelled_regimen

    if substitute is None:
        return None
    if substitute == BIOSIMILAR:
        return treatment.regimen.phases[0]
    (phase,) = labelled_regimen(treatment.drug, substitute).phases
    treatment.target(phase.route)
    return phase
