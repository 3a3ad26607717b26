"""`her2sim plan`: what is planned and monitored for a patient on a regimen."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import click

from her2sim.terminal import reports_errors, show


@click.command()
@click.argument("patient", type=click.Path(path_type=Path))
@click.option("--regimen", required=True, help="named regimen, or drugs joined by +")
@click.option("--weeks", type=click.IntRange(1, 520), default=52, show_default=True)
@click.option("--region", type=click.Choice(["us", "eu"]), default="us", show_default=True)
@click.option(
    "--start",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help="date of the first dose; dates are then shown beside days",
)
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of tables")
@reports_errors
def plan(
    patient: Path,
    regimen: str,
    weeks: int,
    region: Any,
    start: datetime.datetime | None,
    as_json: bool,
) -> None:
    """Doses, heart and blood tests, and what is kept up afterwards, for PATIENT (TOML).

    It says whether the regimen is labelled for the patient. Tests of the labels stand beside those
    of ESC 2022, which follow the baseline risk (HFA-ICOS).
    """
    from her2sim.api.plan import plan as answer

    first = None if start is None else start.date()
    show(answer(patient, regimen, weeks, region=region, start=first), as_json)
