"""`her2sim check`: a real treatment record against the label."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import Input, OneOf
from her2sim.cli.options import printed_as_json, region, with_figure
from her2sim.terminal import show

DEPARTED = 1


@command()
@click.argument("record", type=Input())
@region
@click.option(
    "--setting",
    type=OneOf(["early", "metastatic"]),
    default="metastatic",
    show_default=True,
    help="which rows of the label apply",
)
@printed_as_json
@with_figure("the timeline of each patient with the departures")
def check(record: Path, region: Any, setting: Any, as_json: bool, figure: Path | None) -> None:
    """Where RECORD (CSV) departs from the labels.

    Columns: patient, date, type (dose, lab, event), drug, route, dose_mg, test, value, unit, grade.
    Exit code 0: no departure; 1: departures; 2: bad input.
    """
    from her2sim.api.plan import check as answer

    found = answer(record, region=region, setting=setting)
    show(found, as_json, figure=figure)
    sys.exit(DEPARTED if found.report.departures else 0)
