"""`her2sim compare`: virtual studies."""

from __future__ import annotations

from pathlib import Path

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import Whole
from her2sim.cli.named import ARM, POPULATION
from her2sim.cli.options import drawn_seed, printed_as_json, with_figure
from her2sim.terminal import show


@command()
@click.argument("test", type=ARM)
@click.argument("reference", type=ARM)
@click.option(
    "--population",
    type=POPULATION,
    default="ebc",
    show_default=True,
    help="mbc, ebc, ... or a TOML file",
)
@click.option(
    "--per-arm", type=Whole(2), default=250, show_default=True, help="patients in each arm"
)
@click.option("--cycle", type=Whole(1, 200), default=7, show_default=True)
@drawn_seed
@printed_as_json
@with_figure("the distributions")
def compare(
    test: str,
    reference: str,
    population: str,
    per_arm: int,
    cycle: int,
    seed: int | None,
    as_json: bool,
    figure: Path | None,
) -> None:
    """A virtual two-arm study: exposure under TEST over that under REFERENCE.

    An arm is DRUG/REGIMEN or DRUG:MODEL/REGIMEN, as in trastuzumab-sc/q3w. Compare routes inside
    one model: trastuzumab-sc/q3w with trastuzumab-sc/q3w-iv.
    """
    from her2sim.api.comparison import compare as answer

    show(answer(test, reference, population, per_arm, seed, cycle=cycle), as_json, figure=figure)
