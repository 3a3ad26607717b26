"""`her2sim drug` and `her2sim validate`: what is known, and how well it fits."""

from __future__ import annotations

from pathlib import Path

import click

from her2sim.notice import NOTICE
from her2sim.terminal import (
    HelpfulGroup,
    print_tables,
    progress_bar,
    reports_errors,
    show,
)


@click.group(cls=HelpfulGroup)
def drug() -> None:
    """What is known of each drug."""


@drug.command("list")
@reports_errors
def drug_list() -> None:
    """All drugs, their models and regimens."""
    from her2sim.drugs.drug import drug_names, load_drug
    from her2sim.report.known import drug_list_table

    print_tables(drug_list_table([load_drug(name) for name in drug_names()]))
    click.echo(NOTICE)


@drug.command("show")
@click.argument("name")
@reports_errors
def drug_show(name: str) -> None:
    """Model, equations, numbers, sources and status of NAME (or NAME:MODEL)."""
    from her2sim.drugs.drug import load_drug, load_pk
    from her2sim.report.known import drug_text

    click.echo(drug_text(load_drug(name), load_pk(name)))
    click.echo(NOTICE)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of a table")
@click.option("--html", type=click.Path(path_type=Path), help="write the page (one HTML file)")
@click.option("--markdown", type=click.Path(path_type=Path), help="write the page (Markdown)")
@click.option("--rows", type=click.Path(path_type=Path), help="published rows of your own (TOML)")
@click.option("--patients", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@reports_errors
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
