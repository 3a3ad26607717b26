"""`her2sim compare`: virtual studies."""

from __future__ import annotations

from pathlib import Path

import click

from her2sim.terminal import reports_errors, show


@click.command()
@click.argument("test")
@click.argument("reference")
@click.option("--population", default="ebc", show_default=True, help="mbc, ebc, ... or a TOML file")
@click.option("--per-arm", type=int, default=250, show_default=True, help="patients in each arm")
@click.option("--cycle", type=click.IntRange(1), default=7, show_default=True)
@click.option("--seed", type=int, help="random seed; drawn and shown if not given")
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of a table")
@click.option("--figure", type=click.Path(path_type=Path), help="write the distributions")
@reports_errors
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
