"""`her2sim course`: one patient, visit by visit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from her2sim.terminal import reports_errors, show


@click.command()
@click.argument("patient", type=click.Path(path_type=Path))
@click.option("--regimen", required=True, help="named regimen, or drugs joined by +")
@click.option("--weeks", type=click.IntRange(1, 1040), default=52, show_default=True)
@click.option(
    "--readings", type=click.Path(path_type=Path), help="CSV with columns day, test, value, unit"
)
@click.option("--then", "following", help="regimen that follows")
@click.option("--at", "when", help="when it follows: progression, or week:N")
@click.option("--region", type=click.Choice(["us", "eu"]), default="us", show_default=True)
@click.option(
    "--unconfirmed",
    type=click.Choice(["on", "off"]),
    default="on",
    show_default=True,
    help="rules whose text was not read",
)
@click.option("--seed", type=int, help="random seed of the band; drawn and shown if not given")
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of tables")
@click.option("--html", type=click.Path(path_type=Path), help="write the course as one HTML file")
@click.option("--figure", type=click.Path(path_type=Path), help="write the figure")
@reports_errors
def course(
    patient: Path,
    regimen: str,
    weeks: int,
    readings: Path | None,
    following: str | None,
    when: str | None,
    region: Any,
    unconfirmed: str,
    seed: int | None,
    as_json: bool,
    html: Path | None,
    figure: Path | None,
) -> None:
    """Doses, levels and decisions of PATIENT (TOML) under the rules of the labels.

    With --readings, these act at the first visit on or after their day; day 0 is the first dose,
    and what no reading tells, no rule can act on. Without, the patient's tumour, heart and blood
    are simulated (one draw, no forecast) and measured at the visits.
    """
    from her2sim.api.course import course as answer
    from her2sim.report.timeline_page import html_page
    from her2sim.store.files import write_text

    found = answer(
        patient, regimen, weeks, readings=readings, then=following, at=_week(when), region=region,
        unconfirmed=unconfirmed == "on", seed=seed,
    )  # fmt: skip
    if html is not None:
        write_text(html, html_page(found.timeline))
    show(found, as_json, figure=figure, html=html)


def _week(when: str | None) -> str | float | None:
    """Week of the switch, or ``progression``; None without one."""
    from her2sim.errors import DataError

    if when is None or when == "progression":
        return when
    found = re.fullmatch(r"week:(\d+(\.\d+)?)", when)
    if found is None:
        raise DataError(f"--at {when!r}: use progression or week:N, as in week:30")
    return float(found[1])
