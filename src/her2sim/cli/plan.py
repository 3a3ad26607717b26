"""`her2sim plan`: what is planned and monitored for a patient on a regimen."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import Day, Whole
from her2sim.cli.named import PATIENT
from her2sim.cli.options import printed_as_json, region, whole_regimen
from her2sim.terminal import show


@command()
@click.argument("patient", type=PATIENT)
@whole_regimen
@click.option("--weeks", type=Whole(1, 520), default=52, show_default=True)
@region
@click.option(
    "--start",
    type=Day(),
    help="date of the first dose; dates are then shown beside days",
)
@printed_as_json
def plan(
    patient: Path,
    regimen: str,
    weeks: int,
    region: Any,
    start: datetime.date | None,
    as_json: bool,
) -> None:
    """Doses, heart and blood tests, and what is kept up afterwards, for PATIENT (TOML).

    It says whether the regimen is labelled for the patient. Tests of the labels stand beside those
    of ESC 2022, which follow the baseline risk (HFA-ICOS).
    """
    from her2sim.api.plan import plan as answer

    show(answer(patient, regimen, weeks, region=region, start=start), as_json)
