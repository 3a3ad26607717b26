"""`her2sim simulate`: NONMEM-style event tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import FILE, MODEL, Input, OneOf
from her2sim.cli.options import drawn_seed
from her2sim.notice import NOTICE


@command()
@click.argument("events", type=Input())
@click.option("--drug", type=MODEL, help="drug or DRUG:MODEL whose model is used")
@click.option("--structure", help="named structure, used with --set")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help='parameter of the structure; with columns: "cl=1.1*(WT/70)^0.75"',
)
@click.option("--typical", is_flag=True, help="no random effects; unknown patients are typical")
@click.option(
    "--covariate",
    "constants",
    multiple=True,
    metavar="NAME=VALUE",
    help="characteristic of all subjects that the file does not tell",
)
@click.option("--ignore", multiple=True, metavar="COLUMN", help="column that is not to be used")
@click.option(
    "--time-unit",
    type=OneOf(["h", "day"]),
    default="h",
    show_default=True,
    help="unit of TIME, II, DUR, rates and --set",
)
@click.option(
    "--covariates",
    "carry",
    type=OneOf(["nocb", "locf"]),
    default="nocb",
    show_default=True,
    help="next record's values hold backwards, or last one's on",
)
@click.option("--lag-column", help="column with the lag time of a dose")
@click.option("--f-column", help="column with the bioavailability of a dose")
@click.option("--rate-column", help="column with the rate for RATE -1")
@click.option("--duration-column", help="column with the duration for RATE -2")
@click.option(
    "--acts-on",
    default="central",
    show_default=True,
    help="compartment whose doses lag and bioavailability change, or all",
)
@click.option(
    "--observations",
    is_flag=True,
    help="simulate observations too, with the residual error of the model (column SIM)",
)
@drawn_seed
@click.option("--doses", type=FILE, help="write the flat dose list (CSV)")
@click.option(
    "-o",
    "--output",
    type=FILE,
    help="write the predictions (CSV); printed if not given",
)
def simulate(events: Path, output: Path | None, doses: Path | None, **options: Any) -> None:
    """Predictions for a NONMEM-style table EVENTS (CSV).

    One row for each EVID 0 record. Amounts are in mg. With --drug, CMT 1 is the dosing compartment
    of its route. A comment column C is skipped.
    """
    from her2sim.api.events import simulate as answer
    from her2sim.studies.dataset import dose_csv, prediction_csv

    found = answer(events, covariates=options.pop("constants"), **options)
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    if doses is not None:
        dose_csv(found.prediction, doses)
        click.echo(f"wrote {doses}", err=True)
    text = prediction_csv(found.table, found.prediction, output)
    click.echo(
        text if output is None else f"wrote {output}: {found.prediction.record.size} predictions",
        nl=output is not None,
    )
    click.echo(NOTICE, err=True)
