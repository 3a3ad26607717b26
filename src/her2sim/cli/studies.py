"""`her2sim compare`: virtual studies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from her2sim.notice import NOTICE
from her2sim.terminal import (
    draw_seed,
    print_json,
    print_tables,
    reports_errors,
)

if TYPE_CHECKING:
    pass


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
    from her2sim.patients.population import load_population
    from her2sim.report.tables import ratio_table
    from her2sim.studies import comparison as two_arms

    arms = two_arms.load_arm(test), two_arms.load_arm(reference)
    number = draw_seed() if seed is None else seed
    study = two_arms.two_arms(*arms, load_population(population), per_arm, cycle, number)
    if figure is not None:
        from her2sim.report.canvas import write_figure
        from her2sim.report.comparison_figure import study_figure

        write_figure(figure, study_figure(study))
    if as_json:
        print_json(study.as_dict())
        return
    click.echo(f"{test} against {reference}, {population}, {per_arm} an arm, seed {number}")
    print_tables(ratio_table(study))
    for note in study.notes:
        click.echo(f"Note: {note}")
    if arms[0].pk.name != arms[1].pk.name:
        click.echo("Note: the arms have different models; part of the ratio is theirs.")
    if figure is not None:
        click.echo(f"wrote {figure}")
    click.echo(NOTICE)
