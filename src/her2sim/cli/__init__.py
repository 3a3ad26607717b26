"""The command line. Every command calls the same functions as a notebook would."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # chunks have threads and processes of their own

import click

from her2sim import __version__
from her2sim.cli.check import check
from her2sim.cli.command import Group
from her2sim.cli.course import course
from her2sim.cli.demo import demo
from her2sim.cli.eligible import eligible
from her2sim.cli.events import simulate
from her2sim.cli.explain import explain
from her2sim.cli.exposure import exposure, washout
from her2sim.cli.facts import drug, validate
from her2sim.cli.individual import individual
from her2sim.cli.plan import plan
from her2sim.cli.population import population
from her2sim.cli.questions import covariates, delay, interval, switch, weight
from her2sim.cli.regimens import regimen
from her2sim.cli.schema import schema
from her2sim.cli.sensitivity import sensitivity
from her2sim.cli.shortage import shortage
from her2sim.cli.status import status
from her2sim.cli.studies import compare
from her2sim.cli.trial import trial
from her2sim.cli.web import web
from her2sim.notice import NOTICE


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]}, epilog=NOTICE)
@click.version_option(__version__, message="her2sim %(version)s")
def main() -> None:
    """Simulate HER2-targeted cancer therapy."""


COMMANDS = (
    status, eligible, plan, course, check, individual, population, trial, explain, sensitivity,
    exposure, regimen, simulate, compare, washout, delay, shortage, switch, interval, weight,
    covariates, drug, schema, validate, demo, web,
)  # fmt: skip
for command in COMMANDS:
    main.add_command(command)
