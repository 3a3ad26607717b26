"""`her2sim eligible`: which regimens are labelled for a patient."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import click

from her2sim.terminal import reports_errors, show


@click.command()
@click.argument("patient", type=click.Path(path_type=Path))
@click.option("--region", type=click.Choice(["us", "eu"]), default="us", show_default=True)
@click.option(
    "--date",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help="what was labelled on that day, instead of now",
)
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of a table")
@reports_errors
def eligible(patient: Path, region: Any, date: datetime.datetime | None, as_json: bool) -> None:
    """Regimens that are labelled for PATIENT (TOML), and those that are not, with the reason.

    It says what labels say as of their date, never what to give.
    """
    from her2sim.api.her2 import eligible as answer

    day = None if date is None else date.date()
    show(answer(patient, region, date=day), as_json)
