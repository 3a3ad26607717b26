"""`her2sim course`: one patient, visit by visit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from her2sim.notice import NOTICE
from her2sim.terminal import draw_seed, print_json, print_tables, reports_errors


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
    from her2sim.formats.readings_csv import read_readings
    from her2sim.patients.patient import load_patient
    from her2sim.report import timeline_page
    from her2sim.report.canvas import write_figure
    from her2sim.report.protocol_tables import timeline_tables
    from her2sim.store.files import write_text
    from her2sim.timeline.run import (
        AT_PROGRESSION,
        TimelinePlan,
        patient_timeline,
        progression_day,
    )

    person = load_patient(patient)
    known = None if readings is None else read_readings(readings)
    regimens, starts = [regimen], [0.0]
    switch = _switch(following, when)
    if following is not None and switch is not None:
        regimens.append(following)
        is_read = switch == AT_PROGRESSION and known is not None
        day = AT_PROGRESSION if switch == AT_PROGRESSION else switch * 7.0
        starts.append(progression_day(known) if is_read and known is not None else day)
    asked = TimelinePlan(tuple(regimens), tuple(starts), weeks * 7.0, region, unconfirmed == "on")
    number = draw_seed() if seed is None else seed
    found = patient_timeline(person, asked, known, number)
    if figure is not None:
        write_figure(figure, timeline_page.timeline_figure(found))
    if html is not None:
        write_text(html, timeline_page.html_page(found))
    if as_json:
        print_json(found.as_dict())
        return
    for text in timeline_page.line_texts(found):
        click.echo(text)
    print_tables(*timeline_tables(found))
    for note in found.notes:
        click.echo(f"Note: {note}")
    for written in (figure, html):
        if written is not None:
            click.echo(f"wrote {written}")
    click.echo(NOTICE)


def _switch(following: str | None, when: str | None) -> float | None:
    """Week of the switch; AT_PROGRESSION if the readings tell it, None without one."""
    from her2sim.errors import DataError

    if (following is None) != (when is None):
        raise DataError("--then and --at belong together: --then REGIMEN --at progression|week:N")
    if when is None:
        return None
    from her2sim.timeline.run import AT_PROGRESSION

    if when == "progression":
        return AT_PROGRESSION
    found = re.fullmatch(r"week:(\d+(\.\d+)?)", when)
    if found is None:
        raise DataError(f"--at {when!r}: use progression or week:N, as in week:30")
    return float(found[1])
