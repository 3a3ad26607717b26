"""`her2sim eligible`: which regimens are labelled for a patient."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import Day, OneOf
from her2sim.cli.named import PATIENT
from her2sim.cli.options import printed_as_json
from her2sim.terminal import show


@command()
@click.argument("patient", type=PATIENT)
@click.option(
    "--region",
    type=OneOf(["us", "eu", "cn"]),
    default="us",
    show_default=True,
    help="whose labels; of China those of drugs that are licensed there alone",
)
@click.option(
    "--date",
    type=Day(),
    help="what was labelled on that day, instead of now",
)
@printed_as_json
def eligible(patient: Path, region: Any, date: datetime.date | None, as_json: bool) -> None:
    """Regimens that are labelled for PATIENT (TOML), and those that are not, with the reason.

    It says what labels say as of their date, never what to give.
    """
    from her2sim.api.her2 import eligible as answer

    show(answer(patient, region, date=date), as_json)
