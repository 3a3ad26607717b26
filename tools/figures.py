"""The figures of the docs, by the commands that stand beside them: make figures."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MBC = "examples/patient_mbc.toml"
OBSERVED = "examples/trastuzumab_observed.csv"
COMMANDS = {
    "check": "check examples/record_departures.csv",
    "course": f"course {MBC} --regimen thp --weeks 78 --readings examples/readings_mbc.csv --then "
    "trastuzumab-deruxtecan --at progression --seed 1",
    "delay": "delay trastuzumab --population ebc --dose 7 --weeks 3 --seed 1",
    "individual": "individual examples/levels_trastuzumab.csv --drug trastuzumab --patient "
    f"{MBC} --doses examples/doses_trastuzumab.csv --target cmin>=20",
    "interval": "interval pertuzumab --weeks 4 --seed 1",
    "population": "population --regimen thp --population mbc --patients 10000 --seed 1",
    "regimens": "regimen run CLEOPATRA --population mbc --cycles 18 --seed 1",
    "shortage": "shortage trastuzumab --population ebc --weeks 12-18 --seed 1",
    "switch": "switch trastuzumab-sc/q3w-iv trastuzumab-sc/q3w --population ebc --after 4 --seed 1",
    "trastuzumab": "exposure trastuzumab --population mbc --patients 10000 --seed 1",
    "washout": "washout trastuzumab --population ebc --seed 1",
    "weight": "weight trastuzumab --population mbc --seed 1",
    "covariates": "covariates trastuzumab --population mbc --seed 1",
    "sensitivity": "sensitivity --regimen thp --seed 1",
    "size": "trial size examples/trial_own.toml --power 0.8 --seed 1",
    "early-duration": "trial run early-duration --per-arm 2400 --seed 1",
    "destiny-breast03": "trial run destiny-breast03 --per-arm 1000 --seed 1",
}
OTHERS = {
    "vpc": f"simulate {OBSERVED} --drug trastuzumab --covariate tumour_type=breast --time-unit day "
    "--replicates 500 --seed 1 --vpc {path}",
    **{
        kind: f"trial run emilia --per-arm 300 --seed 1 --{kind} {{path}}"
        for kind in ("forest", "waterfall", "spider", "swimmer")
    },
}
"""Figures that are asked for by another option."""

DEPARTURES = {"check": 1}
"""Commands whose code tells what they found."""


def main() -> None:
    """Make all of them, or those that are named."""
    wanted = sys.argv[1:]
    commands = {name: f"{command} --figure {{path}}" for name, command in COMMANDS.items()}
    for name, command in {**commands, **OTHERS}.items():
        if not wanted or name in wanted:
            path = DOCS / f"{name}.png"
            call = shlex.split(command.format(path=path))
            done = subprocess.run([sys.executable, "-m", "her2sim", *call], cwd=ROOT, check=False)
            if done.returncode > DEPARTURES.get(name, 0):
                done.check_returncode()


if __name__ == "__main__":
    main()
