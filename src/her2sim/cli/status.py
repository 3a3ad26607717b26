"""`her2sim status`: from the HER2 test to a status."""

from __future__ import annotations

from typing import Any

import click

from her2sim.notice import NOTICE
from her2sim.terminal import print_json, reports_errors


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
    from her2sim.patients.her2_status import interpret
    from her2sim.patients.her2_test import Her2Test

    found = interpret(Her2Test(**reported), guideline)
    if as_json:
        print_json(found.as_dict() | {"notice": NOTICE})
        return
    lines = [f"HER2 {found.status}"]
    if found.category not in ("none", found.status):
        lines[0] += f" (category: {found.category})"
    if found.ish_group is not None:
        lines.append(f"ISH group {found.ish_group}")
    if found.next_step is not None:
        lines.append(f"next step: {found.next_step.replace('_', ' ')}")
    if found.discordant:
        lines.append("discordant: the other test says otherwise")
    if found.note:
        lines.append(f"note: {found.note}")
    lines.append(f"rule {found.rule_id} of {found.guideline} [{found.source}]")
    click.echo("\n".join(lines))
    click.echo(NOTICE)
