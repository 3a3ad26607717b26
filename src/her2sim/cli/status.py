"""`her2sim status`: from the HER2 test to a status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from her2sim.terminal import reports_errors, show


@click.command()
@click.argument("patient", type=click.Path(path_type=Path), required=False)
@click.option(
    "--tumour",
    type=click.Choice(["breast", "gastric", "colorectal", "biliary", "lung", "other"]),
    help="breast if not told",
)
@click.option("--ihc", help="IHC score, or a range of scores: 2+, '1+ to 2+'")
@click.option("--stain", type=click.Choice(["none", "faint"]), help="staining behind a score of 0")
@click.option("--percent", type=float, help="share of tumour cells with the scored staining")
@click.option("--cluster-cells", type=float, help="stained cells together (gastric biopsy)")
@click.option("--ratio", type=float, help="HER2/CEP17 ratio of dual-probe ISH")
@click.option("--copies", type=float, help="mean HER2 copies a cell")
@click.option("--ish", type=click.Choice(["positive", "negative", "equivocal"]), help="in words")
@click.option("--specimen", type=click.Choice(["biopsy", "resection"]))
@click.option(
    "--decalcified",
    type=click.Choice(["edta", "acid", "unknown"]),
    help="with what bone was decalcified",
)
@click.option("--mutation", help="HER2 mutation (lung cancer), or none")
@click.option(
    "--guideline",
    type=click.Choice(
        ["asco-cap", "eu-label", "heracles", "harmonised", "triumph", "destiny-crc01"]
    ),
    help="where there are several: breast (asco-cap), colorectal (heracles)",
)
@click.option("--recounted", "is_recounted", is_flag=True, help="the counts are a blinded recount")
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of text")
@reports_errors
def status(as_json: bool, **reported: Any) -> None:
    """HER2 status of a tumour by the guideline's rows, from one test or from the file of PATIENT.

    A file may tell of several specimens.

    Low, ultralow and null are no results of the guideline but categories that some labels ask for.
    """
    from her2sim.api.her2 import status as answer

    show(answer(**reported), as_json)
