"""What each part of the model earns in trials that take no part in the fit: make parts.

Six groups of trials are left out in turn, once with everything and once without each part. It takes
about an hour on two cores.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from her2sim.api.crossvalidation import CrossValidated, crossvalidate
from her2sim.calibration.plan import calibration_plan
from her2sim.engine.advance import available_cores
from her2sim.notice import NOTICE
from her2sim.store.files import write_text
from her2sim.studies.crossvalidation import ENDPOINTS

ROOT = Path(__file__).parents[1]
PATIENTS = 128
HEAD = f"""# What each part of the model earns

Written by `make parts`: six groups of trials are left out in turn and everything is fitted anew
({PATIENTS} patients an arm), with all parts, and with each of them held where it does nothing. A
part earns its place where errors on trials that are left out are larger without it.

{NOTICE}

RMS errors: of the logarithm of hazard ratios and medians, of responses in points. *Score* is the
interval score (the lower the better).

| model | hazard ratio | median | ORR | score, hazard ratio | score, median | score, ORR |
|---|---:|---:|---:|---:|---:|---:|
"""


def main() -> None:
    """Run all, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="keeps finished folds")
    folder = parser.parse_args().folder
    folder.mkdir(exist_ok=True)
    write_text(ROOT / "docs" / "calibration-parts.md", HEAD + "\n".join(rows(folder)) + "\n")


def rows(folder: Path) -> Iterator[str]:
    """One row a model."""
    yield row("all parts", run(folder / "all", ()))
    for part in calibration_plan().part:
        yield row(f"without {part.title}", run(folder / part.name, (part.name,)))


def run(folder: Path, without: tuple[str, ...]) -> CrossValidated:
    """Six groups left out in turn."""
    print(folder.name, flush=True)
    return crossvalidate(
        folds="6", patients=PATIENTS, without=without, folder=folder, workers=available_cores()
    )


def row(name: str, found: CrossValidated) -> str:
    """Errors and interval scores of one model."""
    by_endpoint = {skill.endpoint: skill.summary(skill.ours) for skill in found.skills}
    numbers = [by_endpoint[e][what] for what in ("rms", "score") for e in ENDPOINTS]
    return f"| {name} | " + " | ".join(f"{value:.3g}" for value in numbers) + " |"


if __name__ == "__main__":
    main()
