"""`her2sim delay`, `switch`, `interval` and `weight`: questions about one drug's regimen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from her2sim.errors import DataError
from her2sim.notice import NOTICE
from her2sim.terminal import (
    chooses_patients,
    draw_seed,
    print_json,
    print_tables,
    progress_bar,
    reports_errors,
    treats_patients,
)

if TYPE_CHECKING:
    from her2sim.pk.exposure_run import Treatment
    from her2sim.studies.plans import Plans

F = TypeVar("F", bound=Callable[..., Any])
HORIZON_DOSES = 6


def answers(function: F) -> F:
    """What every question can be asked with: --target, --json, --figure."""
    options = (
        click.option("--target", type=float, help="trough wanted, in the drug's unit [the drug's]"),
        click.option("--json", "as_json", is_flag=True, help="print JSON instead of a table"),
        click.option("--figure", type=click.Path(path_type=Path), help="write the figure"),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.command()
@treats_patients
@click.option(
    "--dose", "number", type=int, default=7, show_default=True, help="number of the late dose"
)
@click.option("--weeks", type=float, default=3.0, show_default=True, help="how late it is")
@answers
@reports_errors
def delay(drug: str, regimen: str | None, number: int, weeks: float, **options: Any) -> None:
    """A dose of DRUG given late, with and without a loading dose again."""
    from her2sim.studies.plans import delay_plans

    treatment = one_treatment(drug, regimen)
    plans = delay_plans(treatment, number, weeks)
    late = plans[1][1].regimen.phases[1]
    end_day = (late.start_min + HORIZON_DOSES * late.interval_min) / 1440
    question = f"{treatment.pk.name}: dose {number} given {weeks:g} weeks late"
    _answer(question, plans, end_day, from_day=late.start_min / 1440, **options)


@click.command()
@click.argument("first")
@click.argument("second")
@chooses_patients
@click.option("--after", type=int, default=4, show_default=True, help="doses before the switch")
@answers
@reports_errors
def switch(first: str, second: str, after: int, **options: Any) -> None:
    """A switch from the regimen FIRST to SECOND of one drug model.

    Both are written DRUG[:MODEL]/REGIMEN, as in trastuzumab-sc/q3w-iv and trastuzumab-sc/q3w.
    """
    from her2sim.studies.comparison import load_arm
    from her2sim.studies.plans import switch_plans

    before, then = load_arm(first), load_arm(second)
    plans = switch_plans(before, then, after)
    start = plans[1][1].regimen.phases[1]
    end_day = (start.start_min + HORIZON_DOSES * start.interval_min) / 1440
    question = f"{before.pk.name}: {before.regimen.name}, then {then.regimen.name}"
    _answer(question, plans, end_day, from_day=None, **options)


@click.command()
@treats_patients
@click.option("--weeks", type=float, default=4.0, show_default=True, help="the other interval")
@click.option(
    "--for", "length", type=float, default=48.0, show_default=True, help="weeks of treatment"
)
@answers
@reports_errors
def interval(drug: str, regimen: str | None, weeks: float, length: float, **options: Any) -> None:
    """DRUG every so many weeks instead of as on its label."""
    from her2sim.studies.plans import interval_plans

    treatment = one_treatment(drug, regimen)
    plans = interval_plans(treatment, weeks)
    question = f"{treatment.pk.name}: every {weeks:g} weeks instead of {treatment.regimen.name}"
    _answer(question, plans, 7 * length, from_day=None, **options)


@click.command()
@treats_patients
@click.option(
    "--weights",
    default="45,60,75,90,120",
    show_default=True,
    help="body weights in kg, separated by commas",
)
@answers
@reports_errors
def weight(
    drug: str,
    regimen: str | None,
    population: str,
    patients: int | None,
    seed: int | None,
    threads: int | None,
    weights: str,
    target: float | None,
    as_json: bool,
    figure: Path | None,
) -> None:
    """Exposure of DRUG at steady state, had all patients a given body weight."""
    from her2sim.formats.patient_table import load_patients
    from her2sim.report.tables import weights_table
    from her2sim.studies import weight as reports

    treatment = one_treatment(drug, regimen)
    try:
        wanted = [float(text) for text in weights.split(",")]
    except ValueError:
        raise DataError(f"--weights {weights}: numbers in kg, as in 45,70,120") from None
    number = draw_seed() if seed is None else seed
    people, n = load_patients(population, patients, number)
    target = wanted_target(treatment, target)
    with progress_bar(f"{treatment.drug.id} {treatment.regimen.name}") as progress:
        report = reports.exposure_by_weight(
            treatment, people, n, number, wanted, target, progress, threads
        )
    if figure is not None:
        from her2sim.report.canvas import write_figure
        from her2sim.report.weight_figure import weights_figure

        write_figure(figure, weights_figure(report))
    if as_json:
        print_json(report.as_dict())
        return
    click.echo(
        f"{treatment.pk.name}, {treatment.regimen.title}; {report.population}, {n} patients, "
        f"seed {number}; steady state in cycle {report.cycle}"
    )
    print_tables(weights_table(report))
    close_answer(report.notes, figure)


def one_treatment(drug: str, regimen: str | None) -> Treatment:
    """The treatment by names; the drug's first regimen if none is given."""
    from her2sim.drugs.drug import first_regimen
    from her2sim.pk.exposure_run import load_treatment
    from her2sim.regimens.library import require_one_drug

    require_one_drug(drug)
    return load_treatment(drug, regimen or first_regimen(drug))


def wanted_target(treatment: Treatment, target: float | None) -> float | None:
    """The trough that was asked for, or the one in the drug's facts."""
    known = treatment.drug.target_trough
    if target is not None or known is None:
        return target
    return known.to(treatment.pk.concentration_unit)


def _answer(
    question: str,
    plans: Plans,
    end_day: float,
    from_day: float | None,
    population: str,
    patients: int | None,
    seed: int | None,
    threads: int | None,
    target: float | None,
    as_json: bool,
    figure: Path | None,
) -> None:
    """Compare plans and show the answer."""
    from her2sim.formats.patient_table import load_patients
    from her2sim.report.canvas import write_figure
    from her2sim.report.plans_figure import plans_figure
    from her2sim.report.tables import plans_table, trough_table
    from her2sim.studies.plans import compare_plans

    number = draw_seed() if seed is None else seed
    people, n = load_patients(population, patients, number)
    target = wanted_target(plans[0][1], target)
    with progress_bar(question) as progress:
        found = compare_plans(
            question, plans, people, n, number, end_day, target, progress, threads
        )
    if figure is not None:
        write_figure(figure, plans_figure(found))
    if as_json:
        print_json(found.as_dict())
        return
    click.echo(f"{question}; {found.population}, {n} patients, seed {number}")
    print_tables(trough_table(found), plans_table(found, from_day))
    close_answer(found.notes, figure)


def close_answer(notes: tuple[str, ...], figure: Path | None) -> None:
    """Print what every answer ends with."""
    for note in notes:
        click.echo(f"Note: {note}")
    if figure is not None:
        click.echo(f"wrote {figure}")
    click.echo(NOTICE)
