"""All published trials: the page of the documentation, one HTML file, and what subgroups showed."""

from __future__ import annotations

from pathlib import Path

import tomlkit

from her2sim.api.scorecard import Scorecard, score
from her2sim.engine.advance import available_cores
from her2sim.store.files import write_text
from her2sim.terminal import progress_bar
from her2sim.trials.seen_subgroups import FILE

ROOT = Path(__file__).parents[1]
FIGURES = 3


def main() -> None:
    """Run them, and write all three."""
    with progress_bar("trials") as progress:
        found = score(workers=available_cores(), progress=progress)
    write_text(ROOT / "docs" / "trials.md", found.markdown())
    write_text(ROOT / "trials.html", found.html())
    write_text(ROOT / "src" / "her2sim" / "trials" / FILE, subgroups_text(found))


def subgroups_text(found: Scorecard) -> str:
    """Contrasts of subgroups as TOML, numbers in three figures."""
    document = tomlkit.document()
    document.add(tomlkit.comment("Subgroups of trials, published beside predicted."))
    document.add(tomlkit.comment("Written by make trials."))
    rows = tomlkit.aot()
    for row in found.contrasts():
        table = tomlkit.table()
        for name, value in row.model_dump().items():
            table[name] = float(f"{value:.{FIGURES}g}") if isinstance(value, float) else value
        rows.append(table)
    document["contrast"] = rows
    return tomlkit.dumps(document)


if __name__ == "__main__":
    main()
