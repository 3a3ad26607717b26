"""`her2sim trial size` and `trial grid`: how large a trial has to be, and what designs give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from her2sim.cli.command import Command
from her2sim.cli.kinds import Number, Whole, numbers
from her2sim.cli.named import COMPARED, TRIAL
from her2sim.cli.options import drawn_seed, printed_as_json, with_figure, workers
from her2sim.terminal import progress_bar, show

Run = Callable[..., None]


def drawn_from_a_pool(
    trials: int, most_trials: int, pool: int, figure: str
) -> Callable[[Run], Run]:
    """Options of commands that draw trials from simulated patients of one trial.

    ``trials`` and ``pool`` are the usual numbers, ``figure`` what a figure shows.
    """
    options = (
        click.option(
            "--endpoint",
            type=COMPARED,
            help="of the comparison [that of the first comparison of the file]",
        ),
        click.option(
            "--arm",
            type=COMPARED,
            help="arm that is compared [of the first comparison of the file]",
        ),
        click.option(
            "--alpha",
            type=Number(0.0001, 0.5),
            default=0.05,
            show_default=True,
            help="two-sided level",
        ),
        click.option(
            "--trials",
            type=Whole(100, most_trials),
            default=trials,
            show_default=True,
            help="drawn for each design",
        ),
        click.option(
            "--pool",
            type=Whole(50, 20_000),
            default=pool,
            show_default=True,
            help="simulated patients of an arm for each member of the ensemble",
        ),
        drawn_seed,
        click.option("--members", type=Whole(1), help="members of the ensemble [all]"),
        printed_as_json,
        with_figure(figure),
        workers,
    )

    def decorated(run: Run) -> Run:
        for option in reversed(options):
            run = option(run)
        return run

    return decorated


@click.command(cls=Command)
@click.argument("name", metavar="NAME|FILE", type=TRIAL)
@click.option(
    "--power", type=Number(0.05, 0.99), default=0.8, show_default=True, help="wanted, as a share"
)
@drawn_from_a_pool(1000, 100_000, 400, "power against size")
def size(
    name: str,
    power: float,
    endpoint: str | None,
    arm: str | None,
    alpha: float,
    trials: int,
    pool: int,
    seed: int | None,
    members: int | None,
    as_json: bool,
    figure: Path | None,
    workers: int | None,
) -> None:
    """Fewest patients of a trial for a power of the log-rank test.

    The difference between the arms is the simulated one, uncertain as the members of the ensemble
    say; accrual, follow-up and loss to follow-up are those of the file.
    """
    from her2sim.api.trial_size import trial_size
    from her2sim.engine.advance import available_cores

    with progress_bar(name) as progress:
        found = trial_size(
            name, power, seed, endpoint=endpoint, arm=arm, alpha=alpha, trials=trials, pool=pool,
            members=members, workers=workers or available_cores(), progress=progress,
        )  # fmt: skip
    show(found, as_json, figure=figure)


@click.command(cls=Command)
@click.argument("name", metavar="NAME|FILE", type=TRIAL)
@click.option(
    "--per-arm",
    type=numbers(10, 20_000, "write patients from 10 to 20,000, as in 50,100,200"),
    default="50,100,200,400",
    show_default=True,
    help="patients in an arm of weight 1",
)
@click.option(
    "--follow-up",
    type=numbers(0.1, 180, "write months from 0.1 to 180, as in 6,12,24"),
    default="6,12,24",
    show_default=True,
    help="months from the last patient to the data cut",
)
@click.option(
    "--effect",
    type=numbers(0, 100, "write per cent from 0 to 100, as in 100,50,0"),
    default="100,50,0",
    show_default=True,
    help="part of the predicted effect that is really there, in %",
)
@drawn_from_a_pool(400, 20_000, 200, "power by size, follow-up and effect")
def grid(
    name: str,
    per_arm: list[float],
    follow_up: list[float],
    effect: list[float],
    endpoint: str | None,
    arm: str | None,
    alpha: float,
    trials: int,
    pool: int,
    seed: int | None,
    members: int | None,
    as_json: bool,
    figure: Path | None,
    workers: int | None,
) -> None:
    """Power and duration of many designs of a trial: arm sizes, follow-ups, smaller effects."""
    from her2sim.api.trial_size import design_grid
    from her2sim.engine.advance import available_cores

    with progress_bar(name) as progress:
        found = design_grid(
            name, tuple(int(n) for n in per_arm), tuple(follow_up), tuple(effect), seed,
            endpoint=endpoint, arm=arm, alpha=alpha, trials=trials, pool=pool, members=members,
            workers=workers or available_cores(), progress=progress,
        )  # fmt: skip
    show(found, as_json, figure=figure)
