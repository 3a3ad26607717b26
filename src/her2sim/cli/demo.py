"""`her2sim demo`: one published trial, predicted beside published."""

from __future__ import annotations

from pathlib import Path

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import Whole
from her2sim.cli.named import FOLDER
from her2sim.cli.options import fixed_seed
from her2sim.errors import DataError, reason
from her2sim.notice import NOTICE
from her2sim.terminal import print_tables, progress_bar


@command()
@click.option("--per-arm", type=Whole(2), default=1000, show_default=True)
@fixed_seed
@click.option(
    "--folder",
    type=FOLDER,
    default=Path("demo"),
    show_default=True,
    help="where the figure and the page go",
)
def demo(per_arm: int, seed: int, folder: Path) -> None:
    """A published trial of 2 x 1000 virtual patients, beside its results."""
    from her2sim.report.canvas import write_figure
    from her2sim.report.trial_figure import trial_figure
    from her2sim.report.trial_page import trial_page
    from her2sim.report.trial_tables import heading, trial_tables
    from her2sim.studies.trial.demo import TRIAL, run_demo

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be made ({reason(error)})") from None
    with progress_bar("virtual trial") as progress:
        report = run_demo(per_arm, seed, progress)
    figure, page = folder / f"{TRIAL}.png", folder / f"{TRIAL}.html"
    write_figure(figure, trial_figure(report))
    trial_page(page, [report])
    click.echo(heading(report))
    print_tables(*trial_tables(report))
    for note in report.notes:
        click.echo(f"Note: {note}")
    for path in (figure, page):
        click.echo(f"wrote {path}")
    click.echo(NOTICE)
