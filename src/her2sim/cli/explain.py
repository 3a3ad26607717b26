"""`her2sim explain`: why two patients differ."""

from __future__ import annotations

from pathlib import Path

import click

from her2sim.terminal import reports_errors, show


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
    from her2sim.api.explanation import explain as answer

    found = answer(patient, regimen, other, weeks, seed)
    basis = (found.basis_table(),) if all_numbers else ()
    show(found, as_json, tables=(*found.tables(), *basis))
