"""`her2sim schema`: the files that her2sim reads, as JSON schemas."""

from __future__ import annotations

import click

from her2sim.cli.command import command
from her2sim.cli.kinds import OneOf
from her2sim.terminal import print_json


@command()
@click.argument("name", metavar="NAME", type=OneOf(["patient", "readings", "record"]))
def schema(name: str) -> None:
    """JSON schema of a patient file, or of one row of a file of readings or a record."""
    from her2sim.formats.schemas import SCHEMAS

    print_json(SCHEMAS[name]())
