"""`her2sim explain`: why two patients differ."""

from __future__ import annotations

from pathlib import Path

import click

from her2sim.notice import NOTICE
from her2sim.terminal import draw_seed, print_json, print_tables, reports_errors


@click.command()
@click.argument("patient", type=click.Path(path_type=Path))
@click.argument("other", type=click.Path(path_type=Path), required=False)
@click.option("--regimen", required=True, help="named regimen, or drugs joined by +")
@click.option("--weeks", type=click.IntRange(3, 520), default=24, show_default=True)
@click.option("--seed", type=int, help="random seed; drawn and shown if not given")
@click.option("--all", "all_numbers", is_flag=True, help="list what every number rests on")
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of tables")
@reports_errors
def explain(
    patient: Path,
    other: Path | None,
    regimen: str,
    weeks: int,
    seed: int | None,
    all_numbers: bool,
    as_json: bool,
) -> None:
    """Why PATIENT and OTHER (TOML) differ on a regimen, number by number.

    Without OTHER, the same patient is drawn a second time: what differs then is what no test told.
    Each number of the second is given to the first alone; what a number rests on is beside it.
    """
    from her2sim.patients.patient import load_patient
    from her2sim.pk.combination import load_combination
    from her2sim.report.explain_tables import explanation_tables
    from her2sim.studies.explain import explain as explained
    from her2sim.timeline.pair import pair_of_patients

    combination = load_combination(regimen)
    number = draw_seed() if seed is None else seed
    first = load_patient(patient)
    second = first if other is None else load_patient(other)
    people = pair_of_patients(first, second, combination.treatments, number)
    again = "drawn again" if other is None else other.stem
    found = explained(combination, people, weeks, (patient.stem, again))
    if as_json:
        print_json(found.as_dict())
        return
    click.echo(f"{combination.title}; seed {number}; all doses as planned")
    print_tables(*explanation_tables(found, all_numbers))
    for note in found.notes:
        click.echo(f"Note: {note}")
    click.echo(NOTICE)
