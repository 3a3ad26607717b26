"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from her2sim.cli.kinds import Number, OneOf, Whole
from her2sim.cli.named import DRUG, FIGURE, POPULATION, REGIMEN, REGIMEN_OF_DRUG, SEED

F = TypeVar("F", bound=Callable[..., Any])

REGIONS = OneOf(["us", "eu"])
TUMOURS = OneOf(["breast", "gastric", "colorectal", "biliary", "lung", "other"])
SETTINGS = OneOf(["early", "metastatic"])
ON_OFF = OneOf(["on", "off"])


def options(*made: Callable[[Any], Any]) -> Callable[[F], F]:
    """Several options as one decorator."""

    def decorated(function: F) -> F:
        for option in reversed(made):
            function = option(function)
        return function

    return decorated


drawn_seed = click.option("--seed", type=SEED, help="random seed; drawn and shown if not given")
fixed_seed = click.option("--seed", type=SEED, default=1, show_default=True)
printed_as_json = click.option("--json", "as_json", is_flag=True, help="print JSON, not tables")
region = click.option("--region", type=REGIONS, default="us", show_default=True)
threads = click.option("--threads", type=Whole(1, 1024), help="threads [all cores]")
workers = click.option("--workers", type=Whole(1, 1024), help="cores [all]")
restart = click.option("--restart", is_flag=True, help="replace what another run left there")
whole_regimen = click.option(
    "--regimen", type=REGIMEN, required=True, help="named regimen, or drugs joined by +"
)
unconfirmed = click.option(
    "--unconfirmed",
    type=ON_OFF,
    default="on",
    show_default=True,
    help="rules whose text was not read",
)


def with_figure(shown: str = "the figure") -> Callable[[F], F]:
    """--figure, and what it shows."""
    return click.option("--figure", type=FIGURE, help=f"write {shown} (PNG, PDF, SVG)")


chooses_patients = options(
    click.option(
        "--population",
        type=POPULATION,
        default="mbc",
        show_default=True,
        help="mbc, ebc, ebc-neoadjuvant, ebc-residual, ebc-small, agc, btc, mcrc, nsclc, healthy; "
        "or your population.toml, or patients.csv",
    ),
    click.option("--patients", type=Whole(1), help="number of patients [10000, or all of a table]"),
    drawn_seed,
    threads,
)
"""To whom a regimen is given: --population, --patients, --seed, --threads."""

treats_patients = options(
    click.argument("drug", type=DRUG),
    click.option(
        "--regimen",
        type=REGIMEN_OF_DRUG,
        help="regimen of the label: q3w, qw, bid [the drug's first]",
    ),
    chooses_patients,
)
"""What is given (DRUG, --regimen), and to whom."""

chooses_setting = click.option(
    "--setting",
    type=SETTINGS,
    help="of the patients [that of the population; metastatic for a table]",
)
"""--setting, where it is not that of the population."""

tests_her2 = options(
    click.option("--ihc", type=OneOf(["0", "1+", "2+", "3+"]), default="3+", show_default=True),
    click.option(
        "--ish",
        type=OneOf(["positive", "negative"]),
        help="in situ hybridisation; without it 2+ and 3+ count as positive",
    ),
)
"""HER2 test of all patients."""

answers = options(
    click.option(
        "--target",
        type=Number(0, min_open=True),
        help="trough wanted, in the drug's unit [the drug's]",
    ),
    printed_as_json,
    with_figure(),
)
"""What every question can be asked with: --target, --json, --figure."""
