"""`her2sim population`: what happens to many patients on a regimen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import OneOf, Whole
from her2sim.cli.named import EARLIER_DRUG, GIVEN_WITH, MECHANISM
from her2sim.cli.options import (
    ON_OFF,
    chooses_patients,
    chooses_setting,
    printed_as_json,
    region,
    tests_her2,
    unconfirmed,
    whole_regimen,
    with_figure,
)
from her2sim.terminal import progress_bar, show


@command()
@whole_regimen
@chooses_patients
@chooses_setting
@click.option("--weeks", type=Whole(3, 520), default=104, show_default=True)
@region
@click.option(
    "--protocol",
    type=ON_OFF,
    default="on",
    show_default=True,
    help="the labels' rules; off: nothing but progression changes the plan",
)
@unconfirmed
@click.option("--confirm", is_flag=True, help="a hold needs a second measurement that agrees")
@tests_her2
@click.option("--earlier-lines", type=Whole(0, 10), default=0, show_default=True)
@click.option(
    "--earlier-drug", "earlier_drugs", type=EARLIER_DRUG, multiple=True, metavar="DRUG",
    help="A drug that all had before and that changes how later ones act (may come again); without "
    "it as the population has them.",
)  # fmt: skip
@click.option("--after-anthracycline", is_flag=True, help="all had an anthracycline before")
@click.option(
    "--scan",
    type=OneOf(["echo", "muga", "none"]),
    default="echo",
    show_default=True,
    help="how the LVEF is measured; none: without error",
)
@click.option(
    "--given-with",
    type=GIVEN_WITH,
    multiple=True,
    help="what is taken against adverse events: loperamide, ...",
)
@click.option(
    "--without",
    "off",
    type=MECHANISM,
    multiple=True,
    help="a mechanism that is switched off: adcc, payload, ...",
)
@click.option(
    "--members",
    type=Whole(1, 1000),
    default=1,
    show_default=True,
    help="members of the ensemble; with more than one the spread is shown",
)
@printed_as_json
@with_figure("bands over time")
def population(
    regimen: str,
    population: str,
    patients: int | None,
    seed: int | None,
    threads: int | None,
    setting: Any,
    weeks: int,
    region: Any,
    protocol: str,
    unconfirmed: str,
    confirm: bool,
    ihc: Any,
    ish: Any,
    earlier_lines: int,
    earlier_drugs: tuple[str, ...],
    after_anthracycline: bool,
    scan: Any,
    given_with: tuple[str, ...],
    off: tuple[str, ...],
    members: int,
    as_json: bool,
    figure: Path | None,
) -> None:
    """Response, adverse events, doses and decisions of a population on a regimen.

    Readings come from the patients' own heart, blood, lung, gut and liver, and the labels' rules
    act on them visit by visit.
    """
    from her2sim.api.patients import Patients
    from her2sim.api.treatment import treat

    who = population if setting is None else Patients(population, setting)
    with progress_bar(regimen) as progress:
        found = treat(
            regimen, who, patients, weeks, seed,
            labels=region if protocol == "on" else None, unconfirmed=unconfirmed == "on",
            confirm=confirm, ihc=ihc, ish=ish, earlier_lines=earlier_lines,
            earlier_drugs=earlier_drugs or None,
            after_anthracycline=after_anthracycline, scan=scan, given_with=given_with,
            without=off, members=members, keep=False, progress=progress, threads=threads,
        )  # fmt: skip
    show(found, as_json, figure=figure)
