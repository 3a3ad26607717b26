"""`her2sim trial`: virtual trials beside the published ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from her2sim.cli.command import Command, Group
from her2sim.cli.kinds import OneOf, Whole
from her2sim.cli.named import ADDRESS, FIGURE, FILE, FOLDER, TRIAL
from her2sim.cli.options import (
    ON_OFF,
    SETTINGS,
    TUMOURS,
    drawn_seed,
    fixed_seed,
    printed_as_json,
    restart,
    with_figure,
    workers,
)
from her2sim.cli.trial_designs import grid, size
from her2sim.terminal import print_json, progress_bar, show

if TYPE_CHECKING:
    from her2sim.patients.covariates import TumourTypeId


@click.group(cls=Group)
def trial() -> None:
    """Virtual trials: run a published one beside its results, or one of your own."""


trial.add_command(size)
trial.add_command(grid)


@trial.command("list", cls=Command)
def list_trials() -> None:
    """The trials that come with her2sim."""
    from her2sim.api.library import trial_list

    show(trial_list(), as_json=False)


@trial.command(cls=Command)
def schema() -> None:
    """The JSON schema of a trial file."""
    from her2sim.formats.schemas import trial_schema

    print_json(trial_schema())


@trial.command(cls=Command)
@click.argument("name", metavar="NAME|FILE", type=TRIAL)
@click.option("--patients", type=Whole(2), help="patients of the whole trial")
@click.option("--per-arm", type=Whole(2), help="patients of an arm of weight 1 [2400]")
@click.option(
    "--replicates",
    type=Whole(1),
    default=1,
    show_default=True,
    help="trials of this size, each with patients of its own: power",
)
@drawn_seed
@click.option(
    "--members",
    type=Whole(1),
    help="members of the ensemble [10, or one for 100 patients]",
)
@click.option(
    "--protocol",
    type=ON_OFF,
    default="on",
    show_default=True,
    help="off: no dose is held or lowered for an adverse event; the report shows both",
)
@printed_as_json
@click.option("--html", type=FILE, help="write the report as one file")
@with_figure("the curves")
@click.option("--forest", type=FIGURE, help="write the hazard ratios as a forest plot")
@click.option("--waterfall", type=FIGURE, help="write the best change of 60 patients an arm")
@click.option("--spider", type=FIGURE, help="write the change over time of 60 patients an arm")
@click.option("--swimmer", type=FIGURE, help="write the time in the trial of 40 patients an arm")
@click.option(
    "-o",
    "--folder",
    type=FOLDER,
    help="keep the outcomes of each patient; a run that was stopped goes on from there",
)
@restart
@workers
@click.option(
    "--cluster",
    metavar="ADDRESS",
    type=ADDRESS,
    help="run on a Dask cluster (extra her2sim[cluster])",
)
@click.option("--chunk", type=Whole(1), hidden=True)
def run(
    name: str,
    patients: int | None,
    per_arm: int | None,
    replicates: int,
    seed: int | None,
    members: int | None,
    protocol: str,
    as_json: bool,
    html: Path | None,
    figure: Path | None,
    folder: Path | None,
    restart: bool,
    workers: int | None,
    cluster: str | None,
    chunk: int | None,
    **plots: Path | None,
) -> None:
    """Run a trial, arm by arm, and lay it beside what was published.

    NAME is one of `her2sim trial list`, FILE a trial of your own (`her2sim trial schema`,
    examples/trial_own.toml).
    """
    from her2sim.api.trial import require_plots, run_trial
    from her2sim.engine.advance import available_cores
    from her2sim.report.canvas import write_figure
    from her2sim.report.trial_page import trial_page
    from her2sim.trials.library import load_trial

    wanted = {kind: path for kind, path in plots.items() if path is not None}
    shown = {**wanted, **({} if figure is None else {"curves": figure})}
    require_plots(load_trial(name), list(shown))

    with progress_bar(name) as progress:
        found = run_trial(
            name, per_arm, seed, patients=patients, replicates=replicates, members=members,
            also_without_rules=protocol == "off", folder=folder, restart=restart,
            workers=workers or available_cores(), cluster=cluster, chunk=chunk, progress=progress,
        )  # fmt: skip
    if html is not None:
        trial_page(html, [found.report])
    for kind, path in wanted.items():
        write_figure(path, getattr(found, f"plot_{kind}")())
    show(
        found, as_json, figure=figure, html=html, forest=plots["forest"],
        waterfall=plots["waterfall"], spider=plots["spider"], swimmer=plots["swimmer"],
    )  # fmt: skip


@trial.command(cls=Command)
@click.argument("names", metavar="[NAME]...", nargs=-1, type=TRIAL)
@click.option("--per-arm", type=Whole(2), default=4800, show_default=True)
@click.option("--members", type=Whole(1), help="members of the ensemble [all]")
@fixed_seed
@click.option("--markdown", type=FILE, help="write the page of the docs")
@click.option("--html", type=FILE, help="write all reports as one file")
@workers
def score(
    names: tuple[str, ...],
    per_arm: int,
    members: int | None,
    seed: int,
    markdown: Path | None,
    html: Path | None,
    workers: int | None,
) -> None:
    """Run the published trials (all, or some) and count how often predictions were right."""
    from her2sim.api.scorecard import score as answer
    from her2sim.engine.advance import available_cores
    from her2sim.store.files import require_target, write_text

    for target in (p for p in (markdown, html) if p is not None):
        require_target(target)
    with progress_bar("trials") as progress:
        found = answer(
            names, per_arm, seed, members=members, workers=workers or available_cores(),
            progress=progress,
        )  # fmt: skip
    for path, page in ((markdown, found.markdown), (html, found.html)):
        if path is not None:
            write_text(path, page())
    show(found, as_json=False, markdown=markdown, html=html)


@trial.command(cls=Command)
@click.argument("names", metavar="[NAME]...", nargs=-1, type=TRIAL)
@click.option(
    "--setting",
    type=SETTINGS,
    default="metastatic",
    show_default=True,
    help="disease of the trials",
)
@click.option(
    "--tumour",
    type=TUMOURS,
    default="breast",
    show_default=True,
    help="tumour type of the trials",
)
@click.option(
    "--folds",
    type=OneOf(["trial", "6"]),
    default="trial",
    show_default=True,
    help="each trial alone, or six groups of trials",
)
@click.option(
    "--patients",
    type=Whole(50, 5000),
    default=192,
    show_default=True,
    help="patients of an arm in the refits",
)
@fixed_seed
@click.option(
    "--without",
    multiple=True,
    metavar="PART",
    help="hold a part of the model where it does nothing (may come again)",
)
@click.option(
    "-o",
    "--folder",
    type=FOLDER,
    help="keep finished folds; a run that was stopped goes on from there",
)
@click.option("--markdown", type=FILE, help="write the page of the docs")
@click.option("--html", type=FILE, help="write the answer as one file")
@printed_as_json
@workers
def crossvalidate(
    names: tuple[str, ...],
    setting: Literal["early", "metastatic"],
    tumour: TumourTypeId,
    folds: Literal["trial", "6"],
    patients: int,
    seed: int,
    without: tuple[str, ...],
    folder: Path | None,
    markdown: Path | None,
    html: Path | None,
    as_json: bool,
    workers: int | None,
) -> None:
    """Refit the calibration without each trial in turn, and predict what was left out.

    NAME are trials of one setting and tumour type, four or more; all of them without any. It takes
    most of an hour on two cores for breast cancer, minutes for other tumours.
    """
    from her2sim.api.crossvalidation import crossvalidate as answer
    from her2sim.engine.advance import available_cores
    from her2sim.store.files import require_target, write_text

    for target in (p for p in (markdown, html) if p is not None):
        require_target(target)
    with progress_bar("folds") as progress:
        found = answer(
            names, setting=setting, tumour=tumour, folds=folds, patients=patients, seed=seed,
            without=without, folder=folder, workers=workers or available_cores(), progress=progress,
        )  # fmt: skip
    for path, page in ((markdown, found.markdown), (html, found.html)):
        if path is not None:
            write_text(path, page())
    show(found, as_json=as_json, markdown=markdown, html=html)
