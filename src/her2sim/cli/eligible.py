"""`her2sim eligible`: which regimens are labelled for a patient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from her2sim.notice import NOTICE
from her2sim.terminal import print_json, print_tables, reports_errors


@click.command()
@click.argument("patient", type=click.Path(path_type=Path))
@click.option("--region", type=click.Choice(["us", "eu"]), default="us", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of a table")
@reports_errors
def eligible(patient: Path, region: Any, as_json: bool) -> None:
    """Regimens that are labelled for PATIENT (TOML), and those that are not, with the reason.

    It says what labels say as of their date, never what to give.
    """
    from her2sim.patients.patient import load_patient
    from her2sim.protocol.eligibility import eligibility_dict, eligible_regimens
    from her2sim.report.protocol_tables import eligibility_table

    status, verdicts = eligible_regimens(load_patient(patient), region)
    if as_json:
        print_json(eligibility_dict(status, verdicts, region) | {"notice": NOTICE})
        return
    category = "" if status.category in ("none", status.status) else f" ({status.category})"
    click.echo(f"HER2 {status.status}{category} by rule {status.rule_id}; {region.upper()} labels")
    print_tables(eligibility_table(verdicts))
    click.echo(NOTICE)
