"""`her2sim check`: a real treatment record against the label."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from her2sim.terminal import reports_errors, show

DEPARTED = 1


@click.command()
@click.argument("record", type=click.Path(path_type=Path))
@click.option("--region", type=click.Choice(["us", "eu"]), default="us", show_default=True)
@click.option(
    "--setting",
    type=click.Choice(["early", "metastatic"]),
    default="metastatic",
    show_default=True,
    help="which rows of the label apply",
)
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of a table")
@reports_errors
def check(record: Path, region: Any, setting: Any, as_json: bool) -> None:
    """Where RECORD (CSV) departs from the labels.

    Columns: patient, date, type (dose, lab, event), drug, route, dose_mg, test, value, unit, grade.
    Exit code 0: no departure; 1: departures; 2: bad input.
    """
    from her2sim.api.plan import check as answer

    found = answer(record, region=region, setting=setting)
    show(found, as_json)
    sys.exit(DEPARTED if found.report.departures else 0)
