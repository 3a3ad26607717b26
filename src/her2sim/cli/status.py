"""`her2sim status`: from the HER2 test to a status."""

from __future__ import annotations

from typing import Any

import click

from her2sim.terminal import reports_errors, show


@click.command()
@click.option(
    "--tumour",
    type=click.Choice(["breast", "gastric", "colorectal", "biliary", "lung", "other"]),
    default="breast",
    show_default=True,
)
@click.option("--ihc", type=click.Choice(["0", "1+", "2+", "3+"]), help="IHC score")
@click.option("--stain", type=click.Choice(["none", "faint"]), help="staining behind a score of 0")
@click.option("--percent", type=float, help="share of tumour cells with the scored staining")
@click.option("--ratio", type=float, help="HER2/CEP17 ratio of dual-probe ISH")
@click.option("--copies", type=float, help="mean HER2 copies a cell")
@click.option("--ish", type=click.Choice(["positive", "negative"]), help="ISH result in words")
@click.option("--specimen", type=click.Choice(["biopsy", "resection"]))
@click.option("--mutation", help="HER2 mutation (lung cancer), or none")
@click.option(
    "--guideline",
    type=click.Choice(["asco-cap", "eu-label"]),
    default="asco-cap",
    show_default=True,
    help="for breast cancer",
)
@click.option("--recounted", "is_recounted", is_flag=True, help="the counts are a blinded recount")
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of text")
@reports_errors
def status(guideline: Any, as_json: bool, **reported: Any) -> None:
    """HER2 status of a tumour by the guideline's rows.

    Low, ultralow and null are no results of the guideline but categories that some labels ask for.
    """
    from her2sim.api.her2 import status as answer

    show(answer(guideline=guideline, **reported), as_json)
