"""`her2sim course`: one patient, visit by visit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import Matching, Number, Whole
from her2sim.cli.named import FILE, FOLLOWING, PATIENT, READINGS, SEED
from her2sim.cli.options import (
    ON_OFF,
    printed_as_json,
    region,
    unconfirmed,
    whole_regimen,
    with_figure,
)
from her2sim.terminal import show


def _when(found: re.Match[str]) -> str | float:
    """Week of the switch, or ``progression``."""
    return found[0] if found[1] is None else float(found[1])


WHEN = Matching(
    r"progression|week:(\d{1,4}(?:\.\d+)?)", _when, "use progression or week:N, as in week:30"
)


@command()
@click.argument("patient", type=PATIENT)
@whole_regimen
@click.option("--weeks", type=Whole(1, 1040), default=52, show_default=True)
@click.option("--readings", type=READINGS, help="CSV with columns day, test, value, unit")
@click.option("--then", "following", type=FOLLOWING, help="regimen that follows")
@click.option("--at", "when", type=WHEN, metavar="progression|week:N", help="when it follows")
@click.option(
    "--surgery",
    type=Number(0.1, 1040),
    metavar="WEEK",
    help="week of surgery of early disease [before the first dose]",
)
@region
@unconfirmed
@click.option(
    "--rules",
    type=ON_OFF,
    default="on",
    show_default=True,
    help="off: drugs as planned until progression, whatever a label says",
)
@click.option("--seed", type=SEED, help="random seed of the band; drawn and shown if not given")
@printed_as_json
@click.option("--html", type=FILE, help="write the course as one HTML file")
@with_figure()
def course(
    patient: Path,
    regimen: str,
    weeks: int,
    readings: Path | None,
    following: str | None,
    when: str | float | None,
    surgery: float | None,
    region: Any,
    unconfirmed: str,
    rules: str,
    seed: int | None,
    as_json: bool,
    html: Path | None,
    figure: Path | None,
) -> None:
    """Doses, levels and decisions of PATIENT (TOML) under the rules of the labels.

    With --readings, these act at the first visit on or after their day; day 0 is the first dose,
    and what no reading tells, no rule can act on. Without, the patient's tumour, heart and blood
    are simulated (one draw, no forecast) and measured at the visits; in early disease the outlook
    of patients like this one follows: response at surgery, cure, relapse and survival.
    """
    from her2sim.api.course import course as answer
    from her2sim.report.timeline_page import html_page
    from her2sim.store.files import write_text

    found = answer(
        patient, regimen, weeks, readings=readings, then=following, at=when,
        surgery_week=surgery, region=region,
        unconfirmed=unconfirmed == "on", rules=rules == "on", seed=seed,
    )  # fmt: skip
    if html is not None:
        write_text(html, html_page(found.timeline))
    show(found, as_json, figure=figure, html=html)
