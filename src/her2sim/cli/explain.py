"""`her2sim explain`: why two patients differ."""

from __future__ import annotations

from pathlib import Path

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import Whole
from her2sim.cli.named import PATIENT
from her2sim.cli.options import drawn_seed, printed_as_json, whole_regimen
from her2sim.terminal import show


@command()
@click.argument("patient", type=PATIENT)
@click.argument("other", type=PATIENT, required=False)
@whole_regimen
@click.option("--weeks", type=Whole(3, 520), default=24, show_default=True)
@drawn_seed
@click.option("--all", "all_numbers", is_flag=True, help="list what every number rests on")
@printed_as_json
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
