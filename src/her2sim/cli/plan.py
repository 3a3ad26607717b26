"""`her2sim plan`: what is planned and monitored for a patient on a regimen."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import click

from her2sim.notice import NOTICE
from her2sim.terminal import print_json, print_tables, reports_errors


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
    from her2sim.patients.patient import load_patient
    from her2sim.protocol.eligibility import label_text
    from her2sim.protocol.monitoring_plan import monitoring_plan
    from her2sim.regimens.library import load_regimen
    from her2sim.report.protocol_tables import plan_tables

    first = None if start is None else start.date()
    found = monitoring_plan(load_patient(patient), load_regimen(regimen), weeks, region, first)
    if as_json:
        print_json(found.as_dict())
        return
    click.echo(f"{found.title}; {weeks} weeks; {region.upper()} labels")
    click.echo(f"{found.regimen}: {label_text(found.verdict, region)}")
    because = f": {'; '.join(found.risk.factors)}" if found.risk.factors else ""
    risk = found.risk
    click.echo(f"cardiovascular risk {risk.level} (HFA-ICOS, {risk.points} points){because}")
    print_tables(*plan_tables(found))
    for note in found.notes:
        click.echo(f"Note: {note}")
    click.echo(NOTICE)
