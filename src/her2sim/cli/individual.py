"""`her2sim individual`: one patient backwards, from measured levels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import Input, Number, OneOf, Whole
from her2sim.cli.named import DRUG, FILE, REGIMEN_OF_DRUG
from her2sim.cli.options import fixed_seed, printed_as_json, with_figure
from her2sim.terminal import show


@command()
@click.argument("levels", type=Input())
@click.option("--drug", type=DRUG, required=True, help="DRUG, DRUG:MODEL or DRUG/REGIMEN")
@click.option("--patient", type=Input(), help="a patient (TOML), or a table of patients (CSV)")
@click.option("--doses", type=Input(), help="doses (CSV) or a treatment record [as the label has]")
@click.option("--regimen", type=REGIMEN_OF_DRUG, help="regimen at hand [the drug's first]")
@click.option(
    "--target", help="what is wanted of each cycle: cmin>=20, auc>=1000 [the drug's trough]"
)
@click.option(
    "--try", "candidates", multiple=True, metavar="REGIMEN[%PERCENT][~DAYS]",
    help="a further way to go on, as in q3w%120 or q3w~14",
)  # fmt: skip
@click.option("--cycles", type=Whole(1, 52), default=6, show_default=True, help="cycles ahead")
@click.option("--typical", is_flag=True, help="what is not told of a patient is typical")
@click.option("--average", is_flag=True, help="all models of the drug, weighed by the levels")
@click.option("--tumour", is_flag=True, help="show the tumour to come under these levels too")
@click.option(
    "--residual-cv", type=Number(1, 300), metavar="PERCENT",
    help="how far a measured level lies off [the model's]",
)  # fmt: skip
@click.option(
    "--prior-weight", type=Number(0.05, 1), default=1.0, show_default=True,
    help="less trusts the population less",
)  # fmt: skip
@click.option("--time-unit", type=OneOf(["h", "day"]), default="h", show_default=True,
              help="of an event table")  # fmt: skip
@click.option("--covariates", "carry", type=OneOf(["nocb", "locf"]), default="nocb",
              show_default=True, help="of an event table, as for simulate")  # fmt: skip
@click.option("--covariate", "constants", multiple=True, metavar="NAME=VALUE",
              help="characteristic that an event table does not tell")  # fmt: skip
@click.option("--ignore", multiple=True, metavar="COLUMN", help="column of an event table")
@fixed_seed
@printed_as_json
@click.option("--html", type=FILE, help="write the answer as one HTML file")
@click.option("-o", "--output", type=FILE, help="write the parameters (CSV)")
@with_figure("levels, bands and what is to come")
def individual(
    levels: Path, drug: str, patient: Path | None, as_json: bool, html: Path | None,
    output: Path | None, figure: Path | None, constants: tuple[str, ...], **asked: Any,
) -> None:  # fmt: skip
    """Numbers of one patient from measured LEVELS (CSV), and levels to come.

    LEVELS has columns day (or date), value and unit; <0.5 is below a limit of 0.5. Columns test
    and patient say of what and of whom. Or it is a NONMEM-style event table with DV.

    Each way to go on is shown with its chance of the target: what would happen, never advice.
    """
    from her2sim.api.individual import individual as answer
    from her2sim.store.files import write_text, written_whole

    found = answer(levels, drug, patient, covariates=constants, **asked)
    page = None if html is None else found.html()
    if figure is not None and found.report.bands is None:
        found.plot()  # says why there is none, before anything is written
    if html is not None and page is not None:
        write_text(html, page)
    if output is not None:
        with written_whole(output) as partial:
            found.frame().write_csv(partial)
    show(found, as_json, figure=figure, html=html, output=output)
