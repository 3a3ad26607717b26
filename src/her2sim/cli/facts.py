"""`her2sim drug` and `her2sim validate`: what is known, and how well it fits."""

from __future__ import annotations

from pathlib import Path

import click

from her2sim.cli.command import Command, Group, command
from her2sim.cli.kinds import Input, Whole
from her2sim.cli.named import FILE
from her2sim.cli.options import fixed_seed, printed_as_json
from her2sim.notice import NOTICE
from her2sim.terminal import progress_bar, show


@click.group(cls=Group)
def drug() -> None:
    """What is known of each drug."""


@drug.command("list", cls=Command)
def drug_list() -> None:
    """All drugs, their models and regimens."""
    from her2sim.api.library import drug_list as answer

    show(answer(), as_json=False)


@drug.command("show", cls=Command)
@click.argument("name")
def drug_show(name: str) -> None:
    """Model, equations, numbers, sources and status of NAME (or NAME:MODEL)."""
    from her2sim.api.library import drug as answer

    click.echo(answer(name).text())
    click.echo(NOTICE)


@command()
@printed_as_json
@click.option("--html", type=FILE, help="write the page (one HTML file)")
@click.option("--markdown", type=FILE, help="write the page (Markdown)")
@click.option("--rows", type=Input(), help="published rows of your own (TOML)")
@click.option("--patients", type=Whole(1), default=10_000, show_default=True)
@fixed_seed
def validate(
    as_json: bool,
    html: Path | None,
    markdown: Path | None,
    rows: Path | None,
    patients: int,
    seed: int,
) -> None:
    """How well each drug model reproduces what labels and papers printed."""
    from her2sim.api.validation import validate as answer
    from her2sim.store.files import write_text

    with progress_bar("published rows") as progress:
        found = answer(patients, seed, rows=rows, progress=progress)
    for path, page in ((html, found.html), (markdown, found.markdown)):
        if path is not None:
            write_text(path, page())
    show(found, as_json, html=html, markdown=markdown)
