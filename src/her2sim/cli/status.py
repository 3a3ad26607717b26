"""`her2sim status`: from the HER2 test to a status."""

from __future__ import annotations

from typing import Any

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import Number, OneOf
from her2sim.cli.named import PATIENT
from her2sim.cli.options import TUMOURS, printed_as_json
from her2sim.terminal import show


@command()
@click.argument("patient", type=PATIENT, required=False)
@click.option(
    "--tumour",
    type=TUMOURS,
    help="breast if not told",
)
@click.option("--ihc", help="IHC score, or a range of scores: 2+, '1+ to 2+'")
@click.option("--stain", type=OneOf(["none", "faint"]), help="staining behind a score of 0")
@click.option(
    "--percent", type=Number(0, 100), help="share of tumour cells with the scored staining"
)
@click.option("--cluster-cells", type=Number(0), help="stained cells together (gastric biopsy)")
@click.option("--ratio", type=Number(0), help="HER2/CEP17 ratio of dual-probe ISH")
@click.option("--copies", type=Number(0), help="mean HER2 copies a cell")
@click.option("--ish", type=OneOf(["positive", "negative", "equivocal"]), help="in words")
@click.option("--specimen", type=OneOf(["biopsy", "resection"]))
@click.option(
    "--decalcified",
    type=OneOf(["edta", "acid", "unknown"]),
    help="with what bone was decalcified",
)
@click.option("--mutation", help="HER2 mutation (lung cancer), or none")
@click.option(
    "--guideline",
    type=OneOf(["asco-cap", "eu-label", "heracles", "harmonised", "triumph", "destiny-crc01"]),
    help="where there are several: breast (asco-cap), colorectal (heracles)",
)
@click.option("--recounted", "is_recounted", is_flag=True, help="the counts are a blinded recount")
@printed_as_json
def status(as_json: bool, **reported: Any) -> None:
    """HER2 status of a tumour by the guideline's rows, from one test or from the file of PATIENT.

    A file may tell of several specimens.

    Low, ultralow and null are no results of the guideline but categories that some labels ask for.
    """
    from her2sim.api.her2 import status as answer

    show(answer(**reported), as_json)
