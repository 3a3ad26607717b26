"""`her2sim simulate`: NONMEM-style event tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import Input, OneOf, Whole
from her2sim.cli.named import FIGURE, FILE, MODEL
from her2sim.cli.options import drawn_seed
from her2sim.errors import DataError, Faults
from her2sim.notice import NOTICE
from her2sim.terminal import progress_bar, show

OPTION_OF = {"settings": "set"}
"""Options whose values have another name."""


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
@click.option(
    "--replicates",
    type=Whole(20, 10_000),
    help="simulated studies for a visual predictive check [500 with --vpc]; -o writes them all",
)
@click.option("--vpc", type=FIGURE, help="write the visual predictive check (PNG, PDF, SVG)")
@click.option(
    "--against",
    type=OneOf(["time", "after-dose"]),
    help="time axis of the check: of the table, or after the last dose [time]",
)
@click.option(
    "--corrected", is_flag=True, help="check with values corrected by the population prediction"
)
@click.option("--doses", type=FILE, help="write the flat dose list (CSV)")
@click.option(
    "-o",
    "--output",
    type=FILE,
    help="write the predictions (CSV); printed if not given",
)
def simulate(
    events: Path,
    output: Path | None,
    doses: Path | None,
    replicates: int | None,
    vpc: Path | None,
    against: Any,
    corrected: bool,
    **options: Any,
) -> None:
    """Predictions for a NONMEM-style table EVENTS (CSV).

    One row for each EVID 0 record. Amounts are in mg. With --drug, CMT 1 is the dosing compartment
    of its route. A comment column C is skipped.

    With --replicates or --vpc the whole study is simulated again and again, with new patients and
    residual error, and what was observed (DV) is laid over the percentiles.
    """
    if replicates is not None or vpc is not None:
        _check(events, output, vpc, replicates or 500, against, corrected, doses, options)
        return
    unused = [name for name, given in (("--against", against), ("--corrected", corrected)) if given]
    if unused:
        raise DataError(f"{', '.join(unused)}: belongs to --replicates or --vpc; leave it out")
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


def _check(
    events: Path,
    output: Path | None,
    figure: Path | None,
    replicates: int,
    against: Any,
    corrected: bool,
    doses: Path | None,
    options: dict[str, Any],
) -> None:
    """A visual predictive check; what it would not use is refused."""
    from her2sim.api.vpc import vpc
    from her2sim.store.files import written_whole

    used = ("drug", "seed", "constants", "ignore", "time_unit", "carry")
    usual = {"acts_on": "central"}
    unused = [
        f"--{OPTION_OF.get(name, name).replace('_', '-')}"
        for name, value in {**options, "doses": doses}.items()
        if name not in used and value not in (None, (), False, usual.get(name))
    ]  # fmt: skip
    faults = Faults("visual predictive check")
    if unused:
        faults.add(f"{', '.join(sorted(unused))}: nothing of it is used here; leave it out")
    if options["drug"] is None:
        faults.add("--drug is missing: it needs a model with random effects and residual error")
    faults.raise_if_any(DataError)
    with progress_bar(events.name, "simulated studies") as progress:
        found = vpc(
            events, options["drug"], replicates, options["seed"], covariates=options["constants"],
            ignore=options["ignore"], time_unit=options["time_unit"], carry=options["carry"],
            against=against or "time", corrected=corrected, progress=progress,
        )  # fmt: skip
    if output is not None:
        with written_whole(output) as partial:
            found.simulations().write_csv(partial)
    show(found, False, figure=figure, output=output)
